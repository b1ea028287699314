import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SessionStore } from '../../../backends/kv-oauth/session-store.js'
import { createPostgresSessionStore } from '../../../backends/kv-oauth/storage/postgres-session-store.js'
import { createTestDatabase, type TestDatabase } from '../../../prisma/test-database.js'

const CHURN = 200_000
const ROUNDS = 10
/** The service's batch size. */
const BATCH = 1_000

describe('expired sessions', () => {
  let database: TestDatabase
  /** Each process has a pool of its own. */
  let pools: pg.Pool[]
  let stores: SessionStore[]
  beforeAll(async () => {
    database = await createTestDatabase()
    pools = [0, 1].map(() => new pg.Pool({ connectionString: database.url, max: 4 }))
    stores = pools.map((pool) => createPostgresSessionStore(pool))
    await pools[0]!.query(`INSERT INTO auth_users (id) VALUES ('somebody')`)
    await insert(100, 'alive', 60 * 60_000)
  })
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end()))
    await database.drop()
  })

  const insert = async (count: number, prefix: string, endsInMs: number): Promise<void> => {
    await pools[0]!.query(
      `INSERT INTO auth_keyv (key, value)
       SELECT 'session:' || $2 || n, jsonb_build_object(
         'value', jsonb_build_object('id', $2 || n, 'userId', 'somebody', 'issuer', 'i',
           'subject', 's' || n, 'sid', 'sid' || n, 'version', 1, 'padding', repeat('x', 300)),
         'expires', (extract(epoch from now()) * 1000)::bigint + $3)::text
       FROM generate_series(1, $1::int) AS n`,
      [count, prefix, endsInMs],
    )
  }
  const sweepAll = async (store: SessionStore): Promise<number> => {
    let total = 0
    for (let swept = BATCH; swept > 0; total += swept) swept = await store.sweep(BATCH)
    return total
  }
  const size = async (): Promise<number> => {
    const { rows } = await pools[0]!.query<{ bytes: string }>(
      `SELECT pg_total_relation_size('auth_keyv') AS bytes`,
    )
    return Number(rows[0]!.bytes)
  }

  it(`${CHURN} come and go: two processes sweep each once, and the table stays as large as one round`, async () => {
    const perRound = CHURN / ROUNDS
    const sizes: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      await insert(perRound, `dead-${round}-`, -1)
      sizes.push(await size())
      const swept = await Promise.all(stores.map(sweepAll))
      expect(swept[0]! + swept[1]!).toBe(perRound)
      // Both deleted rows: neither waited for locks of the other.
      expect(Math.min(...swept)).toBeGreaterThan(0)
      // Replaces autovacuum, which is off in tests.
      await pools[0]!.query('VACUUM auth_keyv')
    }
    expect(await stores[0]!.count()).toBe(100)
    expect(Math.max(...sizes)).toBeLessThan(1.5 * sizes[0]!)
  })

  it('rows that one process is deleting do not block the other', async () => {
    await insert(10, 'held-', -1)
    const client = await pools[0]!.connect()
    try {
      await client.query('BEGIN')
      await client.query(
        `SELECT key FROM auth_keyv WHERE key LIKE 'session:held-%' ORDER BY key LIMIT 4 FOR UPDATE`,
      )
      expect(await stores[1]!.sweep(BATCH)).toBe(6)
      expect(await stores[1]!.sweep(BATCH)).toBe(0)
      await client.query('ROLLBACK')
    } finally {
      client.release()
    }
    expect(await stores[1]!.sweep(BATCH)).toBe(4)
  })
})
