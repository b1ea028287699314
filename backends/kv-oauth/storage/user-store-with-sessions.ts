import type { SessionStore, UserStore } from '../session-store.js'

/**
 * Wraps a user store whose sessions are in another store. A user is disabled first, so that no new
 * session can start, and then the sessions end. If that fails, the user stays disabled and the call
 * must be repeated. A user is deleted only after their sessions have ended.
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
