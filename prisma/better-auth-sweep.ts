import type pg from 'pg'
import { storeCall } from './unavailable.js'

/** Processes whose clocks differ a little still extend a session until then. */
const GRACE = `interval '1 minute'`

/** Deletes up to `limit` expired sessions and verifications of better-auth each; returns how many. */
export function sweepBetterAuth(pool: pg.Pool, limit: number): Promise<number> {
  return storeCall(async () => {
    let deleted = 0
    for (const table of ['auth_sessions', 'auth_verifications']) {
      const { rowCount } = await pool.query(
        `DELETE FROM ${table} WHERE id IN (
           SELECT id FROM ${table} WHERE expires_at <= now() - ${GRACE}
           ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
        [limit],
      )
      deleted += rowCount ?? 0
    }
    return deleted
  })
}
