import { AuthError, type AuthSelfServicePort } from '@netscript/plugin-auth-core'
import { isoInstant } from '@netscript/plugin-auth-core/internal'
import { accountsPort } from './accounts.js'
import type { KvOAuthContext } from './context.js'
import { listSessions } from './list-sessions.js'

/** Exports and deletes users. */
export function selfServicePort(context: KvOAuthContext): AuthSelfServicePort {
  const { users, sessions, audit, subjectHash, log, now } = context
  const accounts = accountsPort(context)
  return {
    async exportUser(session) {
      const { id, userId } = session
      const user = await users.get(userId)
      // Deleted since the request was authenticated.
      if (!user) throw new AuthError('UNAUTHORIZED', 'Sign in first.')
      const identities = await users.listAccounts(userId)
      const { createdAt, roles, ...profile } = user
      return {
        exportedAt: isoInstant(now()),
        user: { id: userId, ...profile, roles: [...roles], createdAt: isoInstant(createdAt) },
        accounts: [...(await accounts.list(session))],
        sessions: await everySession(sessions, userId, id),
        events: await audit.eventsOf(
          identities.map(({ issuer, subject }) => subjectHash(issuer, subject)),
        ),
      }
    },
    async deleteUser({ userId }) {
      await users.delete(userId)
      log.info({ event: 'user.deleted', userId, reason: 'by-user' }, 'user deleted')
    },
  }
}

async function everySession(
  store: KvOAuthContext['sessions'],
  userId: string,
  currentId: string,
): Promise<Awaited<ReturnType<AuthSelfServicePort['exportUser']>>['sessions']> {
  const found: Awaited<ReturnType<typeof everySession>> = []
  let cursor: string | undefined
  do {
    const page = await listSessions(store, userId, cursor === undefined ? {} : { cursor })
    for (const { session, userAgent } of page.sessions) {
      const current = session.id === currentId
      found.push({ session, current, ...(userAgent !== undefined && { userAgent }) })
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}
