import { afterEach, expect, it, vi } from 'vitest'
import { createPool } from '../prisma/pool.js'
import { createTestDatabase } from '../prisma/test-database.js'
import { createLogger } from './log.js'
import { startSweeping } from './sweep.js'

afterEach(() => void vi.useRealTimers())

it('deletes every minute what has expired, entries and counts, and leaves the rest', async () => {
  const database = await createTestDatabase()
  const pool = createPool(database.url)
  const keys = async (table: string) =>
    (await pool.query<{ key: string }>(`SELECT key FROM ${table}`)).rows.map(({ key }) => key)
  const entry = (expires: number) => JSON.stringify({ value: {}, expires })
  await pool.query('INSERT INTO auth_keyv (key, value) VALUES ($1, $2), ($3, $4)', [
    'session:over',
    entry(Date.now() - 1_000),
    'session:live',
    entry(Date.now() + 3_600_000),
  ])
  await pool.query(
    `INSERT INTO auth_rate_limits (key, hits, reset_at)
     SELECT 'over-' || n, 1, now() - interval '1 second' FROM generate_series(1, 2500) AS n
     UNION ALL SELECT 'live', 1, now() + interval '1 hour'`,
  )
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const swept = { entries: 0, 'rate-limits': 0 }
  const stop = startSweeping(pool, createLogger('silent'), {
    swept: (kind, rows) => void (swept[kind] += rows),
  })
  try {
    vi.advanceTimersByTime(60_000)
    vi.useRealTimers()
    await vi.waitFor(async () => expect(await keys('auth_rate_limits')).toEqual(['live']), 10_000)
    expect(await keys('auth_keyv')).toEqual(['session:live'])
    await stop()
    expect(swept).toEqual({ entries: 1, 'rate-limits': 2500 })
  } finally {
    await stop()
    await pool.end()
    await database.drop()
  }
})
