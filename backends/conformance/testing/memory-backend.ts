import { createHash } from 'node:crypto'
import type { AuthSession, AuthUser } from '../../../contract/session.js'
import { clearCookie, setCookie } from '../../cookie.js'
import { AuthError } from '../../errors.js'
import type { AuthBackendPort, AuthnResult, AuthSessionCryptoPort, Principal } from '../../port.js'
import { type AuthnRequest, singleCookie } from '../../request.js'
import { createHmacSessionTokenCrypto } from '../../session-token.js'
import { createMemorySignIn, MEMORY_PROVIDER, type MemoryTransaction } from './memory-sign-in.js'

export const MEMORY_COOKIE = '__Host-memory_session'

/** A session ends when it is not used for this long; using it extends it once in a window. */
const IDLE_MS = 60 * 60_000
const REFRESH_WINDOW_MS = 10 * 60_000

/** A session and its user. The session is replaced, never changed. */
export interface MemorySession {
  session: AuthSession
  readonly user: AuthUser
}

/** Where everything is kept. Several backends may share one, as processes share a database. */
export interface MemoryStore {
  readonly sessions: Map<string, MemorySession>
  readonly transactions: Map<string, MemoryTransaction>
  /** Whether it refuses to answer. */
  down: boolean
}

export const createMemoryStore = (): MemoryStore => ({
  sessions: new Map(),
  transactions: new Map(),
  down: false,
})

/** The store, if it answers: an outage is an error, and "no such session" it is not. */
export function reach(store: MemoryStore): MemoryStore {
  if (store.down) throw new AuthError('STORE_UNAVAILABLE', 'The store is down. Try again.')
  return store
}

const iso = (ms: number): string => new Date(ms).toISOString()

/**
 * Opens a session. The token goes into the cookie and is kept nowhere; store and wire know its
 * public id. The same subject is the same user every time.
 */
export function openMemorySession(
  store: MemoryStore,
  crypto: AuthSessionCryptoPort,
  subject: string,
): { token: string; session: AuthSession } {
  const { token, sessionId } = crypto.issueSessionToken()
  const now = Date.now()
  const user = { id: createHash('sha256').update(subject).digest('hex'), displayName: 'Ada' }
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
  }
  reach(store).sessions.set(sessionId, { session, user })
  return { token, session }
}

/** The cookie of a session. */
export const memoryCookie = (token: string): string =>
  setCookie(MEMORY_COOKIE, token, { maxAge: IDLE_MS / 1000 })

/**
 * A whole backend in memory: the one that the conformance suite is tried on, and a model of how to
 * write one. Its sessions end with the process, so it is of no use to anybody else.
 */
export function createMemoryBackend(store: MemoryStore, secret: string): AuthBackendPort {
  const crypto = createHmacSessionTokenCrypto(secret)

  const sessionIdOf = (request: AuthnRequest): string | undefined => {
    const token = singleCookie(request, MEMORY_COOKIE)
    return token === undefined ? undefined : crypto.openSessionToken(token)
  }
  const find = (id: string | undefined): MemorySession | undefined => {
    const found = id === undefined ? undefined : reach(store).sessions.get(id)
    return found && Date.parse(found.session.expiresAt) > Date.now() ? found : undefined
  }
  const liveOf = (userId: string): readonly MemorySession[] =>
    [...reach(store).sessions.values()].filter(
      ({ session, user }) => user.id === userId && find(session.id),
    )
  const end = (ended: readonly MemorySession[]): number => {
    for (const { session } of ended) reach(store).sessions.delete(session.id)
    return ended.length
  }
  const extend = (found: MemorySession): AuthSession => {
    const { session } = found
    const now = Date.now()
    const used = Date.parse(session.refreshedAt ?? session.issuedAt)
    if (now - used < REFRESH_WINDOW_MS) return session
    return (found.session = { ...session, refreshedAt: iso(now), expiresAt: iso(now + IDLE_MS) })
  }

  return {
    name: 'memory',
    providers: {
      listProviders: () => [MEMORY_PROVIDER],
      getProvider: (id) => (id === MEMORY_PROVIDER.id ? MEMORY_PROVIDER : undefined),
    },
    crypto,
    principalMapper: { mapSessionToPrincipal },
    capabilities: {
      interactive: true,
      listSessions: true,
      revokeSessions: true,
      refresh: true,
      providerLogout: false,
    },
    interactive: createMemorySignIn(store, (request, subject) => {
      const previous = find(sessionIdOf(request))
      if (previous) end([previous])
      return openMemorySession(store, crypto, subject)
    }),
    sessions: {
      async signOut(request, { everywhere }) {
        const found = find(sessionIdOf(request))
        if (found) end(everywhere ? liveOf(found.user.id) : [found])
        return {
          ...(found && { sessionId: found.session.id }),
          setCookies: [clearCookie(MEMORY_COOKIE)],
        }
      },
      async listSessions(userId) {
        return liveOf(userId)
          .map(({ session }) => ({ session }))
          .sort((a, b) => b.session.issuedAt.localeCompare(a.session.issuedAt))
      },
      async revokeSession(userId, sessionId) {
        const found = find(sessionId)
        return found?.user.id === userId && end([found]) === 1
      },
      async revokeSessions(userId, { except } = {}) {
        return end(liveOf(userId).filter(({ session }) => session.id !== except))
      },
    },
    async authenticate(request): Promise<AuthnResult> {
      const id = sessionIdOf(request)
      const found = find(id)
      if (!found) {
        const sent = request.cookies(MEMORY_COOKIE).length > 0
        const unknown = sent ? 'credential-invalid' : 'credential-missing'
        return { ok: false, reason: id ? 'session-unknown' : unknown, setCookies: [] }
      }
      const session = extend(found)
      return {
        ok: true,
        session,
        user: found.user,
        principal: mapSessionToPrincipal(session),
        setCookies: [],
      }
    },
    async probe() {
      reach(store)
    },
    async close() {},
  }
}

function mapSessionToPrincipal(session: AuthSession): Principal {
  return {
    subject: session.userId,
    scopes: session.scopes,
    roles: session.roles,
    scheme: 'custom',
    claims: { sessionId: session.id },
  }
}
