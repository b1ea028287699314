import type { SessionRange } from '@netscript/plugin-auth-core/internal'
import type { Keyring, PendingRateLimit, SessionEnd } from '@netscript/plugin-auth-core'

/** Profile data of a user, for display only. It does not identify the user. */
export interface UserProfile {
  readonly displayName?: string
  readonly email?: string
  /** Whether the provider verified the address; absent if it does not say. */
  readonly emailVerified?: boolean
  readonly imageUrl?: string
}

/**
 * A stored session: one JSON entry that also contains the profile of the user, so that `me` needs the
 * same single read as `session`. All instants are milliseconds since the epoch.
 */
export interface SessionRecord {
  /** The public id: SHA-256 of the secret in the cookie. */
  readonly id: string
  readonly userId: string
  readonly providerId: string
  /** The issuer, or the provider id without one. Identifies a user together with `subject`. */
  readonly issuer: string
  readonly subject: string
  /** The pseudonym of the user in the audit trail. */
  readonly auditSubject: string
  /** The provider's session id (OpenID Connect Back-Channel Logout 1.0 section 2.1). */
  readonly sid?: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  /**
   * Which of `roles` the operator and `admit` gave. The provider gave the others and, of these, the ones
   * in `provider`. Absent if the provider gave all.
   */
  readonly rolesBySource?:
    | {
        readonly operator?: readonly string[]
        readonly admit: readonly string[]
        readonly provider: readonly string[]
      }
    | undefined
  /** Present if the roles come from the user info, because the id_token has no roles claim. */
  readonly rolesFrom?: 'user-info'
  /** Claims of the allow-list. */
  readonly claims: Readonly<Record<string, unknown>>
  /** The profile of the user at the sign-in. */
  readonly user: UserProfile
  /** The `User-Agent` of the sign-in, at most 256 characters. */
  readonly userAgent?: string
  /** When the provider authenticated the user (`auth_time`); absent if it did not say. */
  readonly authTime?: number
  /** The authentication context class (`acr`), at most 255 characters; absent without one. */
  readonly acr?: string
  readonly issuedAt: number
  /** When the session expires unless extended; at most `absoluteExpiresAt`. */
  readonly expiresAt: number
  /** When the session expires regardless of use. */
  readonly absoluteExpiresAt: number
  /** When the idle deadline was last extended. */
  readonly refreshedAt?: number
  /** When to refresh the provider's access token; absent if it cannot be refreshed. */
  readonly tokenRefreshAt?: number
  readonly tokenRefreshFailures?: number
  /** Number of consecutive refusals without an OAuth error, and the time of the first. */
  readonly tokenRefusals?: { readonly count: number; readonly since: number } | undefined
  /** Since when it could not be found out whether the user is still admitted. */
  readonly undecidedSince?: number | undefined
  /** Incremented with each change, for the compare-and-set of {@link SessionStore.extend}. */
  readonly version: number
}

/** Why a session was changed: the reason of its `session.refreshed` event. */
export type SessionRefresh = 'used' | 'tokens-renewed' | 'tokens-not-renewed' | 'roles-changed'

/** Maximum number of surplus sessions that one sign-in ends. */
export const MAX_EVICTED = 100

/**
 * The session store. Creating, extending and ending a session also writes its audit event: in the same
 * statement, or, if sessions and trail are in different databases, before the change. Then no change
 * lacks its event, but there may be an event for a change that failed. Every method throws `AuthError`
 * `STORE_UNAVAILABLE` during an outage, which is never reported as a missing session. Expiry is judged
 * by the clock of the store; reads never delete.
 */
export interface SessionStore {
  /**
   * Stores a new session. Returns the roles that the operator gave the user: if they differ from those in
   * the session, they changed since the sign-in read them. A later change finds the session.
   * @throws AuthError `AUTH_USER_DISABLED` if the user is disabled or deleted, and
   * `AUTH_SESSION_CHANGED` if the account of the session is no longer linked to the user; also
   * concurrently.
   */
  create(record: SessionRecord): Promise<{ roles: readonly string[] }>
  /** Returns a live session; `undefined` for an unknown, expired or ended one. */
  get(id: string): Promise<SessionRecord | undefined>
  /**
   * Replaces the live entry of version `next.version - 1`. Returns false if there is none, because the
   * session ended or was changed concurrently. Never restores an ended session.
   */
  extend(next: SessionRecord, why: SessionRefresh): Promise<boolean>
  /** Ends a session and returns it; `undefined` if there was none. */
  revoke(id: string, end: SessionEnd): Promise<SessionRecord | undefined>
  /**
   * Lists live sessions of a user, newest first: at most `limit`, after a position.
   * @default the newest 100
   */
  listByUser(userId: string, range?: Partial<SessionRange>): Promise<readonly SessionRecord[]>
  /**
   * Ends the least recently used sessions of a user until `max` are left: at most 100 per call, and
   * never `keep`. Returns how many. Concurrent calls together leave `max`. Does nothing if `keep` has
   * ended.
   */
  evict(userId: string, options: { keep: string; max: number }): Promise<number>
  /** Ends the sessions of a user, except `except`; returns how many. */
  revokeByUser(userId: string, end: SessionEnd, options?: { except?: string }): Promise<number>
  /**
   * Ends the sessions that match `sid`, `subject`, or both; returns how many.
   *
   * With `once`, only the first call with a key does so and stores the key for `ttlMs`. Until then
   * other calls, in any process, end nothing and return `undefined`. If the call fails or the process
   * crashes, the key stays unused and can be retried. A store that cannot do both atomically claims
   * the key for some seconds, ends the sessions, and then stores the key; a call that finds a claim
   * throws `STORE_UNAVAILABLE`, because its holder may have crashed.
   */
  revokeByProviderSession(
    session: { issuer: string; sid?: string; subject?: string },
    once?: { key: string; ttlMs: number },
  ): Promise<number | undefined>
  /**
   * Deletes up to `limit` expired entries and returns how many; 0 if the store expires them itself.
   * Safe to run in several processes.
   */
  sweep(limit: number): Promise<number>
  count(): Promise<number>
  probe(): Promise<void>
}

/**
 * A store of short-lived, single-use entries. With `limit`, a call charges it in the same statement, and
 * throws `RATE_LIMITED` and writes or takes nothing if it is exceeded. Only for stores that
 * {@link KvOAuthStores.chargesRateLimits}.
 */
export interface TransactionStore {
  /** Stores `sealed` under `key` for `ttlMs`. */
  put(
    key: string,
    entry: {
      stateHash: string
      sealed: string
      /**
       * Whether a later write of the same flow is flushed to disk, so that this one need not be: a
       * crash in between loses nothing that was acknowledged. @default false
       */
      flushedLater?: boolean
    },
    ttlMs: number,
    limit?: PendingRateLimit,
  ): Promise<void>
  /**
   * Atomically removes and returns the live entry with this key and state hash: exactly one concurrent
   * caller gets it. An entry with another state hash is not removed.
   */
  take(key: string, stateHash: string, limit?: PendingRateLimit): Promise<string | undefined>
}

/** The tokens of one provider in plain text. The store encrypts each of them. */
export interface ProviderTokens {
  readonly accessToken?: string
  readonly refreshToken?: string
  /** The id_token of an OpenID provider, sent as a hint at sign-out. */
  readonly idToken?: string
  /**
   * When the access token expires, in milliseconds since the epoch. Absent if the provider does not say,
   * and if an earlier version, which did not store it, saved the tokens: then `scopes` is absent too.
   */
  readonly expiresAt?: number
  readonly scopes?: readonly string[]
}

/** Tokens with a lease, whose holder may refresh them. */
export interface LeasedTokens extends ProviderTokens {
  /**
   * Whether an earlier holder never released the lease: the provider may already have rotated these
   * tokens, and the new ones were lost.
   */
  readonly abandoned: boolean
}

/** The session that tokens belong to, with the provider of its sign-in. */
export type TokenSession = Pick<SessionRecord, 'id' | 'providerId'>

/**
 * Stores provider tokens separately from sessions, off the read path: one set for each session and
 * provider. They end with the session.
 */
export interface ProviderTokenStore {
  /**
   * Stores the tokens of a sign-in, once, or those of a linked account at another provider, replacing
   * earlier ones. Does nothing if the session has ended.
   */
  save(session: TokenSession, providerId: string, tokens: ProviderTokens): Promise<void>
  /** Returns the tokens that the keyring can open; `undefined` if the session has none. */
  read(session: TokenSession, providerId: string): Promise<ProviderTokens | undefined>
  /** Returns the tokens of linked accounts by provider. */
  readLinked(session: TokenSession): Promise<ReadonlyMap<string, ProviderTokens>>
  /**
   * Takes a lease to refresh the tokens, for `ttlMs`; `undefined` if another process holds it or the
   * session has ended. No lock or transaction is held meanwhile.
   */
  lease(session: TokenSession, providerId: string, ttlMs: number): Promise<LeasedTokens | undefined>
  /**
   * Stores refreshed tokens and releases the lease. False if the session has ended, or if the account
   * was linked again meanwhile.
   */
  replace(session: TokenSession, providerId: string, tokens: ProviderTokens): Promise<boolean>
  release(session: TokenSession, providerId: string): Promise<void>
  forget(session: TokenSession, providerId: string): Promise<void>
}

/** The identity of a user at a provider. */
export interface SignedInIdentity {
  readonly providerId: string
  /** The issuer, or the provider id without one. */
  readonly issuer: string
  readonly subject: string
  /** The current profile, which updates the stored one. */
  readonly profile: UserProfile
  /** The user that the account must already belong to. @default any, also a new one */
  readonly expectedUserId?: string
}

/** A provider account that is linked to a user. Instants are milliseconds since the epoch. */
export interface LinkedAccount {
  /** The id of the account, which is not the provider subject. */
  readonly id: string
  /** The provider of the account when it was linked. */
  readonly providerId: string
  /** The issuer, or the provider id without one. */
  readonly issuer: string
  readonly subject: string
  readonly createdAt: number
  /** When the user last signed in with it. */
  readonly lastSignInAt: number
}

/** A sign-in that the provider has completed, for {@link SignInStore.complete}. */
export interface CompletedSignIn {
  readonly identity: SignedInIdentity
  /**
   * Builds the session for a user with the roles that the operator gave. Called again with the roles as
   * they are if they differ, always with the same session id.
   */
  readonly sessionOf: (user: {
    readonly userId: string
    readonly roles: readonly string[]
  }) => SessionRecord
  readonly tokens: ProviderTokens
  /** The session that the browser has had so far; it ends. @default none */
  readonly previousSessionId?: string
  /** Maximum number of live sessions of the user; the least recently used ones end. */
  readonly maxSessions: number
}

/** The result of {@link SignInStore.complete}. */
export interface StoredSignIn {
  readonly isNew: boolean
  readonly session: SessionRecord
  /** Whether the previous session of the browser was live: 1, or 0. */
  readonly replaced: number
  readonly evicted: number
}

/** Stores what a completed sign-in leaves. */
export interface SignInStore {
  /**
   * Creates or updates the user, stores the session with its audit event and the tokens, and ends the
   * previous session of the browser and surplus ones. If users and sessions are in different databases,
   * it does so in steps.
   * @throws AuthError `AUTH_USER_DISABLED` if the user is disabled, also concurrently;
   * `AUTH_SESSION_CHANGED` if the account is not of `expectedUserId`, or was removed meanwhile.
   */
  complete(signIn: CompletedSignIn): Promise<StoredSignIn>
}

/** What the audit trail says about a change of accounts. */
export interface AccountChange {
  readonly sessionId: string
  /** Creates the pseudonym of the account in the audit trail. */
  readonly subjectHash: (issuer: string, subject: string) => string
}

/** The result of {@link UserStore.unlink}. */
export type UnlinkOutcome =
  | {
      readonly outcome: 'unlinked'
      readonly account: LinkedAccount
      /** The ids of the sessions that ended with it. */
      readonly ended: readonly string[]
    }
  | { readonly outcome: 'last' }
  | { readonly outcome: 'unknown' }

/** A user as stored. */
export interface StoredProfile extends UserProfile {
  /** The roles that the operator gave. */
  readonly roles: readonly string[]
  /** When the user first signed in, in milliseconds since the epoch. */
  readonly createdAt: number
}

/** The user store. (issuer, subject) identifies a user; an e-mail address does not. */
export interface UserStore {
  /**
   * Creates or updates the user. Returns the stable user id, the roles that the operator gave, and whether
   * the user is new.
   * @throws AuthError `AUTH_USER_DISABLED`; `AUTH_SESSION_CHANGED`, and nothing is written, if the
   * account is not of `expectedUserId`.
   */
  signIn(
    identity: SignedInIdentity,
  ): Promise<{ userId: string; roles: readonly string[]; isNew: boolean }>
  /** Returns what is stored about a user; `undefined` for an unknown id. */
  get(userId: string): Promise<StoredProfile | undefined>
  /** Lists the accounts of a user, the oldest first. */
  listAccounts(userId: string): Promise<readonly LinkedAccount[]>
  /**
   * Links an account to an enabled user and writes its audit event. Concurrent calls for one account
   * link it to one user; for the others it is a `conflict`. The profile of the user does not change.
   * @throws AuthError `AUTH_USER_DISABLED` if the user is disabled or deleted, also concurrently.
   */
  link(
    userId: string,
    identity: Omit<SignedInIdentity, 'profile'>,
    change: AccountChange,
  ): Promise<'linked' | 'already-linked' | 'conflict'>
  /**
   * Removes an account from its user, unless it is the last one, and ends the sessions that were made
   * with it, in one transaction with their audit events. If users and sessions are in different
   * databases, the sessions end afterwards: when it throws, they may still be live, and the call must
   * be repeated.
   */
  unlink(userId: string, accountId: string, change: AccountChange): Promise<UnlinkOutcome>
  /**
   * Disables a user and ends their sessions, in one transaction. If users and sessions are in different
   * databases, it does so one after the other: when it throws, sessions may still be live, and the call
   * must be repeated. False for an unknown user.
   */
  disable(userId: string): Promise<boolean>
  enable(userId: string): Promise<boolean>
  /** Deletes a user, their accounts and sessions. When it throws, they may only be disabled. */
  delete(userId: string): Promise<boolean>
  /**
   * Changes the roles that the operator gives a user, also in live sessions, in one transaction. If users
   * and sessions are in different databases, it does so one after the other: when it throws, sessions may
   * still have the old roles, and the call must be repeated. Returns the roles; `undefined` for an unknown
   * user.
   * @throws AuthError `VALIDATION_ERROR` for too many roles.
   */
  changeRoles(userId: string, change: RoleChange): Promise<readonly string[] | undefined>
}

/** A change of the roles of a user. */
export interface RoleChange {
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
}

/** Opened stores of the kv-oauth backend, for its operator. */
export interface AuthStores {
  /** Resolves if all stores are available. */
  readonly probe: () => Promise<void>
  /** Closes the connections that were opened for the stores, but not the pool. */
  readonly close: () => Promise<void>
}

/** The stores of the kv-oauth backend. */
export interface KvOAuthStores extends AuthStores {
  readonly sessions: SessionStore
  /** Whether session reads are batched, and each batch is reported to `onRead`. @default false */
  readonly sharesReads?: boolean
  /** Whether `transactions` charges rate limits. @default false */
  readonly chargesRateLimits?: boolean
  readonly transactions: TransactionStore
  /** The user store, always in Postgres. */
  readonly users: UserStore
  /** Creates the token store; the keyring encrypts the tokens. */
  readonly tokens: (keyring: Keyring) => ProviderTokenStore
  /** Creates the store of completed sign-ins; the keyring encrypts the tokens. */
  readonly signIns: (keyring: Keyring) => SignInStore
}
