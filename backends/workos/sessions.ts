import type { Session } from '@workos-inc/node'
import {
  AuthError,
  type AuthnRequest,
  type AuthSessionPage,
  type AuthSessionsPort,
  type AuthSessionSummary,
  type SessionListOptions,
  type SignOutResult,
} from '@netscript/plugin-auth-core'
import {
  invalidCursor,
  isoInstant,
  MAX_SESSIONS_IN_PAGE,
  USER_AGENT_LENGTH,
} from '@netscript/plugin-auth-core/internal'
import { statusOf, workosFailed } from './client.js'
import { identify, type WorkosContext } from './identify.js'

/** Creates the sessions port, which uses the API of WorkOS. */
export function createWorkosSessions(context: WorkosContext): AuthSessionsPort {
  return {
    signOut: (request, options) => signOut(context, request, options),
    listSessions: (userId, options) => listSessions(context, userId, options),
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
    throw workosFailed('The session could not be ended. Try again.', cause)
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

/** Returns false if the session had already ended; then it must not end other sessions either. */
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
    // End the own session last, so that a partly failed sign-out can be repeated.
    await endOthers(context, userId, sessions, sessionId)
  }
  return endSession(context, userId, sessionId)
}

const has = (sessions: readonly Session[], sessionId: string): boolean =>
  sessions.some(({ id }) => id === sessionId)

/** The dependencies for ending a session. */
type SessionsAtWorkos = Pick<WorkosContext, 'userManagement' | 'ended'>

/** Ids are validated because the SDK inserts them into the path without encoding. */
export const USER_ID = /^[\w-]{1,255}$/
const SESSION_ID = USER_ID

/**
 * Lists a page of the live sessions of a user. The cursor is the id of its last session, which stays
 * valid because WorkOS keeps ended sessions in its list.
 */
export async function listSessions(
  context: Pick<WorkosContext, 'userManagement'>,
  userId: string,
  { limit = MAX_SESSIONS_IN_PAGE, cursor }: SessionListOptions = {},
): Promise<AuthSessionPage> {
  if (cursor !== undefined && !SESSION_ID.test(cursor)) throw invalidCursor()
  const size = Math.min(Math.max(Math.trunc(limit), 1), MAX_SESSIONS_IN_PAGE)
  const found = await activeSessions(context, userId, { after: cursor, atLeast: size + 1 })
  const sessions = found.slice(0, size)
  const last = sessions.at(-1)
  return {
    sessions: sessions.map(toSummary),
    ...(found.length > size && last && { cursor: last.id }),
  }
}

/**
 * Maximum number of pages to read: WorkOS keeps ended sessions in its list. A longer list is an error,
 * because with a partial one, sessions that the user wants to end would stay live.
 */
const MAX_PAGES = 100

/** Lists the live sessions of a user, newest first, from all pages of the API that it takes. */
export async function activeSessions(
  { userManagement }: Pick<WorkosContext, 'userManagement'>,
  userId: string,
  options: { after?: string | undefined; atLeast?: number } = {},
): Promise<readonly Session[]> {
  if (!USER_ID.test(userId)) return []
  const found: Session[] = []
  let { after } = options
  try {
    for (let pages = 0; ; pages += 1) {
      if (pages === MAX_PAGES) throw new Error(`The list is longer than ${MAX_PAGES} pages.`)
      const page = await userManagement.listSessions(userId, {
        limit: 100,
        order: 'desc',
        ...(after !== undefined && { after }),
      })
      found.push(
        ...page.data.filter(({ status, userId: owner }) => status === 'active' && owner === userId),
      )
      after = page.listMetadata.after ?? undefined
      if (after === undefined || found.length >= (options.atLeast ?? Infinity)) break
    }
  } catch (error) {
    if (statusOf(error) === 404) return []
    throw workosFailed('The sessions could not be listed. Try again.', error)
  }
  return found
}

const AT_ONCE = 10

/** Ends all of the sessions except one; returns how many. */
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

/** Ends a session. Returns false if it had already ended, which is a success too. */
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
      throw workosFailed('The session could not be ended. Try again.', error)
    }
    hasEnded = false
  }
  context.ended.add(sessionId)
  return hasEnded
}

/** Whether WorkOS refused because the session has ended. Lists the sessions if that is unclear. */
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

/** Scopes and roles are empty: WorkOS has them only in access tokens. */
function toSummary(session: Session): AuthSessionSummary {
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
    ...(session.userAgent && { userAgent: session.userAgent.slice(0, USER_AGENT_LENGTH) }),
  }
}
