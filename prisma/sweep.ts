import type pg from 'pg'
import { storeCall } from './unavailable.js'

/** Rows to sweep; all of it is SQL of ours. */
export interface Expired {
  readonly table: string
  /** The primary key. */
  readonly key: string
  /** The column that says when a row ends. */
  readonly column: string
  /** The instant up to which rows have ended. */
  readonly before: string
}

/**
 * Deletes up to `limit` expired rows, the oldest first, and skips those that another process is
 * deleting; returns how many.
 */
export function sweep(
  pool: pg.Pool,
  { table, key, column, before }: Expired,
  limit: number,
): Promise<number> {
  return storeCall(async () => {
    const { rowCount } = await pool.query(
      `DELETE FROM ${table} WHERE ${key} IN (
         SELECT ${key} FROM ${table} WHERE ${column} <= ${before}
         ORDER BY ${column} LIMIT $1 FOR UPDATE SKIP LOCKED)`,
      [limit],
    )
    return rowCount ?? 0
  })
}

/** Processes whose clocks differ a little still extend a session of better-auth until then. */
const GRACE = `interval '1 minute'`

/** Deletes up to `limit` expired sessions and verifications of better-auth each; returns how many. */
export async function sweepBetterAuth(pool: pg.Pool, limit: number): Promise<number> {
  let deleted = 0
  for (const table of ['auth_sessions', 'auth_verifications']) {
    const expired = { table, key: 'id', column: 'expires_at', before: `now() - ${GRACE}` }
    deleted += await sweep(pool, expired, limit)
  }
  return deleted
}
