import { randomUUID } from 'node:crypto'
import type { AuthSession, AuthUser } from '../../../contract/session.js'
import { setCookie } from '../../cookie.js'
import { AuthError } from '../../errors.js'
import type { AuthSessionCryptoPort } from '../../port.js'

export const MEMORY_PROVIDER = {
  id: 'memory',
  displayName: 'Memory',
  kind: 'oauth',
  stepUp: true,
} as const
export const MEMORY_COOKIE = '__Host-memory_session'

/** Idle timeout of a session. */
export const IDLE_MS = 60 * 60_000

/** A session and its user. The session object is replaced, never mutated. */
export interface MemorySession {
  session: AuthSession
  readonly user: AuthUser
}

/** A started sign-in, stored under the hash of the secret in its cookie. */
export interface MemoryTransaction {
  readonly state: string
  readonly returnTo: string
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

/** The store. Several backends can share one, as processes share a database. */
export interface MemoryStore {
  readonly sessions: Map<string, MemorySession>
  readonly transactions: Map<string, MemoryTransaction>
  /** By subject, in the order in which they were linked. */
  readonly accounts: Map<string, MemoryAccount>
  /** Whether the store is unavailable. */
  down: boolean
}

export const createMemoryStore = (): MemoryStore => ({
  sessions: new Map(),
  transactions: new Map(),
  accounts: new Map(),
  down: false,
})

/** Returns the store, or throws during an outage, which is not the same as an unknown session. */
export function reach(store: MemoryStore): MemoryStore {
  if (store.down) throw new AuthError('STORE_UNAVAILABLE', 'The store is down. Try again.')
  return store
}

const iso = (ms: number): string => new Date(ms).toISOString()

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
  const known = reach(store).accounts.get(subject)
  const account = known ?? newMemoryAccount(subject, randomUUID())
  store.accounts.set(subject, { ...account, lastSignInAt: iso(now) })
  const user = { id: account.userId, displayName: 'Ada' }
  const session: AuthSession = {
    id: sessionId,
    userId: user.id,
    subject,
    providerId: MEMORY_PROVIDER.id,
    state: 'active',
    scopes: ['openid'],
    roles: [],
    claims: {},
    issuedAt: iso(now),
    expiresAt: iso(now + IDLE_MS),
    // Its provider asks every time.
    authTime: iso(now),
  }
  reach(store).sessions.set(sessionId, { session, user })
  return { token, session }
}

/** An account that is linked to a user now. */
export function newMemoryAccount(subject: string, userId: string): MemoryAccount {
  const now = iso(Date.now())
  return { id: randomUUID(), userId, subject, createdAt: now, lastSignInAt: now }
}

export const memoryCookie = (token: string): string =>
  setCookie(MEMORY_COOKIE, token, { maxAge: IDLE_MS / 1000 })
