import { AuthBackendOperationUnsupportedError } from './errors.js'
import type { AuthSessionsPort } from './port.js'

/**
 * The part of {@link AuthSessionsPort} of a backend that keeps no list of sessions: each operation
 * throws `AuthBackendOperationUnsupportedError` with the reason. Its capabilities `listSessions` and
 * `revokeSessions` are false.
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
