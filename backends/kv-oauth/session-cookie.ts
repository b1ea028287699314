import {
  AuthConfigurationError,
  type AuthnRequest,
  type AuthSessionCryptoPort,
  singleCookie,
} from '@netscript/plugin-auth-core'
import type { OAuthProvider } from './provider.js'

/** Names and attributes of the flow's cookies. */
export interface CookiePolicy {
  /** @default `__Host-ns_session` */
  readonly sessionName: string
  /** @default true */
  readonly secure: boolean
}

/** The name of the session cookie unless another is configured. */
export const SESSION_COOKIE_NAME = '__Host-ns_session'

/**
 * The names of the flow's cookies and whether they are Secure.
 *
 * @throws AuthConfigurationError for a name that browsers or this service reject.
 */
export function cookiePolicy(
  {
    cookieName = SESSION_COOKIE_NAME,
    insecureCookies = false,
  }: { cookieName?: string | undefined; insecureCookies?: boolean | undefined },
  providers: ReadonlyMap<string, Pick<OAuthProvider, 'redirectUri'>>,
): CookiePolicy {
  const hostPrefix = cookieName.startsWith('__Host-')
  if (!hostPrefix && !insecureCookies) {
    throw new AuthConfigurationError(
      `The cookie name "${cookieName}" has no __Host- prefix. Use one that has (NETSCRIPT_AUTH_COOKIE_NAME), or set NETSCRIPT_AUTH_INSECURE_COOKIES=true on http://localhost.`,
    )
  }
  if (!/^[\w-]{1,64}$/.test(cookieName)) {
    throw new AuthConfigurationError(
      'NETSCRIPT_AUTH_COOKIE_NAME may have letters, digits, "-" and "_", 64 at most.',
    )
  }
  const https = [...providers.values()].every(({ redirectUri }) => redirectUri.startsWith('https:'))
  return { sessionName: cookieName, secure: hostPrefix || https }
}

/** The session id in the signed cookie of the request; the session may have ended. */
export function sessionIdOf(
  { cookies, crypto }: { readonly cookies: CookiePolicy; readonly crypto: AuthSessionCryptoPort },
  request: AuthnRequest,
): string | undefined {
  const token = singleCookie(request, cookies.sessionName)
  return token === undefined ? undefined : crypto.openSessionToken(token)
}
