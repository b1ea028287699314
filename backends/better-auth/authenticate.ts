import { mapSessionToPrincipal } from '@netscript/auth-contract'
import {
  type AnonymousReason,
  AuthError,
  type AuthnRequest,
  type AuthnResult,
} from '@netscript/plugin-auth-core'
import type { BetterAuthInstance, WithHeaders } from './context.js'
import { databaseError } from './database-call.js'
import { requestCookies, type RequestCookies } from './request-cookies.js'
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
  let answer: WithHeaders
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
