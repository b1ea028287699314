import type { AuthSessionPage, SessionListOptions } from './port.js'

/** The account of a user at a provider. */
interface OperatorAccount {
  /** The id of the provider in the configuration. */
  readonly providerId: string
  /** The provider subject of the user. */
  readonly subject: string
}

/** A user as an operator sees them. Instants are ISO 8601. */
export interface OperatorUser {
  /** The user id, as in the response of `me`. */
  readonly id: string
  /** Name to show. */
  readonly displayName?: string
  /** The e-mail address; it does not identify the user. */
  readonly email?: string
  /** Whether the provider verified the address. */
  readonly emailVerified?: boolean
  /** The accounts of the user. Empty when the backend does not expose them. */
  readonly accounts: readonly OperatorAccount[]
  /** The roles that the operator gave. Absent when the backend has no such roles. */
  readonly roles?: readonly string[]
  /** When the user first signed in. */
  readonly createdAt: string
  /** When the user last signed in, at any provider. */
  readonly lastSignInAt?: string
  /** Present when the user is disabled. */
  readonly disabledAt?: string
}

/** Which users {@link Operator.findUsers} returns. Conditions are combined with AND. */
export interface UserSearch {
  /** Part of a name or an e-mail address, a user id or a provider subject. @default any user */
  readonly text?: string
  /** Only users with an account at this provider. @default any provider */
  readonly providerId?: string
  /** Users per page, 1 to 100. @default 50 */
  readonly limit?: number
  /** The `cursor` of the previous page. @default the first page */
  readonly cursor?: string
}

/** A page of users, newest first. */
export interface UserPage {
  /** At most `limit` users. */
  readonly users: readonly OperatorUser[]
  /** The cursor of the next page; absent on the last one. */
  readonly cursor?: string
}

/**
 * Operations of an operator on the users and sessions of a backend. An unsupported operation throws
 * `AuthBackendOperationUnsupportedError`; it never silently does nothing.
 */
export interface Operator {
  /** The name of the backend. */
  readonly backend: string
  /** Present when a revoked session may still be accepted for a while: a sentence with the time. */
  readonly endsLater?: string
  /** Finds users. */
  findUsers(search?: UserSearch): Promise<UserPage>
  /** Returns a user; `undefined` for an unknown id. */
  getUser(userId: string): Promise<OperatorUser | undefined>
  /** Lists the live sessions of a user, newest first. */
  listSessions(userId: string, options?: SessionListOptions): Promise<AuthSessionPage>
  /** Ends a session. False for an unknown id. */
  revokeSession(sessionId: string): Promise<boolean>
  /** Ends all sessions of a user; returns how many. When it throws, call it again. */
  revokeSessions(userId: string): Promise<number>
  /**
   * Disables a user and ends their sessions. False for an unknown user. When it throws, sessions may
   * still be live: call it again.
   */
  disableUser(userId: string): Promise<boolean>
  /** Lets a disabled user sign in again. False for an unknown user. */
  enableUser(userId: string): Promise<boolean>
  /** Deletes a user, their accounts and their sessions. When it throws, call it again. */
  deleteUser(userId: string): Promise<boolean>
  /**
   * Gives roles to a user, beside those of the provider, also in live sessions: they are in force with the
   * next request. Returns the roles that the operator gave; `undefined` for an unknown user. When it
   * throws, call it again.
   * @throws AuthError `VALIDATION_ERROR` for a role that is blank, longer than 256 characters or has
   * control characters, and for too many roles.
   */
  addRoles(userId: string, roles: readonly string[]): Promise<readonly string[] | undefined>
  /** Takes roles away that the operator gave, like {@link Operator.addRoles}. */
  removeRoles(userId: string, roles: readonly string[]): Promise<readonly string[] | undefined>
}
