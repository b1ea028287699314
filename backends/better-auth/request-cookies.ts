import { type AuthnRequest, singleCookie } from '@netscript/plugin-auth-core'
import type { BetterAuthInstance } from './context.js'

/** The cookies of a request that better-auth may see: only its own. */
export interface RequestCookies {
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
