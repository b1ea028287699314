import { randomUUID } from 'node:crypto'
import type { AuthSession, AuthUser } from '@netscript/auth-contract'
import { type AuthSessionCryptoPort, AuthError, setCookie } from '@netscript/plugin-auth-core'

export const MEMORY_PROVIDER = {
  id: 'memory',
  displayName: 'Memory',
  kind: 'oauth',
  stepUp: true,
} as const

/** The default of the other backends, so that guards forward it without a setting. */
export const MEMORY_COOKIE = '__Host-ns_session'

/** The limits of sessions, in milliseconds. */
export interface MemoryPolicy {
  readonly idleMs: number
  readonly absoluteMs: number
}

/** The limits of the kv-oauth backend. */
export const DEFAULT_POLICY: MemoryPolicy = {
  idleMs: 24 * 60 * 60_000,
  absoluteMs: 7 * 24 * 60 * 60_000,
}

/** How long a started sign-in works. */
export const TRANSACTION_MS = 10 * 60_000

/** Maximum entries of each kind: a test that creates more is a loop. */
const MAX_ENTRIES = 10_000

/** A session and its user. The session object is replaced, never mutated. */
export interface MemorySession {
  session: AuthSession
  readonly user: AuthUser
}

/** A started sign-in, stored under the hash of the secret in its cookie. */
export interface MemoryTransaction {
  readonly state: string
  readonly returnTo: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** What the provider must confirm. */
  readonly acrValues?: readonly string[]
  /** The session that a step-up must return to. */
  readonly boundTo?: AuthSession
  /** The session whose user gets the account. */
  readonly linkTo?: AuthSession
}

/** An account of the provider and its user. */
export interface MemoryAccount {
  readonly id: string
  readonly userId: string
  readonly subject: string
  readonly createdAt: string
  readonly lastSignInAt: string
}

/** What the provider says about a subject. */
export interface MemoryProfile {
  /** @default a random id at the first sign-in */
  readonly userId?: string
  readonly user: Omit<AuthUser, 'id'>
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly claims: Readonly<Record<string, unknown>>
  /** The class of every sign-in; without one, the provider confirms none. */
  readonly acr?: string
}

const STRANGER: MemoryProfile = {
  user: { displayName: 'Ada' },
  roles: [],
  scopes: ['openid'],
  claims: {},
}

/** The store. Several backends can share one, as processes share a database. */
export interface MemoryStore {
  readonly sessions: Map<string, MemorySession>
  readonly transactions: Map<string, MemoryTransaction>
  /** By subject, in the order in which they were linked. */
  readonly accounts: Map<string, MemoryAccount>
  /** By subject. */
  readonly profiles: Map<string, MemoryProfile>
  readonly policy: MemoryPolicy
  /** Whether the store is unavailable. */
  down: boolean
}

export const createMemoryStore = (policy: MemoryPolicy = DEFAULT_POLICY): MemoryStore => ({
  sessions: new Map(),
  transactions: new Map(),
  accounts: new Map(),
  profiles: new Map(),
  policy,
  down: false,
})

/** Returns the store, or throws during an outage, which is not the same as an unknown session. */
export function reach(store: MemoryStore): MemoryStore {
  if (store.down) throw new AuthError('STORE_UNAVAILABLE', 'The store is down. Try again.')
  return store
}

/** Adds an entry; the oldest one is evicted when there are too many. */
export function put<Value>(entries: Map<string, Value>, key: string, value: Value): void {
  entries.set(key, value)
  const [oldest] = entries.keys()
  if (entries.size > MAX_ENTRIES && oldest !== undefined) entries.delete(oldest)
}

export const iso = (ms: number): string => new Date(ms).toISOString()

/** When a session that is used at `now` ends. */
export const expiryOf = (
  { policy }: MemoryStore,
  { issuedAt }: Pick<AuthSession, 'issuedAt'>,
  now: number,
): string => iso(Math.min(now + policy.idleMs, Date.parse(issuedAt) + policy.absoluteMs))

/**
 * Opens a session. The token is only in the cookie; the store and the API use its public id. The same
 * subject is the same user every time.
 */
export function openMemorySession(
  store: MemoryStore,
  crypto: AuthSessionCryptoPort,
  subject: string,
): { token: string; session: AuthSession } {
  const { token, sessionId } = crypto.issueSessionToken()
  const now = Date.now()
  const { accounts, profiles, sessions } = reach(store)
  const profile = profiles.get(subject) ?? STRANGER
  const account = accounts.get(subject) ?? newMemoryAccount(subject, profile.userId ?? randomUUID())
  put(accounts, subject, { ...account, lastSignInAt: iso(now) })
  const user = { id: account.userId, ...profile.user }
  const session: AuthSession = {
    id: sessionId,
    userId: user.id,
    subject,
    providerId: MEMORY_PROVIDER.id,
    state: 'active',
    scopes: [...profile.scopes],
    roles: [...profile.roles],
    claims: { ...profile.claims },
    issuedAt: iso(now),
    expiresAt: expiryOf(store, { issuedAt: iso(now) }, now),
    // Its provider asks every time.
    authTime: iso(now),
    ...(profile.acr !== undefined && { acr: profile.acr }),
  }
  put(sessions, sessionId, { session, user })
  return { token, session }
}

/** An account that is linked to a user now. */
export function newMemoryAccount(subject: string, userId: string): MemoryAccount {
  const now = iso(Date.now())
  return { id: randomUUID(), userId, subject, createdAt: now, lastSignInAt: now }
}

export const memoryCookie = ({ policy }: MemoryStore, token: string): string =>
  setCookie(MEMORY_COOKIE, token, { maxAge: Math.floor(policy.absoluteMs / 1000) })

/** Makes everything in the store older, as if time had passed. */
export function age({ sessions, accounts, transactions }: MemoryStore, ms: number): void {
  const earlier = (instant: string): string => iso(Date.parse(instant) - ms)
  for (const row of sessions.values()) {
    const { issuedAt, expiresAt, authTime, refreshedAt } = row.session
    row.session = {
      ...row.session,
      issuedAt: earlier(issuedAt),
      expiresAt: earlier(expiresAt),
      ...(authTime !== undefined && { authTime: earlier(authTime) }),
      ...(refreshedAt !== undefined && { refreshedAt: earlier(refreshedAt) }),
    }
  }
  for (const [subject, { createdAt, lastSignInAt, ...rest }] of accounts) {
    const dates = { createdAt: earlier(createdAt), lastSignInAt: earlier(lastSignInAt) }
    accounts.set(subject, { ...rest, ...dates })
  }
  for (const [key, one] of transactions) {
    transactions.set(key, { ...one, startedAt: one.startedAt - ms })
  }
}
