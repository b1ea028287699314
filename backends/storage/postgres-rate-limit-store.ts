import type { Store } from 'express-rate-limit'
import type pg from 'pg'
import { storeCall } from './unavailable.js'

const TABLE = 'auth_rate_limits'
const NOW = 'statement_timestamp()'

/** One statement a hit: two processes that count at the same moment wait for each other on the row. */
const HIT = `INSERT INTO ${TABLE} AS held (key, hits, reset_at)
  VALUES ($1, 1, ${NOW} + $2 * interval '1 millisecond')
  ON CONFLICT (key) DO UPDATE SET
    hits = CASE WHEN held.reset_at > ${NOW} THEN held.hits + 1 ELSE 1 END,
    reset_at = CASE WHEN held.reset_at > ${NOW} THEN held.reset_at ELSE excluded.reset_at END
  RETURNING hits, (extract(epoch from reset_at - ${NOW}) * 1000)::float8 AS "remainingMs"`

/** Options of {@link createPostgresRateLimitStore}. */
export interface PostgresRateLimitStoreOptions {
  pool: pg.Pool
  /** The length of the fixed window, in milliseconds; it begins with the first hit. */
  windowMs: number
}

/**
 * The counts of express-rate-limit in Postgres, shared by every process on the database. The
 * database's clock alone judges whether a window is over; `resetTime` is told in this process's, so
 * that the two may differ. Keys are stored as they are given: no address should be among them.
 *
 * Each method rejects with `AuthError` `STORE_UNAVAILABLE` when the database cannot be asked.
 */
export function createPostgresRateLimitStore({
  pool,
  windowMs,
}: PostgresRateLimitStoreOptions): Store {
  return {
    localKeys: false,
    increment: (key) =>
      storeCall(async () => {
        const { rows } = await pool.query<{ hits: number; remainingMs: number }>({
          name: 'auth_rate_limit_hit',
          text: HIT,
          values: [key, windowMs],
        })
        const [row] = rows
        if (!row) throw new Error('The hit was not counted.')
        return { totalHits: row.hits, resetTime: new Date(Date.now() + row.remainingMs) }
      }),
    decrement: (key) =>
      storeCall(async () => {
        await pool.query(`UPDATE ${TABLE} SET hits = hits - 1 WHERE key = $1 AND hits > 0`, [key])
      }),
    resetKey: (key) =>
      storeCall(async () => {
        await pool.query(`DELETE FROM ${TABLE} WHERE key = $1`, [key])
      }),
  }
}

/** Deletes up to `limit` counts whose window is over; returns how many. */
export function sweepRateLimits(pool: pg.Pool, limit: number): Promise<number> {
  return storeCall(async () => {
    const { rowCount } = await pool.query(
      `DELETE FROM ${TABLE} WHERE key IN (
         SELECT key FROM ${TABLE} WHERE reset_at <= ${NOW}
         ORDER BY reset_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
      [limit],
    )
    return rowCount ?? 0
  })
}
