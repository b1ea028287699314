import { expect, vi } from 'vitest'
import type { Load } from './load.js'

/** The promise: this long after the store accepts connections again, every answer is right. */
const RECOVERY_MS = 2_000

/**
 * What a machine that does other things at the same time may take of it. On an idle one recovery
 * takes a tenth of the promise.
 */
const BUSY_FACTOR = 2

/** So many right answers in a row are a recovery. */
const IN_A_ROW = 100

/**
 * Recovery within 2 s (4 s on a busy machine), counted from `returned`, the instant of
 * `performance.now()` at which the store accepted connections again.
 */
export async function expectRecovery(load: Load, returned: number): Promise<void> {
  await vi.waitFor(
    () => {
      const last = load.readings.filter(({ began }) => began > returned).slice(-IN_A_ROW)
      expect(last).toHaveLength(IN_A_ROW)
      expect(last.filter(({ answer }) => answer !== 'right')).toEqual([])
    },
    { timeout: 15_000, interval: 10 },
  )
  const lastTrouble = load.readings.findLast(({ answer }) => answer !== 'right')?.ended ?? returned
  expect(lastTrouble - returned).toBeLessThan(RECOVERY_MS * BUSY_FACTOR)
}
