import type { User } from '@workos-inc/node'
import {
  AuthBackendOperationUnsupportedError,
  type Operator,
  type OperatorUser,
  unsupportedOperator,
  type UserSearch,
} from '@netscript/plugin-auth-core'
import { createEndedSessions } from './identify.js'
import { createUserManagement, statusOf, type UserManagement, workosFailed } from './client.js'
import { activeSessions, endOthers, listSessions, USER_ID } from './sessions.js'
import { checkOptions, type WorkosBackendOptions } from './options.js'

/**
 * Creates the operator of the WorkOS backend, which uses the API of WorkOS. WorkOS cannot disable a
 * user.
 *
 * @throws AuthConfigurationError with the option and the fix.
 *
 * @example
 * ```ts
 * import { createWorkosOperator, workosOptionsFromEnv } from '@netscript/auth-workos'
 *
 * const operator = await createWorkosOperator(workosOptionsFromEnv(process.env))
 * await operator.revokeSessions('user_01ABC')
 * ```
 */
export async function createWorkosOperator(options: WorkosBackendOptions): Promise<Operator> {
  const userManagement = await createUserManagement(checkOptions(options))
  const atWorkos = { userManagement, ended: createEndedSessions() }
  return {
    ...unsupportedOperator(
      'workos',
      'WorkOS has no such call. Deactivate their organization memberships in its dashboard, or delete the user.',
    ),
    endsLater:
      'An access token that was issued before is accepted until it expires, within minutes.',
    findUsers: (search) => findUsers(userManagement, search),
    getUser: (userId) => getUser(userManagement, userId),
    listSessions: (userId, options) => listSessions(atWorkos, userId, options),
    revokeSession: (sessionId) =>
      unlessMissing('WorkOS could not end the session. Try again.', async () => {
        await userManagement.revokeSession({ sessionId })
      }),
    async revokeSessions(userId) {
      return endOthers(atWorkos, userId, await activeSessions(atWorkos, userId), undefined)
    },
    deleteUser: async (userId) =>
      USER_ID.test(userId) &&
      unlessMissing('WorkOS could not delete the user. Try again.', () =>
        userManagement.deleteUser(userId),
      ),
  }
}

/** Resolves to false when WorkOS responds 404. */
async function unlessMissing(failure: string, call: () => Promise<void>): Promise<boolean> {
  try {
    await call()
    return true
  } catch (error) {
    if (statusOf(error) === 404) return false
    throw workosFailed(failure, error)
  }
}

async function getUser(
  userManagement: UserManagement,
  userId: string,
): Promise<OperatorUser | undefined> {
  if (!USER_ID.test(userId)) return undefined
  try {
    return toOperatorUser(await userManagement.getUser(userId))
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw workosFailed('WorkOS could not show the user. Try again.', error)
  }
}

async function findUsers(
  userManagement: UserManagement,
  { text, providerId, limit = 50, cursor }: UserSearch = {},
): ReturnType<Operator['findUsers']> {
  if (providerId !== undefined) throw unsupported('finding users by provider')
  if (text !== undefined && !text.includes('@')) {
    const user = await getUser(userManagement, text)
    if (user) return { users: [user] }
    throw unsupported('finding users by a part of their name or address')
  }
  try {
    const page = await userManagement.listUsers({
      limit: Math.min(Math.max(Math.trunc(limit), 1), 100),
      ...(text !== undefined && { email: text }),
      ...(cursor !== undefined && { after: cursor }),
    })
    const { after } = page.listMetadata
    return { users: page.data.map(toOperatorUser), ...(after && { cursor: after }) }
  } catch (error) {
    throw workosFailed('WorkOS could not list the users. Try again.', error)
  }
}

const unsupported = (operation: string): AuthBackendOperationUnsupportedError =>
  new AuthBackendOperationUnsupportedError(
    'workos',
    operation,
    'WorkOS finds a user by id or by the whole e-mail address.',
  )

/** Accounts are omitted: the API returns them only one user at a time. */
function toOperatorUser(user: User): OperatorUser {
  const displayName = [user.firstName, user.lastName].filter(Boolean).join(' ')
  return {
    id: user.id,
    ...(displayName !== '' && { displayName }),
    email: user.email,
    emailVerified: user.emailVerified,
    accounts: [],
    createdAt: new Date(user.createdAt).toISOString(),
    ...(user.lastSignInAt && { lastSignInAt: new Date(user.lastSignInAt).toISOString() }),
  }
}
