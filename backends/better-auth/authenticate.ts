import { mapSessionToPrincipal } from '@netscript/auth-contract'
import {
  type AnonymousReason,
  AuthError,
  type AuthnRequest,
  type AuthnResult,
  singleCookie,
} from '@netscript/plugin-auth-core'
import type { BetterAuthInstance } from './context.js'
import { databaseError } from './database-call.js'
import { SessionAndUser, toAuthSession, toAuthUser } from './session-mapping.js'

/** better-auth's response for a session cookie. */
type SessionAnswer = { readonly setCookies: readonly string[] } & (
  { readonly found: SessionAndUser } | { readonly found?: never; readonly reason: AnonymousReason }
)

/**
 * Authenticates a request through better-auth. A session used past its `updateAge` is extended; the
 * resulting cookies are passed on unchanged.
 */
export async function authenticate(
  auth: BetterAuthInstance,
  request: AuthnRequest,
): Promise<AuthnResult> {
  const answer = await readSession(auth, await requestCookies(auth, request))
  const { found, setCookies } = answer
  if (!found) return { ok: false, reason: answer.reason, setCookies }
  const session = toAuthSession(found)
  return {
    ok: true,
    session,
    user: toAuthUser(found.user),
    principal: mapSessionToPrincipal(session),
    setCookies,
  }
}

/**
 * The session of better-auth's cookies, if there is one.
 * @throws AuthError `STORE_UNAVAILABLE` when the database is unavailable, which is never reported
 * as unauthenticated.
 */
export async function readSession(
  auth: BetterAuthInstance,
  { headers, sessionCookie, sessionCookieName }: RequestCookies,
  options: { disableRefresh?: boolean } = {},
): Promise<SessionAnswer> {
  if (sessionCookie === 'absent') return { reason: 'credential-missing', setCookies: [] }
  if (sessionCookie === 'unusable') return { reason: 'credential-invalid', setCookies: [] }
  let answer: Awaited<ReturnType<BetterAuthInstance['api']['getSession']>>
  try {
    answer = await auth.api.getSession({
      headers,
      returnHeaders: true,
      ...(options.disableRefresh && { query: { disableRefresh: true } }),
    })
  } catch (error) {
    if (isRefusal(error)) return { reason: 'session-revoked', setCookies: [] }
    throw databaseError(error)
  }
  const setCookies = answer.headers.getSetCookie()
  if (answer.response === null) {
    // better-auth clears the cookie of an expired or revoked session, and ignores a cookie it did
    // not sign.
    const signed = setCookies.some((cookie) => cookie.startsWith(`${sessionCookieName}=`))
    return { reason: signed ? 'session-unknown' : 'credential-invalid', setCookies }
  }
  const parsed = SessionAndUser.safeParse(answer.response)
  if (parsed.success) return { found: parsed.data, setCookies }
  throw new AuthError('INTERNAL', 'A plugin of better-auth changed the shape of its sessions.', {
    cause: parsed.error,
  })
}

/**
 * better-auth responds 401 for a session that ended while it was being extended; plugins may respond
 * 403.
 */
function isRefusal(error: unknown): boolean {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  return status === 401 || status === 403
}

/** The cookies of a request that better-auth may see: only its own. */
interface RequestCookies {
  readonly headers: Headers
  /** State of the session cookie: absent, present, or malformed. */
  readonly sessionCookie: 'absent' | 'present' | 'unusable'
  readonly sessionCookieName: string
}

/**
 * RFC 6265 section 4.1.1: the characters of a cookie value; better-auth percent-encodes all others.
 */
const COOKIE_VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/

/** A token and its HMAC-SHA-256 in canonical base64 (RFC 4648 section 3.5). */
const SIGNED = /^[^.]+\.[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/

/**
 * Rebuilds the `Cookie` header from better-auth's own cookies. A duplicated cookie is dropped: an
 * attacker on a sibling domain may have planted one of them.
 */
export async function requestCookies(
  auth: BetterAuthInstance,
  request: AuthnRequest,
): Promise<RequestCookies> {
  const { authCookies, createAuthCookie } = await auth.$context
  const own = new Set(Object.values(authCookies).map(({ name }) => name))
  // Plugins name their cookies with the same prefix.
  const prefix = createAuthCookie('').name
  const pairs: string[] = []
  for (const name of request.cookieNames()) {
    if (!own.has(name) && !name.startsWith(prefix)) continue
    const value = singleCookie(request, name)
    if (value === undefined || !COOKIE_VALUE.test(value)) continue
    if (name === authCookies.sessionToken.name && !isSigned(value)) continue
    pairs.push(`${name}=${value}`)
  }
  const sessionCookieName = authCookies.sessionToken.name
  const sent = request.cookies(sessionCookieName).length
  const usable = pairs.some((pair) => pair.startsWith(`${sessionCookieName}=`))
  return {
    headers: new Headers(pairs.length > 0 ? { cookie: pairs.join('; ') } : {}),
    sessionCookie: sent === 0 ? 'absent' : usable ? 'present' : 'unusable',
    sessionCookieName,
  }
}

function isSigned(value: string): boolean {
  try {
    const decoded = decodeURIComponent(value)
    return SIGNED.test(decoded) && encodeURIComponent(decoded) === value
  } catch {
    return false
  }
}
