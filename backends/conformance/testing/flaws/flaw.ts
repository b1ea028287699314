import { mapSessionToPrincipal } from '@netscript/auth-contract'
import type { AuthBackendPort, AuthnResult } from '../../../port.js'
import type { AuthnRequest } from '../../../request.js'
import type { AuthBackendHarness } from '../../harness.js'
import type { MemorySession } from '../memory-store.js'
import type { BackendChange } from '../memory-harness.js'

/** A faulty backend, and the check that must detect the fault. */
export interface Flaw {
  /** The id of the check. */
  readonly check: string
  /** The fault as a phrase. */
  readonly flaw: string
  /** Matches the message of the check, so that it does not fail for another reason. */
  readonly because: RegExp
  readonly change: BackendChange
  /** Changes that the harness needs. */
  readonly harness?: (harness: AuthBackendHarness) => Partial<AuthBackendHarness>
}

type Authenticate = AuthBackendPort['authenticate']

/** A backend with another `authenticate`. */
export const authenticating =
  (
    make: (authenticate: Authenticate, ...rest: Parameters<BackendChange>) => Authenticate,
  ): BackendChange =>
  (backend, store) => ({
    authenticate: make((request) => backend.authenticate(request), backend, store),
  })

/** A backend that changes the result for authenticated users. */
export const describing = (
  describe: (known: Extract<AuthnResult, { ok: true }>) => object,
): BackendChange =>
  authenticating((authenticate) => async (request) => {
    const result = await authenticate(request)
    return result.ok ? { ...result, ...describe(result) } : result
  })

/** A backend with another sessions port. */
export const managing =
  (
    make: (
      sessions: AuthBackendPort['sessions'],
      ...rest: Parameters<BackendChange>
    ) => Partial<AuthBackendPort['sessions']>,
  ): BackendChange =>
  (backend, store) => ({
    sessions: { ...backend.sessions, ...make(backend.sessions, backend, store) },
  })

/** A backend with other capabilities. */
export const claiming =
  (capabilities: Partial<AuthBackendPort['capabilities']>): BackendChange =>
  ({ capabilities: known }) => ({ capabilities: { ...known, ...capabilities } })

/** A result that is always signed in as this user. */
export function signedInAs({ session, user }: MemorySession): AuthnResult {
  const principal = mapSessionToPrincipal(session)
  return { ok: true, session, user, principal, setCookies: [] }
}

/** A user who never signed in. */
export function guest(): AuthnResult {
  const now = new Date().toISOString()
  const claims = { scopes: [], roles: [], claims: {} }
  const ids = { id: 'guest', userId: 'guest', subject: 'guest' }
  return signedInAs({
    session: { ...ids, ...claims, state: 'active', issuedAt: now, expiresAt: now },
    user: { id: 'guest' },
  })
}

/** The request with other values for cookies. */
export const withCookies = (
  request: AuthnRequest,
  cookies: (name: string) => readonly string[],
): AuthnRequest => ({ ...request, cookies })

/** Lets all pending work run first. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
