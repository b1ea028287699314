import type { Session } from '@workos-inc/node'
import { AuthError } from '../errors.js'
import { isoInstant } from '../instant.js'
import type { AuthSessionsPort, AuthSessionSummary, SignOutResult } from '../port.js'
import type { AuthnRequest } from '../request.js'
import { statusOf, workosFailed } from './client.js'
import { identify, type WorkosContext } from './identify.js'

/** The sessions as WorkOS keeps them. */
export function createWorkosSessions(context: WorkosContext): AuthSessionsPort {
  return {
    signOut: (request, options) => signOut(context, request, options),
    async listSessions(userId) {
      const sessions = await activeSessions(context, userId)
      return sessions.map(toSummary).sort(newestFirst)
    },
    async revokeSession(userId, sessionId) {
      const sessions = await activeSessions(context, userId)
      return has(sessions, sessionId) && endSession(context, userId, sessionId)
    },
    async revokeSessions(userId, { except } = {}) {
      const sessions = await activeSessions(context, userId)
      return endOthers(context, userId, sessions, except)
    },
  }
}

async function signOut(
  context: WorkosContext,
  request: AuthnRequest,
  { everywhere, returnTo }: { everywhere: boolean; returnTo?: string },
): Promise<SignOutResult> {
  const setCookies = context.cookie.clear()
  const caller = await identify(context, request).catch((error: unknown) => {
    const cause = error instanceof AuthError ? error.cause : error
    throw workosFailed('WorkOS does not answer, so the session was not ended. Try again.', cause)
  })
  if (caller.by === 'nothing') return { setCookies }
  const { sub: userId, sid: sessionId } = caller.claims
  const hasEnded = await endOwn(context, userId, sessionId, everywhere)
  const logoutUrl = context.userManagement.getLogoutUrl({
    sessionId,
    ...(returnTo !== undefined && URL.canParse(returnTo) && { returnTo }),
  })
  return { ...(hasEnded && { sessionId }), setCookies, logoutUrl }
}

/** False when the session was over: then it has no say about the others either. */
async function endOwn(
  context: WorkosContext,
  userId: string,
  sessionId: string,
  everywhere: boolean,
): Promise<boolean> {
  if (context.ended.has(sessionId)) return false
  if (everywhere) {
    const sessions = await activeSessions(context, userId)
    if (!has(sessions, sessionId)) return false
    // The own one comes last, so that a sign-out that failed half-way can be repeated.
    await endOthers(context, userId, sessions, sessionId)
  }
  return endSession(context, userId, sessionId)
}

const has = (sessions: readonly Session[], sessionId: string): boolean =>
  sessions.some(({ id }) => id === sessionId)

/** What ending a session needs. */
export type SessionsAtWorkos = Pick<WorkosContext, 'userManagement' | 'ended'>

/** The SDK puts the id into the path as it is. */
export const USER_ID = /^[\w-]{1,255}$/

/** The live sessions of a user, from all pages of the API. */
export async function activeSessions(
  { userManagement }: Pick<WorkosContext, 'userManagement'>,
  userId: string,
): Promise<readonly Session[]> {
  if (!USER_ID.test(userId)) return []
  const found: Session[] = []
  let after: string | undefined
  try {
    do {
      const page = await userManagement.listSessions(userId, {
        limit: 100,
        ...(after !== undefined && { after }),
      })
      found.push(...page.data)
      after = page.listMetadata.after ?? undefined
    } while (after !== undefined)
  } catch (error) {
    if (statusOf(error) === 404) return []
    throw workosFailed('WorkOS could not list the sessions. Try again.', error)
  }
  return found.filter(({ status, userId: owner }) => status === 'active' && owner === userId)
}

const AT_ONCE = 10

/** Ends all of the sessions but one; returns how many. */
export async function endOthers(
  context: SessionsAtWorkos,
  userId: string,
  sessions: readonly Session[],
  except: string | undefined,
): Promise<number> {
  const others = sessions.filter(({ id }) => id !== except)
  let count = 0
  for (let start = 0; start < others.length; start += AT_ONCE) {
    const batch = others.slice(start, start + AT_ONCE)
    const done = await Promise.all(batch.map(({ id }) => endSession(context, userId, id)))
    count += done.filter(Boolean).length
  }
  return count
}

/** Ends a session; false when it was already over, which is as good. */
async function endSession(
  context: SessionsAtWorkos,
  userId: string,
  sessionId: string,
): Promise<boolean> {
  let hasEnded = true
  try {
    await context.userManagement.revokeSession({ sessionId })
  } catch (error) {
    if (!(await isOver(context, error, userId, sessionId))) {
      throw workosFailed('WorkOS could not end the session. Try again.', error)
    }
    hasEnded = false
  }
  context.ended.add(sessionId)
  return hasEnded
}

/** Whether WorkOS refused because there is nothing left to end; if it is unclear, it is asked. */
async function isOver(
  context: SessionsAtWorkos,
  error: unknown,
  userId: string,
  sessionId: string,
): Promise<boolean> {
  const status = statusOf(error)
  if (status === 404) return true
  if (status === undefined || ![400, 409, 422].includes(status)) return false
  return !has(await activeSessions(context, userId), sessionId)
}

/** WorkOS lists a session without its scopes and roles: those are in its access tokens. */
export function toSummary(session: Session): AuthSessionSummary {
  return {
    session: {
      id: session.id,
      userId: session.userId,
      subject: session.userId,
      providerId: 'workos',
      state: 'active',
      scopes: [],
      roles: [],
      claims: {
        ...(session.organizationId && { organizationId: session.organizationId }),
        ...(session.impersonator && { impersonated: true }),
        authenticationMethod: session.authMethod,
      },
      issuedAt: isoInstant(Date.parse(session.createdAt)),
      expiresAt: isoInstant(Date.parse(session.expiresAt)),
    },
    ...(session.userAgent && { userAgent: session.userAgent.slice(0, 256) }),
  }
}

export const newestFirst = (a: AuthSessionSummary, b: AuthSessionSummary): number =>
  b.session.issuedAt.localeCompare(a.session.issuedAt)
