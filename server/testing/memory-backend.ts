import {
  type AuthSession,
  type LinkedAccount,
  mapSessionToPrincipal,
} from '@netscript/auth-contract'
import {
  type AuthBackendPort,
  AuthError,
  type AuthnRequest,
  type AuthnResult,
  clearCookie,
  createHmacSessionTokenCrypto,
  singleCookie,
} from '@netscript/plugin-auth-core'
import {
  newestFirst,
  pageOf,
  type SessionPosition,
  sessionRange,
} from '@netscript/plugin-auth-core/internal'
import { createMemorySignIn, type MemoryProvider } from './memory-sign-in.js'
import {
  expiryOf,
  iso,
  MEMORY_COOKIE,
  MEMORY_PROVIDER,
  type MemoryAccount,
  type MemorySession,
  type MemoryStore,
  openMemorySession,
  reach,
} from './memory-store.js'

/** Minimum time between two extensions of a session. */
const REFRESH_WINDOW_MS = 15 * 60_000

const positionOf = ({ session }: { session: AuthSession }): SessionPosition => ({
  issuedAt: Date.parse(session.issuedAt),
  id: session.id,
})

/** A complete backend in memory. Not for production: its sessions end with the process. */
export function createMemoryBackend(
  store: MemoryStore,
  secret: string,
  provider?: MemoryProvider,
): AuthBackendPort {
  const crypto = createHmacSessionTokenCrypto(secret)
  const refreshWindowMs = Math.min(REFRESH_WINDOW_MS, store.policy.idleMs / 10)

  const sessionIdOf = (request: AuthnRequest): string | undefined => {
    const token = singleCookie(request, MEMORY_COOKIE)
    return token === undefined ? undefined : crypto.openSessionToken(token)
  }
  const find = (id: string | undefined): MemorySession | undefined => {
    const found = id === undefined ? undefined : reach(store).sessions.get(id)
    if (!found || Date.parse(found.session.expiresAt) > Date.now()) return found
    store.sessions.delete(found.session.id)
    return undefined
  }
  const liveOf = (userId: string): readonly MemorySession[] =>
    [...reach(store).sessions.values()].filter(
      ({ session, user }) => user.id === userId && find(session.id),
    )
  const end = (ended: readonly MemorySession[]): number => {
    for (const { session } of ended) reach(store).sessions.delete(session.id)
    return ended.length
  }
  const accountsOf = (userId: string): readonly MemoryAccount[] =>
    [...reach(store).accounts.values()].filter((account) => account.userId === userId)
  const listed = (userId: string, current: string): LinkedAccount[] =>
    accountsOf(userId).map(({ id, subject, createdAt, lastSignInAt }) => ({
      ...{ id, subject, createdAt, lastSignInAt },
      providerId: MEMORY_PROVIDER.id,
      current: subject === current,
    }))
  const extend = (found: MemorySession): AuthSession => {
    const { session } = found
    const now = Date.now()
    const used = Date.parse(session.refreshedAt ?? session.issuedAt)
    if (now - used < refreshWindowMs) return session
    const expiresAt = expiryOf(store, session, now)
    return (found.session = { ...session, refreshedAt: iso(now), expiresAt })
  }

  return {
    name: 'memory',
    providers: {
      listProviders: () => [MEMORY_PROVIDER],
      getProvider: (id) => (id === MEMORY_PROVIDER.id ? MEMORY_PROVIDER : undefined),
    },
    capabilities: {
      listSessions: true,
      revokeSessions: true,
      refresh: true,
      providerLogout: false,
    },
    interactive: createMemorySignIn(
      store,
      (request, subject) => {
        const previous = find(sessionIdOf(request))
        if (previous) end([previous])
        return openMemorySession(store, crypto, subject)
      },
      (request) => find(sessionIdOf(request))?.session,
      provider,
    ),
    async getProviderToken({ id }) {
      const found = find(id)
      if (!found) throw new AuthError('UNAUTHORIZED', 'The session has ended.')
      const accessToken = `provider token of ${found.user.id}`
      return { accessToken, providerId: MEMORY_PROVIDER.id, scopes: [] }
    },
    sessions: {
      async signOut(request, { everywhere }) {
        const found = find(sessionIdOf(request))
        if (found) end(everywhere ? liveOf(found.user.id) : [found])
        return {
          ...(found && { sessionId: found.session.id }),
          setCookies: [clearCookie(MEMORY_COOKIE)],
        }
      },
      async listSessions(userId, options) {
        const { limit, after } = sessionRange(options)
        const rest = liveOf(userId)
          .map(({ session }) => ({ session }))
          .filter((item) => after === undefined || newestFirst(after, positionOf(item)) < 0)
          .sort((a, b) => newestFirst(positionOf(a), positionOf(b)))
        return pageOf(rest, limit, positionOf, (item) => item)
      },
      async revokeSession(userId, sessionId) {
        const found = find(sessionId)
        return found?.user.id === userId && end([found]) === 1
      },
      async revokeSessions(userId, { except } = {}) {
        return end(liveOf(userId).filter(({ session }) => session.id !== except))
      },
    },
    selfService: {
      async exportUser({ id, userId }) {
        const found = find(id)
        if (!found) throw new AuthError('UNAUTHORIZED', 'Sign in first.')
        const { id: _id, claims: _claims, ...profile } = found.user
        const [first] = accountsOf(userId)
        return {
          exportedAt: iso(Date.now()),
          user: {
            id: userId,
            ...profile,
            roles: found.session.roles,
            createdAt: first?.createdAt ?? found.session.issuedAt,
          },
          accounts: listed(userId, found.session.subject),
          sessions: liveOf(userId).map(({ session }) => ({ session, current: session.id === id })),
          events: [],
        }
      },
      async deleteUser({ userId }) {
        for (const { subject } of accountsOf(userId)) {
          store.accounts.delete(subject)
          store.profiles.delete(subject)
        }
        end(liveOf(userId))
      },
    },
    accounts: {
      list: async ({ userId, subject }) => listed(userId, subject),
      async unlink({ userId }, accountId) {
        const accounts = accountsOf(userId)
        const account = accounts.find(({ id }) => id === accountId)
        if (!account) throw new AuthError('NOT_FOUND', 'You have no such account.')
        if (accounts.length === 1) {
          throw new AuthError('AUTH_LAST_ACCOUNT', 'You could not sign in any more.')
        }
        store.accounts.delete(account.subject)
        const ended = liveOf(userId).filter(({ session }) => session.subject === account.subject)
        end(ended)
        return { ended: ended.map(({ session }) => session.id) }
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
