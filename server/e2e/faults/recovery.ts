import { expect, vi } from 'vitest'
import type { Load } from './load.js'

/** Guaranteed recovery time after the store accepts connections again. */
const RECOVERY_MS = 2_000

/** Allowance for a busy machine. On an idle one recovery takes a tenth of the guaranteed time. */
const BUSY_FACTOR = 2

/** Number of consecutive right responses that count as a recovery. */
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
