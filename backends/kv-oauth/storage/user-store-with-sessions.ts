import type { SessionStore, UserStore } from '../session-store.js'

/**
 * Users whose sessions are in another store than they are. A user is marked as disabled first, so
 * that no new session comes, and then the sessions end. When ending them fails the mark stays and the
 * error says to do it again; a user is deleted only when no session is left.
 */
export function withSessionsElsewhere(
  users: UserStore,
  sessions: Pick<SessionStore, 'revokeByUser'>,
): UserStore {
  return {
    ...users,
    async disable(userId) {
      const found = await users.disable(userId)
      await sessions.revokeByUser(userId, 'user-disabled')
      return found
    },
    async delete(userId) {
      await users.disable(userId)
      await sessions.revokeByUser(userId, 'user-deleted')
      return users.delete(userId)
    },
  }
}
