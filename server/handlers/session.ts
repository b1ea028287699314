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

/** Maximum seconds since the sign-in for the sensitive routes of this API. */
const RECENT_SECONDS = 300

/**
 * Returns the caller's session if the user signed in within the last five minutes: by `authTime`, or
 * by the start of the session where the provider does not say when it authenticated the user.
 * @throws AuthError `UNAUTHORIZED`, `AUTH_RECENT_SIGN_IN_REQUIRED`
 */
export async function requireRecentSignIn(
  context: HandlerContext,
  request: AuthnRequest,
): Promise<Extract<AuthnResult, { ok: true }>> {
  const result = await requireSignedIn(context, request)
  const { authTime, issuedAt, providerId } = result.session
  if (Date.now() - Date.parse(authTime ?? issuedAt) <= RECENT_SECONDS * 1000) return result
  const provider = providerId && context.backend.providers.getProvider(providerId)
  throw new AuthError(
    'AUTH_RECENT_SIGN_IN_REQUIRED',
    'Sign in again with POST /signin and the body in data.signin, then repeat the request.',
    {
      setCookies: result.setCookies,
      data: {
        maxAge: RECENT_SECONDS,
        signin: {
          ...(provider && { providerId: provider.id }),
          ...(provider && provider.stepUp && { maxAge: RECENT_SECONDS }),
        },
      },
    },
  )
}
