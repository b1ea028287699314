import type { SessionEnd } from './audit.js'

/** What a provider says about a person, for people to read. It identifies nobody. */
export interface UserProfile {
  readonly displayName?: string
  readonly email?: string
  readonly emailVerified?: boolean
  readonly imageUrl?: string
}

/**
 * A session as it is stored: one plain-JSON entry that also carries the user's public snapshot, so
 * that `me` is the same single read as `session`. All instants are milliseconds since the epoch.
 */
export interface SessionRecord {
  /** The public id: SHA-256 of the secret in the cookie. */
  readonly id: string
  readonly userId: string
  readonly providerId: string
  /** The issuer, or the provider id where there is none: with `subject` it names the person. */
  readonly issuer: string
  readonly subject: string
  /** What the audit trail calls the person. */
  readonly auditSubject: string
  /** The provider's session id (OpenID Connect Back-Channel Logout 1.0 section 2.1). */
  readonly sid?: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly claims: Readonly<Record<string, unknown>>
  readonly user: UserProfile
  readonly userAgent?: string
  readonly issuedAt: number
  /** When the session ends unless it is extended. Never later than `absoluteExpiresAt`. */
  readonly expiresAt: number
  readonly absoluteExpiresAt: number
  /** When the idle deadline was last extended. */
  readonly refreshedAt?: number
  /** When to renew the provider's access token; absent when it cannot be renewed. */
  readonly tokenRefreshAt?: number
  /** How often in a row renewing it has failed. */
  readonly tokenRefreshFailures?: number
  /** Counts the changes of this entry; {@link SessionStore.extend} compares it. */
  readonly version: number
}

/** Why a session is changed; the reason of its `session.refreshed` event. */
export type SessionRefresh = 'used' | 'tokens-renewed' | 'tokens-not-renewed'

/**
 * Where sessions live. Creating, extending and ending one writes its audit event: in the same
 * statement, or, when sessions and trail are in two databases, before the act, so that no act is
 * without its event; an event whose act then failed is possible there. Every method throws `AuthError` `STORE_UNAVAILABLE` when the store cannot be
 * asked, and none ever takes that for "no such session". Expiry is judged by the store's clock; a
 * read never deletes.
 */
export interface SessionStore {
  /** @throws AuthError `AUTH_USER_DISABLED` when the user is disabled or gone, even in a race. */
  create(record: SessionRecord): Promise<void>
  get(id: string): Promise<SessionRecord | undefined>
  getMany(ids: readonly string[]): Promise<readonly (SessionRecord | undefined)[]>
  /**
   * Replaces the live entry of version `next.version - 1`. False when there is none: it is over, or
   * somebody else was first. Never brings back a session that ended.
   */
  extend(next: SessionRecord, why: SessionRefresh): Promise<boolean>
  /** Ends a session; returns what it was, or `undefined` when there was none. */
  revoke(id: string, end: SessionEnd): Promise<SessionRecord | undefined>
  /** The live sessions of a user, newest first. */
  listByUser(userId: string): Promise<readonly SessionRecord[]>
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
      /** The provider of a sign-in that starts; that is recorded as the acts of a session are. */
      signInAt?: string
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
  readonly accessToken?: string
  readonly refreshToken?: string
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
  readonly providerId: string
  readonly issuer: string
  readonly subject: string
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
