import type { PostgresPool } from '@netscript/auth-database'
import { AuthError } from '@netscript/plugin-auth-core'
import type { SessionRecord } from '../session-store.js'

/** The error for a disabled or deleted user. */
export const disabledUser = (): AuthError =>
  new AuthError('AUTH_USER_DISABLED', 'Ask an administrator to enable the account again.')

/** The error of a sign-in whose browser no longer has the session, or the user, that started it. */
export const sessionChanged = (): AuthError =>
  new AuthError(
    'AUTH_SESSION_CHANGED',
    'You were signed out, or signed in as another user, during the sign-in. Nothing was changed. Start again.',
  )

/** Why a session could not be created: its user is disabled, or no longer has its account. */
export async function sessionRefusal(
  pool: PostgresPool,
  { userId }: Pick<SessionRecord, 'userId'>,
): Promise<AuthError> {
  const { rowCount } = await pool.query(
    'SELECT FROM auth_users WHERE id = $1 AND disabled_at IS NULL',
    [userId],
  )
  if (rowCount === 0) return disabledUser()
  return new AuthError(
    'AUTH_SESSION_CHANGED',
    'The account was removed from its user during the sign-in. Start the sign-in again.',
  )
}
