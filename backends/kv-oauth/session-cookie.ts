import { type AuthnRequest, singleCookie } from '@netscript/plugin-auth-core'
import type { KvOAuthContext } from './context.js'

/** The id of the session that the request's cookie was signed for, live or not. */
export function sessionIdOf(
  { cookies, crypto }: Pick<KvOAuthContext, 'cookies' | 'crypto'>,
  request: AuthnRequest,
): string | undefined {
  const token = singleCookie(request, cookies.sessionName)
  return token === undefined ? undefined : crypto.openSessionToken(token)
}
