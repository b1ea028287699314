import { isDeepStrictEqual } from 'node:util'
import type { AuthLog } from '@netscript/plugin-auth-core'
import { changeSession } from '../change-session.js'
import { operatorRolesChange } from '../session-roles.js'
import type {
  ProviderTokenStore,
  SessionRecord,
  SessionStore,
  SignInStore,
  UserStore,
} from '../session-store.js'

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
