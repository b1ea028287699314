import type pg from 'pg'
import { type Keyring, seal, unseal } from '../keyring.js'
import type { ProviderTokens, ProviderTokenStore } from '../session-store.js'
import { storeCall } from './unavailable.js'

const TABLE = 'auth_provider_tokens'
const COLUMNS = 'access_token, refresh_token, id_token'

interface TokenRow {
  access_token: string | null
  refresh_token: string | null
  id_token: string | null
}

/**
 * The provider's tokens in a table of their own. Each is sealed for its session and its field; the
 * row refers to the session's row and is deleted with it.
 */
export function createPostgresProviderTokenStore(
  pool: pg.Pool,
  keyring: Keyring,
): ProviderTokenStore {
  const sessionKey = (id: string): string => `session:${id}`
  const sealField = (
    id: string,
    field: keyof TokenRow,
    token: string | undefined,
  ): string | null =>
    token === undefined ? null : seal(keyring, 'provider-tokens', `${id}:${field}`, token)
  const openField = (id: string, field: keyof TokenRow, row: TokenRow): string | undefined => {
    const sealed = row[field]
    return sealed === null
      ? undefined
      : unseal(keyring, 'provider-tokens', `${id}:${field}`, sealed)
  }
  const sealAll = (id: string, tokens: ProviderTokens): (string | null)[] => [
    sealField(id, 'access_token', tokens.accessToken),
    sealField(id, 'refresh_token', tokens.refreshToken),
    sealField(id, 'id_token', tokens.idToken),
  ]
  const openAll = (id: string, row: TokenRow | undefined): ProviderTokens | undefined => {
    if (!row) return undefined
    const accessToken = openField(id, 'access_token', row)
    const refreshToken = openField(id, 'refresh_token', row)
    const idToken = openField(id, 'id_token', row)
    return {
      ...(accessToken !== undefined && { accessToken }),
      ...(refreshToken !== undefined && { refreshToken }),
      ...(idToken !== undefined && { idToken }),
    }
  }

  return {
    save: (id, tokens) =>
      storeCall(async () => {
        await pool.query({
          name: 'auth_provider_tokens_save',
          text: `INSERT INTO ${TABLE} (session_key, ${COLUMNS}, updated_at)
             SELECT key, $2, $3, $4, now() FROM auth_keyv WHERE key = $1`,
          values: [sessionKey(id), ...sealAll(id, tokens)],
        })
      }),
    read: (id) =>
      storeCall(async () => {
        const { rows } = await pool.query<TokenRow>(
          `SELECT ${COLUMNS} FROM ${TABLE} WHERE session_key = $1`,
          [sessionKey(id)],
        )
        return openAll(id, rows[0])
      }),
    lease: (id, ttlMs) =>
      storeCall(async () => {
        const { rows } = await pool.query<TokenRow & { abandoned: boolean }>(
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
        return row && { ...openAll(id, row), abandoned: row.abandoned }
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
