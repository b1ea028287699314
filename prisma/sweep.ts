import type { PostgresPool } from './postgres-pool.js'
import { storeCall } from './database-error.js'

/** Which rows to sweep. The names become part of the SQL, so they must be constants. */
interface Expired {
  readonly table: string
  /** The primary key. */
  readonly key: string
  /** The column with the expiry time. */
  readonly column: string
  /** Rows that expired before this instant are deleted. */
  readonly before: string
}

/**
 * Deletes up to `limit` expired rows, oldest first, skipping rows locked by another process.
 * Returns the number deleted.
 */
export function sweep(
  pool: PostgresPool,
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

/**
 * Grace period for clock skew: a process whose clock is behind may still extend a better-auth
 * session.
 */
const GRACE = `interval '1 minute'`

/**
 * Deletes up to `limit` expired better-auth sessions and up to `limit` verifications. Returns the
 * number deleted.
 */
export async function sweepBetterAuth(pool: PostgresPool, limit: number): Promise<number> {
  let deleted = 0
  for (const table of ['auth_sessions', 'auth_verifications']) {
    const expired = { table, key: 'id', column: 'expires_at', before: `now() - ${GRACE}` }
    deleted += await sweep(pool, expired, limit)
  }
  return deleted
}
