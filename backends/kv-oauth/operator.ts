import type { PostgresPool } from '@netscript/auth-database'
import { assertSchemaIsRead } from '@netscript/auth-database/internal'
import { AuthError, type Operator } from '@netscript/plugin-auth-core'
import { validRoles } from './roles.js'
import type { AuthStores, KvOAuthStores } from './session-store.js'
import { createPostgresStores, openStores as openAll, type StoreOptions } from './storage/stores.js'
import { createUserDirectory } from '@netscript/auth-database/internal'
import { listSessions } from './sessions.js'

/**
 * Opens the stores of a backend, for {@link createOperator}. The Redis library is loaded only if needed.
 *
 * @throws AuthConfigurationError when `sessionStore` is not a valid Redis URL; AuthError
 * `STORE_UNAVAILABLE` when Redis is unavailable.
 *
 * @example
 * ```ts
 * const stores = await openStores({ pool, sessionStore: 'redis://localhost:6379' })
 * const operator = createOperator(pool, stores)
 * ```
 */
export const openStores: (options: StoreOptions) => Promise<AuthStores> = openAll

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
export function createOperator(pool: PostgresPool, stores?: AuthStores): Operator {
  assertSchemaIsRead(pool)
  // All that `openStores` returns are these.
  const { sessions, users } = (stores as KvOAuthStores | undefined) ?? createPostgresStores(pool)
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
