import type { Keyring, SessionEnd, SessionRange } from '@netscript/plugin-auth-core'

/** What a provider says about a person, for people to read. It identifies nobody. */
export interface UserProfile {
  /** Name to show. */
  readonly displayName?: string
  /** The e-mail address. */
  readonly email?: string
  /** Whether the provider verified the address; absent when it does not say. */
  readonly emailVerified?: boolean
  /** URL of a picture. */
  readonly imageUrl?: string
}

/**
 * A session as it is stored: one plain-JSON entry that also carries the user's public snapshot, so
 * that `me` is the same single read as `session`. All instants are milliseconds since the epoch.
 */
export interface SessionRecord {
  /** The public id: SHA-256 of the secret in the cookie. */
  readonly id: string
  /** The stable id of the person here. */
  readonly userId: string
  /** The provider that signed them in. */
  readonly providerId: string
  /** The issuer, or the provider id where there is none: with `subject` it names the person. */
  readonly issuer: string
  /** The provider's identifier for the person. */
  readonly subject: string
  /** What the audit trail calls the person. */
  readonly auditSubject: string
  /** The provider's session id (OpenID Connect Back-Channel Logout 1.0 section 2.1). */
  readonly sid?: string
  /** Scopes that the provider granted. */
  readonly scopes: readonly string[]
  /** Roles of the user. */
  readonly roles: readonly string[]
  /** Present when the id_token has no claim of roles, and a refreshed one says nothing of them. */
  readonly rolesFrom?: 'user-info'
  /** Claims, cut to the allow-list. */
  readonly claims: Readonly<Record<string, unknown>>
  /** The user's public snapshot of the sign-in. */
  readonly user: UserProfile
  /** The `User-Agent` that signed in, cut to 256 characters. */
  readonly userAgent?: string
  /** When the person signed in. */
  readonly issuedAt: number
  /** When the session ends unless it is extended. Never later than `absoluteExpiresAt`. */
  readonly expiresAt: number
  /** When the session ends however much it is used. */
  readonly absoluteExpiresAt: number
  /** When the idle deadline was last extended. */
  readonly refreshedAt?: number
  /** When to renew the provider's access token; absent when it cannot be renewed. */
  readonly tokenRefreshAt?: number
  /** How often in a row renewing it has failed. */
  readonly tokenRefreshFailures?: number
  /** How often in a row renewing it was refused without an OAuth error, and since when. */
  readonly tokenRefusals?: { readonly count: number; readonly since: number } | undefined
  /** Counts the changes of this entry; {@link SessionStore.extend} compares it. */
  readonly version: number
}

/** Why a session is changed; the reason of its `session.refreshed` event. */
export type SessionRefresh = 'used' | 'tokens-renewed' | 'tokens-not-renewed'

/** Maximum number of sessions that one sign-in ends because the user has too many. */
export const MAX_EVICTED = 100

/**
 * Where sessions live. Creating, extending and ending one writes its audit event: in the same
 * statement, or, when sessions and trail are in two databases, before the act, so that no act is
 * without its event; an event whose act then failed is possible there. Every method throws `AuthError` `STORE_UNAVAILABLE` when the store cannot be
 * asked, and none ever takes that for "no such session". Expiry is judged by the store's clock; a
 * read never deletes.
 */
export interface SessionStore {
  /**
   * Keeps a new session.
   * @throws AuthError `AUTH_USER_DISABLED` when the user is disabled or gone, even in a race.
   */
  create(record: SessionRecord): Promise<void>
  /** The live session with the id; `undefined` when there is none, or it is over. */
  get(id: string): Promise<SessionRecord | undefined>
  /**
   * Replaces the live entry of version `next.version - 1`. False when there is none: it is over, or
   * somebody else was first. Never brings back a session that ended.
   */
  extend(next: SessionRecord, why: SessionRefresh): Promise<boolean>
  /** Ends a session; returns what it was, or `undefined` when there was none. */
  revoke(id: string, end: SessionEnd): Promise<SessionRecord | undefined>
  /**
   * Live sessions of a user, newest first: at most `limit` of those after a position.
   * Default: the newest 100.
   */
  listByUser(userId: string, range?: Partial<SessionRange>): Promise<readonly SessionRecord[]>
  /**
   * Ends the least recently used sessions of a user until `max` are left: at most 100 at once, and
   * never `keep`. Returns how many. Concurrent calls leave `max` together; one whose `keep` has ended
   * does nothing.
   */
  evict(userId: string, options: { keep: string; max: number }): Promise<number>
  /** Ends the sessions of a user, but for one; returns their number. */
  revokeByUser(userId: string, end: SessionEnd, options?: { except?: string }): Promise<number>
  /**
   * Ends the sessions that a provider names by `sid`, by `subject`, or by both; returns their number.
   *
   * With `once` the first call of a key does so and remembers the key for `ttlMs`; until then every
   * other call, in whatever process, ends nothing and gets `undefined`. What fails or is cut off
   * leaves the key unused, to be tried again. A store that cannot end and remember in one step
   * claims the key for some seconds, ends, and remembers then; a call that finds a claim throws
   * `STORE_UNAVAILABLE`, since the holder of it may have died over it.
   */
  revokeByProviderSession(
    session: { issuer: string; sid?: string; subject?: string },
    once?: { key: string; ttlMs: number },
  ): Promise<number | undefined>
  /**
   * Deletes up to `limit` expired entries; returns how many, which is none where the store does so by
   * itself. Safe in many processes at once.
   */
  sweep(limit: number): Promise<number>
  /** The number of live sessions. */
  count(): Promise<number>
  /** Resolves when the store answers. */
  probe(): Promise<void>
}

/** Short-lived entries that work once. */
export interface TransactionStore {
  /** Keeps `sealed` under `key` for `ttlMs`. */
  put(
    key: string,
    entry: {
      stateHash: string
      sealed: string
      /**
       * Whether a later write of the same flow is flushed to disk, so that this one need not be: a
       * crash between them loses nothing that was acknowledged. Default: false.
       */
      flushedLater?: boolean
    },
    ttlMs: number,
  ): Promise<void>
  /**
   * Takes the live entry that has both this key and this state hash, in one atomic step: of any
   * number of callers one gets it. An entry of another state stays where it is.
   */
  take(key: string, stateHash: string): Promise<string | undefined>
}

/** The provider's tokens of a session, as text; the store seals each of them. */
export interface ProviderTokens {
  /** The access token (RFC 6749 section 1.4). */
  readonly accessToken?: string
  /** The refresh token, if the provider gave one. */
  readonly refreshToken?: string
  /** The id_token of an OpenID provider, a hint when signing out there. */
  readonly idToken?: string
}

/** The tokens that somebody has the right to renew. */
export interface LeasedTokens extends ProviderTokens {
  /**
   * Whether an earlier holder never gave the lease back: the provider may have renewed these tokens
   * already, for somebody who could not store the new ones.
   */
  readonly abandoned: boolean
}

/** Keeps the provider's tokens beside the sessions, off the read path; they end with the session. */
export interface ProviderTokenStore {
  /** Does nothing when the session is over. */
  save(sessionId: string, tokens: ProviderTokens): Promise<void>
  /** The tokens that a key of the ring opens; `undefined` when the session has none. */
  read(sessionId: string): Promise<ProviderTokens | undefined>
  /**
   * Takes the right to renew the tokens for `ttlMs`; `undefined` when somebody else holds it or the
   * session is over. No lock and no transaction is held meanwhile.
   */
  lease(sessionId: string, ttlMs: number): Promise<LeasedTokens | undefined>
  /** Stores renewed tokens and gives the lease back. False when the session is over. */
  replace(sessionId: string, tokens: ProviderTokens): Promise<boolean>
  /** Gives the lease back. */
  release(sessionId: string): Promise<void>
}

/** A person as a provider knows them. */
export interface SignedInIdentity {
  /** The provider that signed them in. */
  readonly providerId: string
  /** The issuer, or the provider id where there is none. */
  readonly issuer: string
  /** The provider's identifier for the person. */
  readonly subject: string
  /** What the provider says about them, to be kept up to date. */
  readonly profile: UserProfile
}

/** The people who signed in. A person is (issuer, subject); an e-mail address names nobody. */
export interface UserStore {
  /**
   * Creates or updates the person and returns their stable id.
   * @throws AuthError `AUTH_USER_DISABLED`
   */
  signIn(identity: SignedInIdentity): Promise<{ userId: string }>
  /**
   * Disables a user and ends their sessions, in one transaction or, when they are in two databases,
   * one after the other: when it throws, the user may be disabled and the sessions may go on, until
   * it is done again. False when there is no such user.
   */
  disable(userId: string): Promise<boolean>
  /** Lets a disabled user sign in again. */
  enable(userId: string): Promise<boolean>
  /** Deletes a user, their accounts and their sessions. When it throws, they may be disabled only. */
  delete(userId: string): Promise<boolean>
}

/** Everything that the kv-oauth backend remembers. */
export interface AuthStores {
  /** The sessions. */
  readonly sessions: SessionStore
  /** Whether reads of sessions share queries, each of which `onRead` is told of. Default: false. */
  readonly sharesReads?: boolean
  /** Sign-ins and sign-outs under way. */
  readonly transactions: TransactionStore
  /** The people, in Postgres in any case. */
  readonly users: UserStore
  /** The keyring seals the tokens. */
  readonly tokens: (keyring: Keyring) => ProviderTokenStore
  /** Resolves when all of them answer. */
  readonly probe: () => Promise<void>
  /** Releases what was opened for them; the pool stays whose it is. */
  readonly close: () => Promise<void>
}
