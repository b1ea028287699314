import type { SessionRecord, SessionStore } from './session-store.js'

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
