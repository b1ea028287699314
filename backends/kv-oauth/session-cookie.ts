import { type AuthnRequest, singleCookie } from '@netscript/plugin-auth-core'
import type { KvOAuthContext } from './context.js'

/** The session id in the signed cookie of the request; the session may have ended. */
export function sessionIdOf(
  { cookies, crypto }: Pick<KvOAuthContext, 'cookies' | 'crypto'>,
  request: AuthnRequest,
): string | undefined {
  const token = singleCookie(request, cookies.sessionName)
  return token === undefined ? undefined : crypto.openSessionToken(token)
}
