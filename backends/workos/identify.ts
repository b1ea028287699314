import { type AnonymousReason, type AuthnRequest, singleCookie } from '@netscript/plugin-auth-core'
import type { AccessTokenClaims, AccessTokenVerifier } from './access-token.js'
import type { UserManagement } from './client.js'
import type { WorkosSettings } from './options.js'
import type { SessionRefresher } from './refresh.js'
import { openSealedSession, type SealedSession, type SessionCookie } from './session-cookie.js'

/**
 * The sessions that this process has ended. An access token stays valid until it expires, even if
 * WorkOS has ended its session. This list makes a sign-out effective immediately in this process; in
 * others it takes effect minutes later, when the token expires and its refresh is refused.
 */
interface EndedSessions {
  add(sessionId: string): void
  has(sessionId: string): boolean
}

/** Longer than the lifetime of any access token. */
const KEPT_MS = 24 * 60 * 60 * 1000
const MOST = 50_000

export function createEndedSessions(now: () => number = Date.now): EndedSessions {
  const endedAt = new Map<string, number>()
  return {
    add(sessionId) {
      endedAt.delete(sessionId)
      endedAt.set(sessionId, now())
      for (const [oldest, at] of endedAt) {
        if (endedAt.size <= MOST && now() - at < KEPT_MS) break
        endedAt.delete(oldest)
      }
    },
    has: (sessionId) => endedAt.has(sessionId),
  }
}

/** The shared parts of this backend. */
export interface WorkosContext {
  readonly settings: WorkosSettings
  readonly userManagement: UserManagement
  readonly verifier: AccessTokenVerifier
  readonly refresher: SessionRefresher
  readonly cookie: SessionCookie
  readonly ended: EndedSessions
}

/** The caller according to the credentials, before any refresh. */
export type Identified =
  | { readonly by: 'bearer'; readonly claims: AccessTokenClaims }
  | {
      readonly by: 'cookie'
      readonly claims: AccessTokenClaims
      readonly expired: boolean
      readonly session: SealedSession
      readonly sealed: string
    }
  | { readonly by: 'nothing'; readonly reason: AnonymousReason; readonly code?: string }

const nothing = (reason: AnonymousReason, code?: string): Identified => ({
  by: 'nothing',
  reason,
  ...(code !== undefined && { code }),
})

/**
 * Identifies the caller of a request. A cookie and a bearer token must belong to the same session:
 * two different callers in one request are refused, not guessed.
 *
 * @throws AuthError `STORE_UNAVAILABLE` when the keys of WorkOS are unavailable.
 */
export async function identify(context: WorkosContext, request: AuthnRequest): Promise<Identified> {
  const credentials = readCredentials(request, context.settings.cookieName)
  if (credentials.malformed) return nothing('credential-invalid', 'MALFORMED_AUTHORIZATION')
  const bearer = await fromBearer(context, credentials)
  if (bearer?.by === 'nothing') return bearer
  const cookie = await fromCookie(context, credentials)
  if (!bearer || !cookie) return bearer ?? cookie ?? nothing('credential-missing')
  if (cookie.by === 'nothing') return cookie
  const { sub, sid } = bearer.claims
  return sub === cookie.claims.sub && sid === cookie.claims.sid
    ? cookie
    : nothing('credential-invalid', 'TWO_CREDENTIALS')
}

async function fromBearer(
  { verifier }: WorkosContext,
  { bearer }: Credentials,
): Promise<Identified | undefined> {
  if (bearer === undefined) return undefined
  const check = await verifier.verify(bearer)
  if (check.status === 'invalid') return nothing('credential-invalid', check.code)
  return check.status === 'valid'
    ? { by: 'bearer', claims: check.claims }
    : nothing('session-expired')
}

async function fromCookie(
  { settings, userManagement, verifier }: WorkosContext,
  { sealed }: Credentials,
): Promise<Identified | undefined> {
  if (sealed === undefined) return undefined
  const session = await openSealedSession(userManagement, settings.cookiePassword, sealed)
  if (!session) return nothing('credential-invalid', 'SEAL_BROKEN')
  const check = await verifier.verify(session.accessToken, { sealed: true })
  if (check.status === 'invalid') return nothing('credential-invalid', check.code)
  const { claims, status } = check
  if (claims.sub !== session.user.id) return nothing('credential-invalid', 'TWO_USERS')
  return { by: 'cookie', claims, expired: status === 'expired', session, sealed }
}

/** The credentials of a request. */
interface Credentials {
  /** The sealed session; absent without a cookie, or when it was sent more than once. */
  readonly sealed?: string
  readonly bearer?: string
  /** Whether the `Authorization` header is malformed. */
  readonly malformed: boolean
}

/** RFC 9110 section 11.4, with the token68 form of RFC 6750 section 2.1. */
const BEARER = /^Bearer +([\w.~+/-]+=*)$/i
const OTHER_SCHEME = /^(?!Bearer\b)[\w!#$%&'*+.^`|~-]+ +\S/i

/**
 * Reads the credentials of a request. Other `Authorization` schemes are ignored: a proxy with its own
 * password may forward its header.
 */
function readCredentials(request: AuthnRequest, cookieName: string): Credentials {
  const header = request.header('authorization')?.trim() || undefined
  const bearer = header === undefined ? undefined : BEARER.exec(header)?.[1]
  const sealed = singleCookie(request, cookieName)
  return {
    malformed: header !== undefined && bearer === undefined && !OTHER_SCHEME.test(header),
    ...(bearer !== undefined && { bearer }),
    ...(sealed && { sealed: decoded(sealed) }),
  }
}

/** Some libraries percent-encode cookie values. A sealed session never contains `%`. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
