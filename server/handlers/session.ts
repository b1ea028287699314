import type { MeResponse, SessionResponse } from '@netscript/auth-contract'
import type { AuthnRequest } from '@netscript/plugin-auth-core'
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
