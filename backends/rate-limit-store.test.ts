import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../prisma/test-database.js'
import {
  createMemoryRateLimitStore,
  createRateLimitKeys,
  type RateLimitStore,
} from './rate-limit-store.js'
import { createPool } from '../prisma/pool.js'
import { createPostgresRateLimitStore } from '../prisma/postgres-rate-limit-store.js'

const WINDOW_MS = 60_000

async function hits(store: RateLimitStore, key: string): Promise<number> {
  const [count] = await store.charge([{ key, limit: 1_000 }], WINDOW_MS)
  return count!.hits
}

/** Charges a narrow and a wide counter, and returns their hits. */
async function charge(
  store: RateLimitStore,
  narrow: string,
  wide: string,
  [limit, wideLimit] = [2, 4],
): Promise<number[]> {
  const counts = await store.charge(
    [
      { key: narrow, limit },
      { key: wide, limit: wideLimit },
    ],
    WINDOW_MS,
  )
  return counts.map((count) => count.hits)
}

describe('the rate limit store', () => {
  let database: TestDatabase
  let pool: ReturnType<typeof createPool>

  beforeAll(async () => {
    database = await createTestDatabase()
    pool = createPool(database.url)
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  describe.each([
    ['in memory', () => createMemoryRateLimitStore()],
    ['in Postgres', () => createPostgresRateLimitStore(pool)],
  ])('%s', (_, create) => {
    let store: RateLimitStore
    beforeEach(async () => {
      await pool.query('DELETE FROM auth_rate_limits')
      store = create()
    })

    it('reads the counters without charging them', async () => {
      const read = async (): Promise<number[]> => {
        const charges = ['narrow', 'wide'].map((key) => ({ key, limit: 1 }))
        return (await store.charge(charges, WINDOW_MS, 0)).map((count) => count.hits)
      }
      expect(await read()).toEqual([0, 0])
      expect(await charge(store, 'narrow', 'wide')).toEqual([1, 1])
      expect(await read()).toEqual([1, 1])
      expect(await read()).toEqual([1, 1])
      expect(await charge(store, 'narrow', 'wide')).toEqual([2, 2])
      expect(await read()).toEqual([2])
    })

    it('counts each key separately', async () => {
      expect(await hits(store, 'a')).toBe(1)
      expect(await hits(store, 'a')).toBe(2)
      expect(await hits(store, 'b')).toBe(1)
    })

    it('does not charge the wider counter when the narrow one is exceeded', async () => {
      expect(await charge(store, 'link-1', 'home')).toEqual([1, 1])
      expect(await charge(store, 'link-1', 'home')).toEqual([2, 2])
      for (let refused = 3; refused < 20; refused += 1) {
        expect(await charge(store, 'link-1', 'home')).toEqual([refused])
      }
      expect(await charge(store, 'link-2', 'home')).toEqual([1, 3])
      expect(await charge(store, 'link-3', 'home')).toEqual([1, 4])
      expect(await charge(store, 'link-4', 'home')).toEqual([1, 5])
      expect(await store.charge([], WINDOW_MS)).toEqual([])
    })

    it('counts each of 200 concurrent requests, narrow and wide', async () => {
      const counts = await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          charge(store, `link-${n % 10}`, 'home', [1_000, 1_000]),
        ),
      )
      const wide = counts.map(([, count]) => count).sort((one, other) => one! - other!)
      expect(wide).toEqual(Array.from({ length: 200 }, (_, n) => n + 1))
      expect(Math.max(...counts.map(([count]) => count!))).toBe(20)
    })

    it('starts a new window when one has ended', async () => {
      const [first] = await store.charge([{ key: 'short', limit: 1 }], 50)
      expect(first!.resetMs).toBeGreaterThan(0)
      expect(first!.resetMs).toBeLessThanOrEqual(50)
      await new Promise((resolve) => setTimeout(resolve, 80))
      expect(await store.charge([{ key: 'short', limit: 1 }], 50)).toMatchObject([{ hits: 1 }])
    })
  })
})

describe('the memory store', () => {
  it('keeps at most maxCounters, the newest', async () => {
    const store = createMemoryRateLimitStore({ maxCounters: 3 })
    for (const key of ['a', 'b', 'c', 'd']) await hits(store, key)
    expect([await hits(store, 'd'), await hits(store, 'c'), await hits(store, 'b')]).toEqual([
      2, 2, 2,
    ])
    expect(await hits(store, 'a')).toBe(1)
  })

  it('evicts ended windows before current ones', async () => {
    let time = 0
    const store = createMemoryRateLimitStore({ maxCounters: 2, now: () => time })
    await store.charge([{ key: 'ended', limit: 1 }], 10)
    time = 20
    await hits(store, 'a')
    await hits(store, 'b')
    expect([await hits(store, 'a'), await hits(store, 'b')]).toEqual([2, 2])
  })
})

describe('createRateLimitKeys', () => {
  const keyOf = createRateLimitKeys(Buffer.alloc(32, 1))

  it('gives keys with the scope and one of a million buckets, without the client address', () => {
    const keys = Array.from({ length: 1_000 }, (_, n) => keyOf('callback/32', `192.0.2.${n}/32`))
    for (const key of keys) {
      const [, bucket] = /^callback\/32:(\d+)$/.exec(key) ?? []
      expect(Number(bucket)).toBeLessThan(2 ** 20)
    }
    expect(new Set(keys).size).toBeGreaterThan(990)
  })

  it('gives the same key only for the same client, scope and secret', () => {
    const key = keyOf('callback/32', '192.0.2.1/32')
    expect(keyOf('callback/32', '192.0.2.1/32')).toBe(key)
    const bucket = (text: string): string | undefined => text.split(':')[1]
    expect(bucket(keyOf('signin/32', '192.0.2.1/32'))).not.toBe(bucket(key))
    const other = createRateLimitKeys(Buffer.alloc(32, 2))
    expect(other('callback/32', '192.0.2.1/32')).not.toBe(key)
  })
})
