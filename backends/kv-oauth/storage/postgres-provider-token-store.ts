import type { PostgresPool } from '@netscript/auth-database'
import { queryPrepared, storeCall } from '@netscript/auth-database/internal'
import type { Keyring } from '@netscript/plugin-auth-core'
import type { ProviderTokens, ProviderTokenStore } from '../session-store.js'
import { openTokens, type SealedTokens, sealTokens } from './sealed-tokens.js'

const TABLE = 'auth_provider_tokens'
const COLUMNS = 'access_token, refresh_token, id_token'

/**
 * Creates a store for provider tokens in a separate table. Each token is sealed for its session and
 * field. The row references the row of the session and is deleted with it.
 */
export function createPostgresProviderTokenStore(
  pool: PostgresPool,
  keyring: Keyring,
): ProviderTokenStore {
  const sessionKey = (id: string): string => `session:${id}`
  const sealAll = (id: string, tokens: ProviderTokens): (string | null)[] => {
    const sealed = sealTokens(keyring, id, tokens)
    return [sealed.access_token, sealed.refresh_token, sealed.id_token]
  }

  return {
    save: (id, tokens) =>
      storeCall(async () => {
        await queryPrepared(pool, {
          name: 'auth_provider_tokens_save',
          // Locks the session, or the foreign key fails if the session ends concurrently.
          text: `INSERT INTO ${TABLE} (session_key, ${COLUMNS}, updated_at)
             SELECT key, $2, $3, $4, now() FROM auth_keyv WHERE key = $1 FOR KEY SHARE`,
          values: [sessionKey(id), ...sealAll(id, tokens)],
        })
      }),
    read: (id) =>
      storeCall(async () => {
        const { rows } = await pool.query<SealedTokens>(
          `SELECT ${COLUMNS} FROM ${TABLE} WHERE session_key = $1`,
          [sessionKey(id)],
        )
        return rows[0] && openTokens(keyring, id, rows[0])
      }),
    lease: (id, ttlMs) =>
      storeCall(async () => {
        const { rows } = await pool.query<SealedTokens & { abandoned: boolean }>(
          `WITH held AS (
             SELECT session_key AS key, lease_until AS previous FROM ${TABLE}
             WHERE session_key = $1 AND (lease_until IS NULL OR lease_until < now())
             FOR UPDATE)
           UPDATE ${TABLE} SET lease_until = now() + $2 * interval '1 millisecond'
           FROM held WHERE session_key = held.key
           RETURNING ${COLUMNS}, held.previous IS NOT NULL AS abandoned`,
          [sessionKey(id), ttlMs],
        )
        const [row] = rows
        return row && { ...openTokens(keyring, id, row), abandoned: row.abandoned }
      }),
    replace: (id, tokens) =>
      storeCall(async () => {
        const { rowCount } = await pool.query(
          `UPDATE ${TABLE} SET access_token = $2, refresh_token = $3, id_token = $4,
             lease_until = NULL, updated_at = now()
           WHERE session_key = $1`,
          [sessionKey(id), ...sealAll(id, tokens)],
        )
        return rowCount === 1
      }),
    release: (id) =>
      storeCall(async () => {
        await pool.query(`UPDATE ${TABLE} SET lease_until = NULL WHERE session_key = $1`, [
          sessionKey(id),
        ])
      }),
  }
}
