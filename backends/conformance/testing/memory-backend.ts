import { randomUUID } from 'node:crypto'
import type { AuthSession, AuthUser } from '../../../contract/session.js'
import { clearCookie, setCookie } from '../../cookie.js'
import { AuthError } from '../../errors.js'
import type {
  AnonymousReason,
  AuthBackendPort,
  AuthnResult,
  AuthSessionsPort,
  Principal,
} from '../../port.js'
import { type AuthnRequest, singleCookie } from '../../request.js'
import { createHmacSessionTokenCrypto } from '../../session-token.js'
import { createMemorySignIn, type MemoryTransaction } from './memory-sign-in.js'

export const MEMORY_PROVIDER = { id: 'memory', displayName: 'Memory', kind: 'oauth' } as const
export const MEMORY_COOKIE = '__Host-memory_session'

/** A session ends when it is not used for this long; using it extends it once in a window. */
const IDLE_MS = 60 * 60_000
const REFRESH_WINDOW_MS = 10 * 60_000

/** A session and its user. The session object is replaced, never changed. */
export interface MemorySession {
  session: AuthSession
  readonly user: AuthUser
}

/** Where the backend keeps everything; several backends may share one. */
export interface MemoryStore {
  readonly sessions: Map<string, MemorySession>
  readonly transactions: Map<string, MemoryTransaction>
  /** Whether the store refuses to answer. */
  down: boolean
}

export const createMemoryStore = (): MemoryStore => ({
  sessions: new Map(),
  transactions: new Map(),
  down: false,
})

const iso = (ms: number): string => new Date(ms).toISOString()
const anonymous = (reason: AnonymousReason): AuthnResult => ({ ok: false, reason, setCookies: [] })

/**
 * A whole backend in memory, with every capability: the one that the conformance suite is tried on,
 * and a model of how to write one. Sessions end with the process, so it serves nobody else.
 */
export function createMemoryBackend(store: MemoryStore, secret: string): AuthBackendPort {
  const crypto = createHmacSessionTokenCrypto(secret)

  /** An outage is an error; "no such session" it is not. */
  const sessions = (): Map<string, MemorySession> => {
    if (store.down) throw new AuthError('STORE_UNAVAILABLE', 'The store is down. Try again.')
    return store.sessions
  }
  const find = (id: string): MemorySession | undefined => {
    const found = sessions().get(id)
    return found && Date.parse(found.session.expiresAt) > Date.now() ? found : undefined
  }
  const liveOf = (userId: string): MemorySession[] =>
    [...sessions().values()].filter(({ session }) => session.userId === userId && find(session.id))

  /** The secret is in the cookie; what the store and the wire know is its public id. */
  const sessionIdOf = (request: AuthnRequest): string | AnonymousReason => {
    const token = singleCookie(request, MEMORY_COOKIE)
    if (token === undefined) return 'credential-missing'
    return crypto.openSessionToken(token) ?? 'credential-invalid'
  }

  const open = (user: AuthUser, subject: string): { sessionId: string; setCookie: string } => {
    const { token, sessionId } = crypto.issueSessionToken()
    const now = Date.now()
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
    sessions().set(sessionId, { session, user })
    return { sessionId, setCookie: setCookie(MEMORY_COOKIE, token, { maxAge: IDLE_MS / 1000 }) }
  }

  const extend = (found: MemorySession): AuthSession => {
    const { session } = found
    const now = Date.now()
    if (now - Date.parse(session.refreshedAt ?? session.issuedAt) < REFRESH_WINDOW_MS) {
      return session
    }
    return (found.session = { ...session, refreshedAt: iso(now), expiresAt: iso(now + IDLE_MS) })
  }

  const port: AuthSessionsPort = {
    async signOut(request, { everywhere }) {
      const found = find(sessionIdOf(request))
      const ended = found && everywhere ? liveOf(found.user.id) : found ? [found] : []
      for (const { session } of ended) sessions().delete(session.id)
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
      return find(sessionId)?.user.id === userId && sessions().delete(sessionId)
    },
    async revokeSessions(userId, { except } = {}) {
      const ended = liveOf(userId).filter(({ session }) => session.id !== except)
      for (const { session } of ended) sessions().delete(session.id)
      return ended.length
    },
  }

  return {
    name: 'memory',
    providers: {
      listProviders: () => [MEMORY_PROVIDER],
      getProvider: (id) => (id === MEMORY_PROVIDER.id ? MEMORY_PROVIDER : undefined),
    },
    sessions: port,
    crypto,
    principalMapper: { mapSessionToPrincipal },
    capabilities: {
      interactive: true,
      listSessions: true,
      revokeSessions: true,
      refresh: true,
      providerLogout: false,
    },
    interactive: createMemorySignIn(store, {
      // Who had this subject before has this user id.
      open: (subject) => {
        const user = { id: `user-${subject}`, displayName: 'Ada' }
        return { ...open(user, subject), userId: user.id }
      },
      end: (request) => void sessions().delete(sessionIdOf(request)),
    }),
    async authenticate(request) {
      const id = sessionIdOf(request)
      if (id === 'credential-missing' || id === 'credential-invalid') return anonymous(id)
      const found = find(id)
      if (!found) return anonymous('session-unknown')
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
      sessions()
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

/** A subject that nobody had before. */
export const newSubject = (): string => randomUUID()
