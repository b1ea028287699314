import type pg from 'pg'
import type { SessionRecord } from './session-store.js'
import { type AuthStores, createPostgresStores } from './storage/stores.js'

/** What an operator may do to a user of the kv-oauth backend. User ids are those of `me`. */
export interface Operator {
  /** The live sessions of a user, newest first. */
  listSessions(userId: string): Promise<readonly SessionRecord[]>
  /** Ends a session. False when there is none. */
  revokeSession(sessionId: string): Promise<boolean>
  /** Ends all sessions of a user; returns how many. */
  revokeSessions(userId: string): Promise<number>
  /**
   * Disables a user and ends their sessions. False for an unknown user. When it throws, the sessions
   * may go on: do it again.
   */
  disableUser(userId: string): Promise<boolean>
  /** Lets a disabled user sign in again. False for an unknown user. */
  enableUser(userId: string): Promise<boolean>
  /** Deletes a user, their accounts and their sessions. When it throws, do it again. */
  deleteUser(userId: string): Promise<boolean>
}

/**
 * The operator's side of the kv-oauth backend, over its database. What it does counts at once on
 * every process, and is in the audit trail.
 *
 * @param stores Where the backend keeps what it remembers. Default: all of it in that database. With
 * `NETSCRIPT_AUTH_SESSION_STORE` set they are those of `openStores`.
 *
 * @throws AuthError `STORE_UNAVAILABLE` from every method.
 *
 * @example
 * ```ts
 * const operator = createOperator(new pg.Pool({ connectionString: process.env.DATABASE_URL }))
 * await operator.disableUser('0b0c9a3e-…')
 * ```
 */
export function createOperator(
  pool: pg.Pool,
  { sessions, users }: Pick<AuthStores, 'sessions' | 'users'> = createPostgresStores(pool),
): Operator {
  return {
    listSessions: (userId) => sessions.listByUser(userId),
    revokeSession: async (id) => (await sessions.revoke(id, 'revoked-by-operator')) !== undefined,
    revokeSessions: (userId) => sessions.revokeByUser(userId, 'revoked-by-operator'),
    disableUser: (userId) => users.disable(userId),
    enableUser: (userId) => users.enable(userId),
    deleteUser: (userId) => users.delete(userId),
  }
}
