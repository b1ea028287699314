import type { SessionRecord, SessionStore, UserStore } from '../session-store.js'

/**
 * Wraps a user store whose sessions are in another store. A user is disabled first, so that no new
 * session can start, and then the sessions end. If that fails, the user stays disabled and the call
 * must be repeated. A user is deleted only after their sessions have ended.
 *
 * An account is removed before its sessions end, also of an earlier call that failed in between: each
 * call ends every session without an account.
 */
export function withSessionsElsewhere(
  users: UserStore,
  sessions: Pick<SessionStore, 'listByUser' | 'revoke' | 'revokeByUser'>,
): UserStore {
  const endWithoutAccount = async (userId: string): Promise<string[]> => {
    const accounts = await users.listAccounts(userId)
    const hasNone = ({ issuer, subject }: SessionRecord): boolean =>
      !accounts.some((account) => account.issuer === issuer && account.subject === subject)
    const ended: string[] = []
    let after: SessionRecord | undefined
    do {
      const page = await sessions.listByUser(userId, { ...(after && { after }) })
      for (const { id } of page.filter(hasNone)) {
        if (await sessions.revoke(id, 'account-unlinked')) ended.push(id)
      }
      after = page.at(-1)
    } while (after)
    return ended
  }
  return {
    ...users,
    async unlink(userId, accountId, change) {
      const result = await users.unlink(userId, accountId, change)
      if (result.outcome === 'last') return result
      const ended = await endWithoutAccount(userId)
      return result.outcome === 'unlinked' ? { ...result, ended } : result
    },
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
