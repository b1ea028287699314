import { AuthError } from '../../backends/errors.js'
import type { AuthnResult } from '../../backends/port.js'
import type { AuthnRequest } from '../../backends/request.js'
import type { HandlerContext } from './context.js'

/**
 * The caller, who must be signed in.
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
