import type { PostgresPool } from '@netscript/auth-database'
import {
  assertSchemaIsRead,
  createUserDirectory,
  endEventType,
  inTransaction,
  milliseconds,
  storeCall,
} from '@netscript/auth-database/internal'
import { type Operator, type SessionEnd, unsupportedOperator } from '@netscript/plugin-auth-core'
import { pageOf, sessionRange } from '@netscript/plugin-auth-core/internal'
import { insertEvents } from './audit.js'
import { parseSessionRow, parseUserRow, positionOf, summaryOf } from './session-mapping.js'

const SESSIONS = `SELECT id, user_id AS "userId", ${milliseconds('created_at')} AS "createdAt",
    ${milliseconds('updated_at')} AS "updatedAt", ${milliseconds('expires_at')} AS "expiresAt",
    user_agent AS "userAgent"
  FROM auth_sessions WHERE user_id = $1 AND expires_at > now()
    AND ($2::timestamptz IS NULL OR (created_at, id COLLATE "C") < ($2, $3::text))
  ORDER BY created_at DESC, id COLLATE "C" DESC LIMIT $4`

const BETTER_AUTH_USERS = {
  users: 'better_auth_users',
  name: 'name',
  accounts: 'better_auth_accounts',
  subject: 'account_id',
}

/**
 * Creates the operator of the better-auth backend, which uses its database. Changes take effect in
 * every process with the next request. Hooks of better-auth do not run: they run in the service only.
 *
 * @throws AuthError `STORE_UNAVAILABLE` from every method.
 *
 * @example
 * ```ts
 * const operator = createBetterAuthOperator(createPool(getRequiredEnv('DATABASE_URL')))
 * await operator.disableUser('user-id')
 * ```
 */
export function createBetterAuthOperator(pool: PostgresPool): Operator {
  assertSchemaIsRead(pool)
  const query = (text: string, values: unknown[]) => storeCall(() => pool.query(text, values))
  const rowsChanged = async (text: string, id: string): Promise<number> =>
    isId(id) ? ((await query(text, [id])).rowCount ?? 0) : 0
  const revokeSessions = (userId: string): Promise<number> =>
    rowsChanged(endSessions('user_id = $1', 'revoked-by-operator'), userId)
  const directory = createUserDirectory(pool, BETTER_AUTH_USERS)
  return {
    ...unsupportedOperator(
      'better-auth',
      'Its sessions have no roles. Decide on roles in your service, by the user id.',
    ),
    findUsers: (search) => directory.find(search),
    getUser: (userId) => directory.get(userId),
    async listSessions(userId, options) {
      const { limit, after } = sessionRange(options)
      const user = await directory.get(userId)
      if (!user) return { sessions: [] }
      const begin = after && new Date(after.issuedAt)
      const { rows } = await query(SESSIONS, [userId, begin, after?.id, limit + 1])
      return pageOf(rows.map(parseSessionRow), limit, positionOf, (session) =>
        summaryOf({ session, user: parseUserRow({ id: userId }) }),
      )
    },
    revokeSession: async (id) =>
      (await rowsChanged(endSessions('id = $1', 'revoked-by-operator'), id)) > 0,
    revokeSessions,
    async disableUser(userId) {
      const disable = `UPDATE better_auth_users SET disabled_at = coalesce(disabled_at, now()) WHERE id = $1`
      // Disable first: a session that starts meanwhile is then refused, or deleted below.
      if ((await rowsChanged(disable, userId)) === 0) return false
      await rowsChanged(endSessions('user_id = $1', 'user-disabled'), userId)
      return true
    },
    enableUser: async (userId) =>
      (await rowsChanged('UPDATE better_auth_users SET disabled_at = NULL WHERE id = $1', userId)) >
      0,
    async deleteUser(userId) {
      if (!isId(userId)) return false
      return storeCall(() =>
        inTransaction(pool, async (connection) => {
          // Locks the user, so that no session can start and be deleted without an audit event.
          await connection.query('SELECT FROM better_auth_users WHERE id = $1 FOR UPDATE', [userId])
          await connection.query(endSessions('user_id = $1', 'user-deleted'), [userId])
          const deletion = 'DELETE FROM better_auth_users WHERE id = $1'
          return (await connection.query(deletion, [userId])).rowCount === 1
        }),
      )
    },
  }
}

/** SQL that deletes the live sessions matching a condition on $1, with an audit event for each. */
const endSessions = (condition: string, end: SessionEnd): string =>
  `WITH ended AS (
     DELETE FROM auth_sessions WHERE id = ANY(ARRAY(
       SELECT id FROM auth_sessions WHERE ${condition} AND expires_at > now()
       ORDER BY id FOR UPDATE))
     RETURNING id, audit_subject)
   ${insertEvents('ended', `'${endEventType(end)}'`, `'${end}'`)}`

/** Postgres rejects NUL in text, and no id contains it. */
const isId = (text: string): boolean => !text.includes('\0')
