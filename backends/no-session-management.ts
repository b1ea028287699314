import { AuthBackendOperationUnsupportedError } from './errors.js'
import type { AuthSessionsPort } from './port.js'

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
  const unsupported = (operation: string) => (): Promise<never> =>
    Promise.reject(new AuthBackendOperationUnsupportedError(backendName, operation, reason))
  return {
    listSessions: unsupported('listSessions'),
    revokeSession: unsupported('revokeSession'),
    revokeSessions: unsupported('revokeSessions'),
  }
}
