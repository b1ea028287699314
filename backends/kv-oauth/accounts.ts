import {
  type AuthAccountsPort,
  AuthError,
  type AuthSelfServicePort,
} from '@netscript/plugin-auth-core'
import { isoInstant } from '@netscript/plugin-auth-core/internal'
import type { KvOAuthContext } from './context.js'
import { revokeAtProvider } from './tokens.js'
import type { ProviderTokens, SessionRecord, SignedInIdentity } from './session-store.js'
import { listSessions, sessionsOfUser } from './sessions.js'

/**
 * Links an account to the user of a session, which stays as it is, and stores the account's tokens.
 * Linking again changes only the tokens.
 * @throws AuthError `AUTH_ACCOUNT_CONFLICT`, `AUTH_USER_DISABLED`
 */
export async function linkAccount(
  { users, tokens, subjectHash, log }: KvOAuthContext,
  session: SessionRecord,
  identity: Omit<SignedInIdentity, 'profile'>,
  ownTokens: ProviderTokens,
): Promise<void> {
  const { id: sessionId, userId } = session
  const outcome = await users.link(userId, identity, { sessionId, subjectHash })
  if (outcome === 'conflict') {
    throw new AuthError(
      'AUTH_ACCOUNT_CONFLICT',
      'Another user signs in with this account, so it was not added. Nothing was changed.',
    )
  }
  const fields = { provider: identity.providerId, userId, sessionId }
  if (outcome === 'linked') log.info({ ...fields, event: 'account.linked' }, 'account linked')
  // A second account at the provider of the session would replace the tokens of its sign-in.
  if (identity.providerId === session.providerId) return
  await tokens.save(session, identity.providerId, ownTokens)
}

/** Lists and removes the accounts of users. */
export function accountsPort(context: KvOAuthContext): AuthAccountsPort {
  const { users, sessions, subjectHash, metrics, log } = context
  return {
    async list({ id, userId }) {
      const [accounts, session] = await Promise.all([users.listAccounts(userId), sessions.get(id)])
      return accounts.map((account) => ({
        id: account.id,
        providerId: account.providerId,
        subject: account.subject,
        createdAt: isoInstant(account.createdAt),
        lastSignInAt: isoInstant(account.lastSignInAt),
        current: account.issuer === session?.issuer && account.subject === session.subject,
      }))
    },
    async unlink({ id: sessionId, userId }, accountId) {
      const result = await users.unlink(userId, accountId, { sessionId, subjectHash })
      // Also of an earlier call that failed after the account was gone.
      if (result.outcome !== 'last') {
        const removed = result.outcome === 'unlinked' ? result.account.providerId : undefined
        await forgetTokens(context, userId, removed)
      }
      if (result.outcome === 'unknown') {
        throw new AuthError('NOT_FOUND', 'You have no account with this id. See GET /accounts.')
      }
      if (result.outcome === 'last') {
        throw new AuthError(
          'AUTH_LAST_ACCOUNT',
          'You could not sign in any more. Link another account first.',
        )
      }
      const { account, ended } = result
      metrics.sessionsEnded('account-unlinked', ended.length)
      log.info(
        { event: 'account.unlinked', provider: account.providerId, userId, sessionId },
        'account unlinked',
      )
      return { ended }
    },
  }
}

/**
 * Deletes and revokes the tokens of linked accounts that the user no longer has. If one of two accounts
 * at a provider is removed, it is unknown whose tokens they are.
 */
async function forgetTokens(
  context: KvOAuthContext,
  userId: string,
  removed: string | undefined,
): Promise<void> {
  const { users, sessions, tokens, providers } = context
  const linked = new Set((await users.listAccounts(userId)).map(({ providerId }) => providerId))
  if (removed !== undefined) linked.delete(removed)
  const revoked: Promise<void>[] = []
  for (const session of await sessionsOfUser(sessions, userId)) {
    for (const [providerId, held] of await tokens.readLinked(session)) {
      if (linked.has(providerId)) continue
      await tokens.forget(session, providerId)
      const provider = providers.get(providerId)
      if (provider) revoked.push(revokeAtProvider(context, provider, held))
    }
  }
  await Promise.all(revoked)
}

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
