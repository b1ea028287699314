import type { PostgresPool } from '@netscript/auth-database'
import { assertSchemaIsRead } from '@netscript/auth-database/internal'
import type { Operator } from '@netscript/plugin-auth-core'
import type { AuthStores } from './session-store.js'
import { createPostgresStores } from './storage/stores.js'
import { createUserDirectory } from '@netscript/auth-database/internal'
import { listSessions } from './list-sessions.js'

/**
 * Creates the operator of the kv-oauth backend, which uses its database. Changes take effect in every
 * process immediately and are recorded in the audit trail.
 *
 * @param stores The stores of the backend. With `NETSCRIPT_AUTH_SESSION_STORE` set, pass those of
 * `openStores`. @default all stores in the database of `pool`
 *
 * @throws AuthError `STORE_UNAVAILABLE` from every method.
 *
 * @example
 * ```ts
 * const operator = createOperator(createPool(getRequiredEnv('DATABASE_URL')))
 * const { users } = await operator.findUsers({ text: 'ada@example.com' })
 * for (const { id } of users) await operator.disableUser(id)
 * ```
 */
export function createOperator(
  pool: PostgresPool,
  { sessions, users }: Pick<AuthStores, 'sessions' | 'users'> = createPostgresStores(pool),
): Operator {
  assertSchemaIsRead(pool)
  const directory = createUserDirectory(pool)
  return {
    backend: 'kv-oauth',
    findUsers: (search) => directory.find(search),
    getUser: (userId) => directory.get(userId),
    listSessions: (userId, options) => listSessions(sessions, userId, options),
    revokeSession: async (id) => (await sessions.revoke(id, 'revoked-by-operator')) !== undefined,
    revokeSessions: (userId) => sessions.revokeByUser(userId, 'revoked-by-operator'),
    disableUser: (userId) => users.disable(userId),
    enableUser: (userId) => users.enable(userId),
    deleteUser: (userId) => users.delete(userId),
  }
}
