import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from './test-database.js'
import type { RateLimitStore } from '../backends/rate-limit-store.js'
import { createPool } from './pool.js'
import { createPostgresRateLimitStore, sweepRateLimits } from './postgres-rate-limit-store.js'

const WINDOW_MS = 60_000

describe('the rate limit store: Postgres', () => {
  let database: TestDatabase
  let pools: ReturnType<typeof createPool>[]
  let store: RateLimitStore
  let other: RateLimitStore

  beforeAll(async () => {
    database = await createTestDatabase()
    pools = [createPool(database.url), createPool(database.url)]
    ;[store, other] = pools.map(createPostgresRateLimitStore) as [RateLimitStore, RateLimitStore]
  })
  afterAll(async () => {
    for (const pool of pools) await pool.end()
    await database.drop()
  })

  const charge = async (from: RateLimitStore, key: string) =>
    (await from.charge([{ key, limit: 1_000 }], WINDOW_MS))[0]!
  const hits = async (from: RateLimitStore, key: string) => (await charge(from, key)).hits
  const age = (key: string, seconds: number) =>
    pools[0]!.query(
      `UPDATE auth_rate_limits SET reset_at = reset_at - $2 * interval '1 second' WHERE key = $1`,
      [key, seconds],
    )

  it('counts for all processes on the database together', async () => {
    expect(await hits(store, 'shared')).toBe(1)
    expect(await hits(other, 'shared')).toBe(2)
  })

  it('keeps the end of a window until it has ended, and then begins another', async () => {
    const first = await charge(store, 'window')
    expect(first.resetMs).toBeGreaterThan(WINDOW_MS - 5_000)
    expect(first.resetMs).toBeLessThanOrEqual(WINDOW_MS)
    await age('window', 50)
    const second = await charge(store, 'window')
    expect(second.hits).toBe(2)
    expect(second.resetMs).toBeLessThan(10_001)
    await age('window', 10)
    const third = await charge(other, 'window')
    expect(third.hits).toBe(1)
    expect(third.resetMs).toBeGreaterThan(WINDOW_MS - 5_000)
  })

  it('begins a window once when many requests arrive after the end of the last', async () => {
    await hits(store, 'ended')
    await age('ended', 61)
    const counted = await Promise.all(
      Array.from({ length: 50 }, (_, n) => hits(n % 2 ? store : other, 'ended')),
    )
    expect(Math.max(...counted)).toBe(50)
    expect(new Set(counted).size).toBe(50)
  })

  it('never deadlocks, whatever networks requests share', async () => {
    const charges = Array.from({ length: 300 }, (_, n) =>
      [`link-${n % 7}`, `home-${n % 3}`, `site-${n % 2}`].map((key) => ({ key, limit: 1_000 })),
    )
    const counts = await Promise.all(
      charges.map((keys, n) => (n % 2 ? store : other).charge(keys, WINDOW_MS)),
    )
    expect(counts.every(({ length }) => length === 3)).toBe(true)
  })

  it('sweeps counters whose window has ended, up to a limit, and no other', async () => {
    await pools[0]!.query('DELETE FROM auth_rate_limits')
    for (const key of ['old-1', 'old-2', 'old-3', 'new']) await hits(store, key)
    for (const key of ['old-1', 'old-2', 'old-3']) await age(key, 60)
    expect(await sweepRateLimits(pools[0]!, 2)).toBe(2)
    expect(await sweepRateLimits(pools[1]!, 2)).toBe(1)
    const { rows } = await pools[0]!.query('SELECT key FROM auth_rate_limits')
    expect(rows).toEqual([{ key: 'new' }])
  })

  it('is not written ahead: a crash of the database costs a minute of counts', async () => {
    const { rows } = await pools[0]!.query(
      `SELECT relpersistence AS kind FROM pg_class WHERE relname = 'auth_rate_limits'`,
    )
    expect(rows).toEqual([{ kind: 'u' }])
  })

  it('waits no longer than a query may take when another transaction holds the row', async () => {
    await hits(store, 'held')
    const impatient = createPool(database.url, { queryTimeoutMs: 200 })
    const holder = await pools[1]!.connect()
    try {
      await holder.query('BEGIN')
      await holder.query(`SELECT 1 FROM auth_rate_limits WHERE key = 'held' FOR UPDATE`)
      const waiting = createPostgresRateLimitStore(impatient)
      await expect(hits(waiting, 'held')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    } finally {
      await holder.query('ROLLBACK')
      holder.release()
      await impatient.end()
    }
  })

  it('rejects with STORE_UNAVAILABLE when the database cannot be reached', async () => {
    const ended = createPool(database.url)
    await ended.end()
    for (const call of [
      hits(createPostgresRateLimitStore(ended), 'a'),
      sweepRateLimits(ended, 1),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
  })
})
