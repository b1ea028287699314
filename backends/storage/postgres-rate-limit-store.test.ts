import type { Store } from 'express-rate-limit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { createPool } from './pool.js'
import { createPostgresRateLimitStore, sweepRateLimits } from './postgres-rate-limit-store.js'

const WINDOW_MS = 60_000

describe('the rate limit store: Postgres', () => {
  let database: TestDatabase
  let pools: ReturnType<typeof createPool>[]
  let store: Store
  let other: Store

  beforeAll(async () => {
    database = await createTestDatabase()
    pools = [createPool(database.url), createPool(database.url)]
    ;[store, other] = pools.map((pool) =>
      createPostgresRateLimitStore({ pool, windowMs: WINDOW_MS }),
    ) as [Store, Store]
  })
  afterAll(async () => {
    for (const pool of pools) await pool.end()
    await database.drop()
  })

  const hits = async (from: Store, key: string) => (await from.increment(key)).totalHits
  const age = (key: string, seconds: number) =>
    pools[0]!.query(
      `UPDATE auth_rate_limits SET reset_at = reset_at - $2 * interval '1 second' WHERE key = $1`,
      [key, seconds],
    )

  it('counts for two processes together, and each key alone', async () => {
    expect(await hits(store, 'a')).toBe(1)
    expect(await hits(other, 'a')).toBe(2)
    expect(await hits(store, 'b')).toBe(1)
  })

  it('counts every one of 200 hits at once', async () => {
    const counted = await Promise.all(
      Array.from({ length: 200 }, (_, n) => hits(n % 2 ? store : other, 'race')),
    )
    expect(counted.sort((one, two) => one - two)).toEqual(Array.from(counted, (_, n) => n + 1))
  })

  it('keeps the end of the window until it is over, and then begins another', async () => {
    const { resetTime: first } = await store.increment('window')
    expect(first!.getTime() - Date.now()).toBeGreaterThan(WINDOW_MS - 5_000)
    expect(first!.getTime() - Date.now()).toBeLessThanOrEqual(WINDOW_MS)
    await age('window', 50)
    const second = await store.increment('window')
    expect(second.totalHits).toBe(2)
    expect(second.resetTime!.getTime() - Date.now()).toBeLessThan(10_001)
    await age('window', 10)
    const third = await other.increment('window')
    expect(third.totalHits).toBe(1)
    expect(third.resetTime!.getTime() - Date.now()).toBeGreaterThan(WINDOW_MS - 5_000)
  })

  it('begins once when many arrive after the end of a window', async () => {
    await store.increment('over')
    await age('over', 61)
    const counted = await Promise.all(
      Array.from({ length: 50 }, (_, n) => hits(n % 2 ? store : other, 'over')),
    )
    expect(Math.max(...counted)).toBe(50)
    expect(new Set(counted).size).toBe(50)
  })

  it('takes a hit back and forgets a key', async () => {
    await store.increment('taken')
    await store.decrement('taken')
    expect(await hits(store, 'taken')).toBe(1)
    await store.resetKey('taken')
    expect(await hits(store, 'taken')).toBe(1)
  })

  it('sweeps what is over, as much as it is asked to, and nothing else', async () => {
    await pools[0]!.query('DELETE FROM auth_rate_limits')
    for (const key of ['old-1', 'old-2', 'old-3', 'new']) await store.increment(key)
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

  it('does not wait for ever for another who holds the count', async () => {
    await store.increment('held')
    const impatient = createPool(database.url, { queryTimeoutMs: 200 })
    const holder = await pools[1]!.connect()
    try {
      await holder.query('BEGIN')
      await holder.query(`SELECT 1 FROM auth_rate_limits WHERE key = 'held' FOR UPDATE`)
      const waiting = createPostgresRateLimitStore({ pool: impatient, windowMs: WINDOW_MS })
      await expect(waiting.increment('held')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    } finally {
      await holder.query('ROLLBACK')
      holder.release()
      await impatient.end()
    }
  })

  it('says so when the database cannot be asked', async () => {
    const away = createPool(database.url)
    const broken = createPostgresRateLimitStore({ pool: away, windowMs: WINDOW_MS })
    await away.end()
    for (const asked of [
      broken.increment('a'),
      broken.decrement('a'),
      broken.resetKey('a'),
      sweepRateLimits(away, 1),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
  })
})
