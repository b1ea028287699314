import { mapSessionToPrincipal } from '@netscript/auth-contract'
import type { AuthBackendPort, AuthnResult } from '../../../port.js'
import type { AuthnRequest } from '../../../request.js'
import type { AuthBackendHarness } from '../../harness.js'
import type { MemorySession } from '../memory-store.js'
import type { BackendChange } from '../memory-harness.js'

/** One way to get a backend wrong, and the check that must notice. */
export interface Flaw {
  /** The id of the check. */
  readonly check: string
  /** What is wrong, for people. */
  readonly flaw: string
  /** What the check must complain about, so that it does not fail for another reason. */
  readonly because: RegExp
  readonly change: BackendChange
  /** What the harness has to be like for it. */
  readonly harness?: (harness: AuthBackendHarness) => Partial<AuthBackendHarness>
}

type Authenticate = AuthBackendPort['authenticate']

/** A backend whose `authenticate` is another. */
export const authenticating =
  (
    make: (authenticate: Authenticate, ...rest: Parameters<BackendChange>) => Authenticate,
  ): BackendChange =>
  (backend, store) => ({
    authenticate: make((request) => backend.authenticate(request), backend, store),
  })

/** A backend that says something else about those it knows. */
export const describing = (
  describe: (known: Extract<AuthnResult, { ok: true }>) => object,
): BackendChange =>
  authenticating((authenticate) => async (request) => {
    const result = await authenticate(request)
    return result.ok ? { ...result, ...describe(result) } : result
  })

/** A backend whose sessions port differs. */
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

/** A user who is signed in, whoever asks. */
export function signedInAs({ session, user }: MemorySession): AuthnResult {
  const principal = mapSessionToPrincipal(session)
  return { ok: true, session, user, principal, setCookies: [] }
}

/** A user whom nobody signed in. */
export function guest(): AuthnResult {
  const now = new Date().toISOString()
  const claims = { scopes: [], roles: [], claims: {} }
  const ids = { id: 'guest', userId: 'guest', subject: 'guest' }
  return signedInAs({
    session: { ...ids, ...claims, state: 'active', issuedAt: now, expiresAt: now },
    user: { id: 'guest' },
  })
}

/** The request with other cookies of a name. */
export const withCookies = (
  request: AuthnRequest,
  cookies: (name: string) => readonly string[],
): AuthnRequest => ({ ...request, cookies })

/** Lets everything go first that is ready to. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
