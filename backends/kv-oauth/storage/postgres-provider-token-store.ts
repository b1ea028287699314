import type { PostgresPool } from '@netscript/auth-database'
import { queryPrepared, storeCall } from '@netscript/auth-database/internal'
import type { Keyring } from '@netscript/plugin-auth-core'
import type { ProviderTokens, ProviderTokenStore } from '../session-store.js'
import {
  openTokens,
  ownerOf,
  sealTokens,
  type StoredTokens,
  type TokenOwner,
} from './sealed-tokens.js'

const SIGN_IN_TABLE = 'auth_provider_tokens'
const LINKED_TABLE = 'auth_linked_provider_tokens'
const COLUMNS = 'access_token, refresh_token, id_token, expires_at, scopes'
const READ = `access_token, refresh_token, id_token, scopes,
  (extract(epoch FROM expires_at) * 1000)::float8 AS expires_at`
/** What is written, from parameters $1 to $5. */
const VALUES = `$1, $2, $3, to_timestamp($4::float8 / 1000), $5`

const keyOf = ({ sessionId }: TokenOwner): string => `session:${sessionId}`

/** The row of an owner: its table and a condition on the parameters from `first` on. */
function rowOf(
  owner: TokenOwner,
  first: number,
): { table: string; condition: string; key: string[] } {
  const condition = `session_key = $${first}`
  return owner.linked === undefined
    ? { table: SIGN_IN_TABLE, condition, key: [keyOf(owner)] }
    : {
        table: LINKED_TABLE,
        condition: `${condition} AND provider_id = $${first + 1}`,
        key: [keyOf(owner), owner.linked],
      }
}

/**
 * Creates a store for provider tokens in tables of their own: one for those of sign-ins, one for those of
 * linked accounts. Each token is sealed for its session, provider and field. A row references the row of
 * the session and is deleted with it.
 */
export function createPostgresProviderTokenStore(
  pool: PostgresPool,
  keyring: Keyring,
): ProviderTokenStore {
  const valuesOf = (owner: TokenOwner, tokens: ProviderTokens): unknown[] => {
    const sealed = sealTokens(keyring, owner, tokens)
    return [
      ...[sealed.access_token, sealed.refresh_token, sealed.id_token],
      ...[tokens.expiresAt ?? null, tokens.scopes?.join(' ') ?? null],
    ]
  }

  return {
    save: (session, providerId, tokens) =>
      storeCall(async () => {
        const owner = ownerOf(session, providerId)
        const values = [...valuesOf(owner, tokens), keyOf(owner)]
        // Locks the session, or the foreign key fails if the session ends concurrently.
        const live = 'FROM auth_keyv WHERE key = $6 FOR KEY SHARE'
        await (owner.linked === undefined
          ? queryPrepared(pool, {
              name: 'auth_provider_tokens_save_2',
              text: `INSERT INTO ${SIGN_IN_TABLE} (${COLUMNS}, session_key, updated_at)
                SELECT ${VALUES}, key, now() ${live}`,
              values,
            })
          : pool.query(
              `INSERT INTO ${LINKED_TABLE} (${COLUMNS}, session_key, provider_id, updated_at)
               SELECT ${VALUES}, key, $7, now() ${live}
               ON CONFLICT (session_key, provider_id) DO UPDATE SET
                 (${COLUMNS}, updated_at, lease_until) = (${VALUES}, now(), NULL)`,
              [...values, owner.linked],
            ))
      }),
    read: (session, providerId) =>
      storeCall(async () => {
        const owner = ownerOf(session, providerId)
        const { table, condition, key } = rowOf(owner, 1)
        const { rows } = await pool.query<StoredTokens>(
          `SELECT ${READ} FROM ${table} WHERE ${condition}`,
          key,
        )
        return rows[0] && openTokens(keyring, owner, rows[0])
      }),
    readLinked: ({ id: sessionId }) =>
      storeCall(async () => {
        const { rows } = await pool.query<StoredTokens & { provider_id: string }>(
          `SELECT provider_id, ${READ} FROM ${LINKED_TABLE} WHERE session_key = $1`,
          [keyOf({ sessionId })],
        )
        return new Map(
          rows.map((row) => [
            row.provider_id,
            openTokens(keyring, { sessionId, linked: row.provider_id }, row),
          ]),
        )
      }),
    lease: (session, providerId, ttlMs) =>
      storeCall(async () => {
        const owner = ownerOf(session, providerId)
        const { table, condition, key } = rowOf(owner, 2)
        const { rows } = await pool.query<StoredTokens & { abandoned: boolean }>(
          `WITH held AS (
             SELECT session_key AS key, lease_until AS previous FROM ${table}
             WHERE ${condition} AND (lease_until IS NULL OR lease_until < now())
             FOR UPDATE)
           UPDATE ${table} SET lease_until = now() + $1 * interval '1 millisecond'
           FROM held WHERE ${condition} AND session_key = held.key
           RETURNING ${READ}, held.previous IS NOT NULL AS abandoned`,
          [ttlMs, ...key],
        )
        const [row] = rows
        return row && { ...openTokens(keyring, owner, row), abandoned: row.abandoned }
      }),
    replace: (session, providerId, tokens) =>
      storeCall(async () => {
        const owner = ownerOf(session, providerId)
        const { table, condition, key } = rowOf(owner, 6)
        // An account that was linked again has newer tokens, and its lease is released.
        const isHeld = owner.linked === undefined ? '' : 'AND lease_until IS NOT NULL'
        const { rowCount } = await pool.query(
          `UPDATE ${table} SET (${COLUMNS}, updated_at, lease_until) = (${VALUES}, now(), NULL)
           WHERE ${condition} ${isHeld}`,
          [...valuesOf(owner, tokens), ...key],
        )
        return rowCount === 1
      }),
    release: (session, providerId) =>
      storeCall(async () => {
        const { table, condition, key } = rowOf(ownerOf(session, providerId), 1)
        await pool.query(`UPDATE ${table} SET lease_until = NULL WHERE ${condition}`, key)
      }),
    forget: ({ id: sessionId }, providerId) =>
      storeCall(async () => {
        const { table, condition, key } = rowOf({ sessionId, linked: providerId }, 1)
        await pool.query(`DELETE FROM ${table} WHERE ${condition}`, key)
      }),
  }
}
