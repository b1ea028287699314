import { AuthBackendOperationUnsupportedError } from './errors.js'
import type { Operator } from './operator.js'
import type { AuthSessionsPort } from './port.js'

const unsupportedBy =
  (backend: string, reason: string) => (operation: string) => (): Promise<never> =>
    Promise.reject(new AuthBackendOperationUnsupportedError(backend, operation, reason))

/**
 * Implements the list and revoke operations of {@link AuthSessionsPort} for a backend without session
 * management: each throws `AuthBackendOperationUnsupportedError` with the reason. Declare the
 * capabilities `listSessions` and `revokeSessions` as false.
 *
 * @example
 * ```ts
 * const sessions = {
 *   ...noSessionManagement('mine', 'It keeps no list.'),
 *   signOut: async () => ({ setCookies: [] }),
 * }
 * ```
 */
export function noSessionManagement(
  backendName: string,
  reason: string,
): Omit<AuthSessionsPort, 'signOut'> {
  const unsupported = unsupportedBy(backendName, reason)
  return {
    listSessions: unsupported('listSessions'),
    revokeSession: unsupported('revokeSession'),
    revokeSessions: unsupported('revokeSessions'),
  }
}

/**
 * An operator without any operation: each throws `AuthBackendOperationUnsupportedError` with the
 * reason. Spread it and add the operations that the backend supports.
 *
 * @example
 * ```ts
 * import { type Operator, unsupportedOperator } from '@netscript/plugin-auth-core'
 *
 * const operator: Operator = {
 *   ...unsupportedOperator('mine', 'Users live in the directory. Use its console.'),
 *   listSessions: async () => ({ sessions: [] }),
 * }
 * ```
 */
export function unsupportedOperator(backend: string, reason: string): Operator {
  const unsupported = unsupportedBy(backend, reason)
  return {
    backend,
    findUsers: unsupported('finding users'),
    getUser: unsupported('showing a user'),
    listSessions: unsupported('listing the sessions of a user'),
    revokeSession: unsupported('revoking a session by its id'),
    revokeSessions: unsupported('revoking the sessions of a user'),
    disableUser: unsupported('disabling a user'),
    enableUser: unsupported('enabling a user'),
    deleteUser: unsupported('deleting a user'),
    addRoles: unsupported('giving roles to a user'),
    removeRoles: unsupported('taking roles from a user'),
  }
}
