import type {
  AuthSession,
  RevokedResponse,
  SessionsQuery,
  SessionsResponse,
} from '@netscript/auth-contract'
import {
  AuthBackendOperationUnsupportedError,
  type AuthBackendPort,
  AuthError,
  type AuthnRequest,
} from '@netscript/plugin-auth-core'
import { ok, type Reply } from '../reply.js'
import { type HandlerContext, unsupported } from './context.js'
import { requireSignedIn } from './session.js'

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
