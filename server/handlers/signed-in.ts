import { AuthError, type AuthnRequest, type AuthnResult } from '@netscript/plugin-auth-core'
import type { HandlerContext } from './context.js'

/**
 * Returns the caller's session.
 * @throws AuthError `UNAUTHORIZED`
 */
export async function requireSignedIn(
  { backend }: HandlerContext,
  request: AuthnRequest,
  detail = 'Sign in first.',
): Promise<Extract<AuthnResult, { ok: true }>> {
  const result = await backend.authenticate(request)
  if (result.ok) return result
  throw new AuthError('UNAUTHORIZED', detail, { setCookies: result.setCookies })
}
