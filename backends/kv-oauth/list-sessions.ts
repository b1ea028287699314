import type { AuthSessionPage, SessionListOptions } from '@netscript/plugin-auth-core'
import { pageOf, sessionRange } from '@netscript/plugin-auth-core/internal'
import type { SessionRecord, SessionStore } from './session-store.js'
import { toAuthSession } from './authenticate.js'

/** Lists a page of the live sessions of a user, newest first. */
export async function listSessions(
  sessions: Pick<SessionStore, 'listByUser'>,
  userId: string,
  options?: SessionListOptions,
): Promise<AuthSessionPage> {
  const { limit, after } = sessionRange(options)
  const records = await sessions.listByUser(userId, { limit: limit + 1, after })
  const { page, cursor } = pageOf(records, limit, (record) => record)
  return {
    sessions: page.map((record) => ({
      session: toAuthSession(record),
      ...(record.userAgent !== undefined && { userAgent: record.userAgent }),
    })),
    ...(cursor !== undefined && { cursor }),
  }
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
