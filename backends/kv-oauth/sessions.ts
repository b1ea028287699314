import type {
  AuthSessionPage,
  AuthSessionsPort,
  SessionListOptions,
} from '@netscript/plugin-auth-core'
import { pageOf, sessionRange } from '@netscript/plugin-auth-core/internal'
import type { SessionRecord, SessionStore } from './session-store.js'
import { toAuthSession } from './authenticate.js'
import type { KvOAuthContext } from './context.js'
import { signOut } from './sign-out.js'

/** Lists a page of the live sessions of a user, newest first. */
export async function listSessions(
  sessions: Pick<SessionStore, 'listByUser'>,
  userId: string,
  options?: SessionListOptions,
): Promise<AuthSessionPage> {
  const { limit, after } = sessionRange(options)
  const records = await sessions.listByUser(userId, { limit: limit + 1, after })
  return pageOf(
    records,
    limit,
    (record) => record,
    (record) => ({ session: toAuthSession(record), userAgent: record.userAgent }),
  )
}

/** Every live session of a user, read page by page. */
export async function sessionsOfUser(
  sessions: Pick<SessionStore, 'listByUser'>,
  userId: string,
): Promise<SessionRecord[]> {
  const all: SessionRecord[] = []
  for (;;) {
    const after = all.at(-1)
    const page = await sessions.listByUser(userId, { ...(after && { after }) })
    if (page.length === 0) return all
    all.push(...page)
  }
}

/** Whether a text may be a session id; anything else is rejected without a store lookup. */
export const isSessionId = (text: string): boolean => /^[\w-]{1,64}$/.test(text)

/** Lists and ends the sessions of users. */
export function sessionsPort(context: KvOAuthContext): AuthSessionsPort {
  return {
    signOut: (request, options) => signOut(context, request, options),
    listSessions: (userId, options) => listSessions(context.sessions, userId, options),
    revokeSession: async (userId, sessionId) => {
      if (!isSessionId(sessionId)) return false
      const record = await context.sessions.get(sessionId)
      if (record?.userId !== userId) return false
      return (await context.sessions.revoke(sessionId, 'revoked-by-owner')) !== undefined
    },
    revokeSessions: (userId, options) =>
      context.sessions.revokeByUser(userId, 'revoked-by-owner', options),
  }
}
