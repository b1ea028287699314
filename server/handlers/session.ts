import type {
  AuthSession,
  MeResponse,
  RevokedResponse,
  SessionResponse,
  SessionsQuery,
  SessionsResponse,
} from '@netscript/auth-contract'
import {
  AuthBackendOperationUnsupportedError,
  type AuthBackendPort,
  AuthError,
  type AuthnRequest,
  type AuthnResult,
} from '@netscript/plugin-auth-core'
import { ok, type Reply } from '../engine/message.js'
import { type HandlerContext, unsupported } from './context.js'

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

/** GET /sessions: one page of the caller's sessions. */
export async function listSessions(
  context: HandlerContext,
  request: AuthnRequest,
  query: SessionsQuery,
): Promise<Reply<200, SessionsResponse>> {
  const { session: current, setCookies } = await requireSignedIn(context, request)
  return ok(await sessionsBeside(current, context.backend, query), setCookies)
}

/** One page of the sessions of a session's owner. */
export async function sessionsBeside(
  current: AuthSession,
  { sessions }: AuthBackendPort,
  { limit, cursor }: SessionsQuery,
): Promise<SessionsResponse> {
  const page = await supported(() =>
    sessions.listSessions(current.userId, {
      ...(limit !== undefined && { limit }),
      ...(cursor !== undefined && { cursor }),
    }),
  )
  return {
    sessions: page.sessions.map(({ session, userAgent }) => ({
      session,
      current: session.id === current.id,
      ...(userAgent !== undefined && { userAgent }),
    })),
    ...(page.cursor !== undefined && { cursor: page.cursor }),
  }
}

/** DELETE /sessions/:id: ends one of the caller's sessions; the current one ends as with POST /signout. */
export async function revokeSession(
  context: HandlerContext,
  request: AuthnRequest,
  id: string,
): Promise<Reply<200, RevokedResponse>> {
  const { session, setCookies } = await requireSignedIn(context, request)
  if (id === session.id) {
    const result = await context.backend.sessions.signOut(request, { everywhere: false })
    return ok({ revoked: 1 }, result.setCookies)
  }
  const { sessions } = context.backend
  if (await supported(() => sessions.revokeSession(session.userId, id))) {
    return ok({ revoked: 1 }, setCookies)
  }
  throw new AuthError('NOT_FOUND', 'You have no session with this id. See GET /sessions.')
}

/** DELETE /sessions: ends all of the caller's sessions except the current one. */
export async function revokeOtherSessions(
  context: HandlerContext,
  request: AuthnRequest,
): Promise<Reply<200, RevokedResponse>> {
  const { session, setCookies } = await requireSignedIn(context, request)
  const { sessions } = context.backend
  const revoked = await supported(() =>
    sessions.revokeSessions(session.userId, { except: session.id }),
  )
  return ok({ revoked }, setCookies)
}

async function supported<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    throw cause instanceof AuthBackendOperationUnsupportedError ? unsupported(cause) : cause
  }
}
