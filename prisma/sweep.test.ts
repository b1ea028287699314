import type { PostgresPool } from './postgres-pool.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPostgresSessionStore } from '../backends/kv-oauth/storage/postgres-session-store.js'
import { createPool } from './pool.js'
import { sweepRateLimits } from './postgres-rate-limit-store.js'
import { sweepBetterAuth } from './sweep.js'
import { createTestDatabase, type TestDatabase } from './test-database.js'

const EXPIRED = `now() - interval '1 hour'`

/** The tables with expired rows: how to insert the row `$1`, the primary key, and what sweeps them. */
const SWEPT: [string, string, string, (pool: PostgresPool) => Promise<number>][] = [
  [
    'auth_keyv',
    'key',
    `INSERT INTO auth_keyv (key, value) VALUES ('session:' || $1, json_build_object(
       'value', json_build_object('id', $1::text), 'expires', 1)::text)`,
    (pool) => createPostgresSessionStore(pool).sweep(10),
  ],
  [
    'auth_rate_limits',
    'key',
    `INSERT INTO auth_rate_limits (key, hits, reset_at) VALUES ($1, 1, ${EXPIRED})`,
    (pool) => sweepRateLimits(pool, 10),
  ],
  [
    'auth_sessions',
    'id',
    `INSERT INTO auth_sessions (id, token, user_id, expires_at) VALUES ($1, $1, 'ada', ${EXPIRED})`,
    (pool) => sweepBetterAuth(pool, 10),
  ],
  [
    'auth_verifications',
    'id',
    `INSERT INTO auth_verifications (id, identifier, value, expires_at)
     VALUES ($1, $1, '', ${EXPIRED})`,
    (pool) => sweepBetterAuth(pool, 10),
  ],
]

describe('a sweep', () => {
  let database: TestDatabase
  let pool: PostgresPool
  beforeAll(async () => {
    database = await createTestDatabase()
    pool = createPool(database.url)
    await pool.query(
      `INSERT INTO better_auth_users (id, name, email) VALUES ('ada', 'Ada', 'ada@example.com')`,
    )
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  it.each(SWEPT)(
    'deletes the expired rows of %s without waiting for one that another process has locked',
    async (table, key, insert, sweep) => {
      for (const name of ['a', 'b', 'c']) await pool.query(insert, [name])
      const other = await pool.connect()
      try {
        await other.query('BEGIN')
        await other.query(`SELECT FROM ${table} WHERE ${key} LIKE '%a' FOR UPDATE`)
        expect(await sweep(pool)).toBe(2)
        await other.query('ROLLBACK')
      } finally {
        other.release(true)
      }
      expect(await sweep(pool)).toBe(1)
      expect((await pool.query(`SELECT FROM ${table}`)).rowCount).toBe(0)
    },
  )
})
