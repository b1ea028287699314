import type { MeResponse, SessionResponse } from '@netscript/auth-contract'
import { AuthError, type AuthnRequest, type AuthnResult } from '@netscript/plugin-auth-core'
import { ok, type Reply } from '../reply.js'
import type { HandlerContext } from './context.js'

/** GET /session: the session of the caller. */
export async function session(
  { backend }: HandlerContext,
  request: AuthnRequest,
): Promise<Reply<200, SessionResponse>> {
  const result = await backend.authenticate(request)
  return ok(
    result.ok ? { authenticated: true, session: result.session } : { authenticated: false },
    result.setCookies,
  )
}

/** GET /me: the caller. */
export async function me(
  { backend }: HandlerContext,
  request: AuthnRequest,
): Promise<Reply<200, MeResponse>> {
  const result = await backend.authenticate(request)
  return ok(
    result.ok
      ? { authenticated: true, user: result.user, session: result.session }
      : { authenticated: false },
    result.setCookies,
  )
}

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
