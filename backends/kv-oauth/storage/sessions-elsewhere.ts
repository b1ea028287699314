import { isDeepStrictEqual } from 'node:util'
import { AuthError, type AuthLog } from '@netscript/plugin-auth-core'
import { changeSession } from '../change-session.js'
import { operatorRolesChange } from '../session-roles.js'
import type {
  ProviderTokenStore,
  SessionRecord,
  SessionStore,
  SignInStore,
  UserStore,
} from '../session-store.js'
import { sessionsOfUser } from '../sessions.js'

/** The stores of the steps. */
interface StepStores {
  readonly users: UserStore
  readonly sessions: SessionStore
  readonly tokens: ProviderTokenStore
  /** Logs roles that have no room in the session. */
  readonly log: AuthLog
}

/**
 * Completes sign-ins in steps, for sessions in another database than users. The session is stored after
 * the user, and before its tokens and the end of other sessions: a crash in between leaves a session
 * whose token no client has.
 */
export function createStepwiseSignInStore(stores: StepStores): SignInStore {
  const { users, sessions, tokens } = stores
  return {
    async complete({ identity, sessionOf, tokens: issued, previousSessionId, maxSessions }) {
      const { userId, roles, isNew } = await users.signIn(identity)
      const built = sessionOf({ userId, roles })
      const session = await store(stores, built, roles)
      await tokens.save(session, identity.providerId, issued)
      const previous =
        previousSessionId === undefined
          ? undefined
          : await sessions.revoke(previousSessionId, 'replaced-by-sign-in')
      const evicted = await sessions.evict(userId, { keep: session.id, max: maxSessions })
      return { isNew, session, replaced: previous ? 1 : 0, evicted }
    },
  }
}

/** Stores a session, with the roles that the operator changed since the sign-in read them. */
async function store(
  { sessions, log }: StepStores,
  session: SessionRecord,
  operatorRoles: readonly string[],
): Promise<SessionRecord> {
  const { roles } = await sessions.create(session)
  if (isDeepStrictEqual(roles, operatorRoles)) return session
  const changed = await changeSession({ sessions }, session, 'roles-changed', (current) =>
    // A change that came later found the session and updated it.
    current.version === session.version ? operatorRolesChange(current, roles, log) : undefined,
  )
  return changed ?? session
}

/** Maximum lost compare-and-set races of one session. */
const ATTEMPTS = 10

/**
 * Wraps a user store whose sessions are in another store. A user is disabled first, so that no new
 * session can start, and then the sessions end. If that fails, the user stays disabled and the call
 * must be repeated. A user is deleted only after their sessions have ended.
 *
 * An account is removed before its sessions end, also of an earlier call that failed in between: each
 * call ends every session without an account.
 *
 * Roles change for the user before the sessions: a sign-in reads them after it has stored its session, so
 * it has the new roles, or its session is found here.
 */
export function withSessionsElsewhere(
  users: UserStore,
  sessions: Pick<SessionStore, 'extend' | 'get' | 'listByUser' | 'revoke' | 'revokeByUser'>,
): UserStore {
  const endWithoutAccount = async (userId: string): Promise<string[]> => {
    const accounts = await users.listAccounts(userId)
    const hasNone = ({ issuer, subject }: SessionRecord): boolean =>
      !accounts.some((account) => account.issuer === issuer && account.subject === subject)
    const ended: string[] = []
    for (const { id } of (await sessionsOfUser(sessions, userId)).filter(hasNone)) {
      if (await sessions.revoke(id, 'account-unlinked')) ended.push(id)
    }
    return ended
  }
  const updateRoles = async (record: SessionRecord): Promise<void> => {
    let current: SessionRecord | undefined = record
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (!current) return
      // Read after the session: of two concurrent changes, the one that comes last writes both.
      const roles = await users.changeRoles(record.userId, {})
      const changes = roles && operatorRolesChange(current, roles)
      if (!changes) return
      const next = { ...current, ...changes, version: current.version + 1 }
      if (await sessions.extend(next, 'roles-changed')) return
      current = await sessions.get(record.id)
    }
    throw new AuthError('STORE_UNAVAILABLE', 'A session still has its old roles. Try again.')
  }
  return {
    ...users,
    async unlink(userId, accountId, change) {
      const result = await users.unlink(userId, accountId, change)
      if (result.outcome === 'last') return result
      const ended = await endWithoutAccount(userId)
      return result.outcome === 'unlinked' ? { ...result, ended } : result
    },
    async changeRoles(userId, change) {
      const roles = await users.changeRoles(userId, change)
      for (const record of await sessionsOfUser(sessions, userId)) await updateRoles(record)
      return roles
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
