import type { PostgresPool } from '@netscript/auth-database'
import { assertSchemaIsRead } from '@netscript/auth-database/internal'
import { AuthError, type Operator } from '@netscript/plugin-auth-core'
import { validRoles } from './roles.js'
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
    disableUser: async (userId) => isId(userId) && users.disable(userId),
    enableUser: async (userId) => isId(userId) && users.enable(userId),
    deleteUser: async (userId) => isId(userId) && users.delete(userId),
    addRoles: async (userId, roles) =>
      isId(userId) ? users.changeRoles(userId, { add: checkRoles(roles) }) : undefined,
    removeRoles: async (userId, roles) =>
      isId(userId) ? users.changeRoles(userId, { remove: roles }) : undefined,
  }
}

/** Postgres rejects NUL in text, and no id contains it. */
const isId = (text: string): boolean => !text.includes('\0')

/** @throws AuthError `VALIDATION_ERROR` for text that cannot be a role. */
function checkRoles(roles: readonly string[]): readonly string[] {
  const valid = validRoles(roles)
  if (valid.length === roles.length) return valid
  const detail =
    'A role has 1 to 256 characters, and no control characters. Give another name to the role.'
  throw new AuthError('VALIDATION_ERROR', detail, {
    data: { formErrors: [], fieldErrors: { roles: [detail] } },
  })
}
