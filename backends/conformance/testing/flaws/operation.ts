import { clearCookie } from '../../../cookie.js'
import { AuthError } from '../../../errors.js'
import type { AuthBackendCapabilities, AuthnResult } from '../../../port.js'
import { singleCookie } from '../../../request.js'
import { publicId } from '../../../session-token.js'
import { MEMORY_COOKIE, MEMORY_PROVIDER } from '../memory-store.js'
import { authenticating, claiming, describing, type Flaw, managing, turn } from './flaw.js'

const ANONYMOUS: AuthnResult = { ok: false, reason: 'session-unknown', setCookies: [] }

export const OPERATION_FLAWS: readonly Flaw[] = [
  {
    check: 'name-is-expected',
    flaw: 'the name is wrong',
    because: /another name/,
    change: () => ({ name: 'Memory' }),
  },
  {
    check: 'capabilities-are-complete',
    flaw: 'a capability is missing',
    because: /capabilities.refresh is not a boolean/,
    change: ({ capabilities: { refresh: _refresh, ...rest } }) => ({
      capabilities: rest as AuthBackendCapabilities,
    }),
  },
  {
    check: 'interactive-matches-capability',
    flaw: 'a redirect flow is present but not claimed',
    because: /they disagree/,
    change: claiming({ interactive: false }),
  },
  {
    check: 'interactive-matches-capability',
    flaw: 'a method of the redirect flow is missing',
    because: /interactive.startLogout is missing/,
    change: ({ interactive }) => ({
      interactive: { ...interactive, startLogout: undefined } as never,
    }),
  },
  {
    check: 'refresh-extends-session',
    flaw: 'nothing is extended',
    because: /the session was not extended/,
    change: authenticating((authenticate, _backend, store) => async (request) => {
      const issuedAt = new Date().toISOString()
      for (const row of store.sessions.values()) row.session = { ...row.session, issuedAt }
      return authenticate(request)
    }),
  },
  {
    check: 'refresh-extends-session',
    flaw: 'refresh is claimed but the harness has no refreshDue',
    because: /capabilities.refresh is true, so the harness needs refreshDue/,
    change: () => ({}),
    harness: () => ({ refreshDue: undefined }) as never,
  },
  {
    check: 'no-refresh-extends-nothing',
    flaw: 'sessions are extended although the capability is false',
    because: /a cookie is set although nothing was extended/,
    change: (backend, store) => ({
      ...claiming({ refresh: false })(backend, store),
      ...describing(() => ({ setCookies: ['a=b'] }))(backend, store),
    }),
  },
  {
    check: 'no-refresh-extends-nothing',
    flaw: 'every use extends the session although the capability is false',
    because: /the session was extended/,
    change: (backend, store) => {
      let reads = 0
      return {
        ...claiming({ refresh: false })(backend, store),
        ...describing(({ session }) => ({
          session: { ...session, expiresAt: new Date(Date.now() + (reads += 1000)).toISOString() },
        }))(backend, store),
      }
    },
  },
  {
    check: 'refresh-is-safe-at-once',
    flaw: 'a request that loses the race to refresh is anonymous',
    because: /no user is signed in: one of twenty at once/,
    change: authenticating((authenticate) => {
      let refreshing = false
      return async (request) => {
        if (refreshing) return ANONYMOUS
        refreshing = true
        await turn()
        refreshing = false
        return authenticate(request)
      }
    }),
  },
  {
    check: 'outage-is-not-anonymous',
    flaw: 'an outage is anonymous',
    because: /must be refused, but was answered/,
    change: authenticating(
      (authenticate) => (request) => authenticate(request).catch(() => ANONYMOUS),
    ),
  },
  {
    check: 'outage-is-not-anonymous',
    flaw: 'an outage is an internal error',
    because: /STORE_UNAVAILABLE or AUTH_PROVIDER_ERROR must be thrown, not Error: ECONNREFUSED/,
    change: authenticating(
      (authenticate) => (request) =>
        authenticate(request).catch(() => Promise.reject(new Error('ECONNREFUSED'))),
    ),
  },
  {
    check: 'outage-is-not-anonymous',
    flaw: 'a self-contained credential is anonymous during an outage',
    because: /no user is signed in: while the store is down/,
    change: authenticating(
      (authenticate) => (request) => authenticate(request).catch(() => ANONYMOUS),
    ),
    harness: () => ({ selfContained: true }),
  },
  {
    check: 'outage-fails-sign-out',
    flaw: 'during an outage signing out only clears the cookie',
    because: /signOut, while the store is down, must be refused, but was answered/,
    change: managing((sessions) => ({
      signOut: (...given) =>
        sessions.signOut(...given).catch(() => ({ setCookies: [clearCookie(MEMORY_COOKIE)] })),
    })),
  },
  {
    check: 'outage-fails-session-management',
    flaw: 'during an outage the session list is empty',
    because: /must be refused, but was answered/,
    change: managing((sessions) => ({
      listSessions: (userId) => sessions.listSessions(userId).catch(() => ({ sessions: [] })),
    })),
  },
  {
    check: 'outage-fails-session-management',
    flaw: 'during an outage revoking ends nothing',
    because: /must be refused, but was answered/,
    change: managing((sessions) => ({
      revokeSessions: (...given) => sessions.revokeSessions(...given).catch(() => 0),
    })),
  },
  {
    check: 'outage-fails-probe',
    flaw: 'the backend is always ready',
    because: /probe, while the store is down, must be refused, but was answered/,
    change: () => ({ probe: async () => {} }),
  },
  {
    check: 'outage-fails-sign-in',
    flaw: 'a sign-in starts although it cannot be stored',
    because: /signIn, while the store is down, must be refused, but was answered/,
    change: ({ interactive }) => ({
      interactive: {
        ...interactive,
        signIn: async () => ({
          providerId: MEMORY_PROVIDER.id,
          redirectUrl: 'https://provider.example/',
          state: '',
          setCookies: [],
        }),
      } as never,
    }),
  },
  {
    check: 'outage-costs-no-session',
    flaw: 'the backend does not recover from an outage',
    because: /authenticate threw AuthError: STORE_UNAVAILABLE/,
    change: authenticating((authenticate) => {
      let broken: Error | undefined
      return async (request) => {
        if (broken) throw broken
        return authenticate(request).catch((error: Error) => {
          throw (broken = error)
        })
      }
    }),
  },
  {
    check: 'outage-costs-no-session',
    flaw: 'an outage loses the sessions',
    because: /no user is signed in: after the outage/,
    change: (backend, store) => ({
      async probe() {
        if (store.down) store.sessions.clear()
        await backend.probe()
      },
    }),
  },
  {
    check: 'results-hold-no-secret',
    flaw: 'the claims contain the token',
    because: /the result of authenticate .* contains a secret/,
    change: authenticating((authenticate) => async (request) => {
      const result = await authenticate(request)
      if (!result.ok) return result
      const token = singleCookie(request, MEMORY_COOKIE)
      return { ...result, session: { ...result.session, claims: { token } } }
    }),
  },
  {
    check: 'results-hold-no-secret',
    flaw: 'the logoutUrl contains the secret of the session',
    because: /the result of signOut .*contains a secret/,
    change: managing((sessions) => ({
      async signOut(request, options) {
        const [secret = ''] = singleCookie(request, MEMORY_COOKIE)?.split('.') ?? []
        const result = await sessions.signOut(request, options)
        return { ...result, logoutUrl: `https://provider.example/logout?hint=${secret}` }
      },
    })),
  },
  {
    check: 'errors-hold-no-secret',
    flaw: 'an error contains the cookie',
    because: /the error of authenticate during an outage contains a secret/,
    change: authenticating(
      (authenticate) => (request) =>
        authenticate(request).catch(() => {
          const detail = `Cannot look up ${request.header('cookie')}.`
          throw new AuthError('STORE_UNAVAILABLE', detail)
        }),
    ),
  },
  {
    check: 'errors-hold-no-secret',
    flaw: 'an error contains the message of the driver',
    because: /is the text of its cause/,
    change: authenticating(
      (authenticate) => (request) =>
        authenticate(request).catch(() => {
          const cause = new Error('connect ECONNREFUSED 10.0.0.5:5432')
          throw new AuthError('STORE_UNAVAILABLE', `Failed: ${cause.message}`, { cause })
        }),
    ),
  },
  ...(
    [
      ['is not HttpOnly', 'a cookie can be read by scripts', '; HttpOnly', ''],
      ['is not for Path=/', 'a cookie is for a part of the site', 'Path=/', 'Path=/api'],
      ['has no SameSite', 'a cookie is sent from everywhere', '; SameSite=Lax', ''],
      ['is SameSite=None without Secure', 'browsers drop it', 'Lax; Secure', 'None'],
      ['but is not Secure', 'browsers drop a __Host- cookie', '; Secure', ''],
      ['but a Domain', 'browsers drop a cookie', '; Secure', '; Secure; Domain=example.com'],
      ['is not one line', 'a value starts another header', '; Path', '\r\nX: y; Path'],
    ] as const
  ).map(([because, flaw, part, instead]): Flaw => ({
    check: 'set-cookies-are-well-formed',
    flaw: `${flaw}: ${because}`,
    because: new RegExp(because),
    change: managing((sessions) => ({
      async signOut(...given) {
        const result = await sessions.signOut(...given)
        return {
          ...result,
          setCookies: result.setCookies.map((text) => text.replace(part, instead)),
        }
      },
    })),
  })),
  {
    check: 'providers-are-consistent',
    flaw: 'providers are looked up in a plain object',
    because: /there is a provider __proto__/,
    change: ({ providers }) => {
      const byId: Record<string, typeof MEMORY_PROVIDER> = { memory: MEMORY_PROVIDER }
      return { providers: { ...providers, getProvider: (id) => byId[id] } }
    },
  },
  {
    check: 'providers-are-consistent',
    flaw: 'a provider is listed twice',
    because: /two have the same id/,
    change: ({ providers }) => ({
      providers: { ...providers, listProviders: () => [MEMORY_PROVIDER, MEMORY_PROVIDER] },
    }),
  },
  {
    check: 'crypto-opens-what-it-issued',
    flaw: 'the token is the public id with a signature',
    because: /the token contains the public id/,
    change: () => ({
      crypto: {
        issueSessionToken() {
          const sessionId = publicId(`${Math.random()}`)
          return { sessionId, token: `${sessionId}.signature` }
        },
        openSessionToken: (token) => token.split('.')[0],
      },
    }),
  },
  {
    check: 'crypto-opens-what-it-issued',
    flaw: 'a token is issued twice',
    because: /a token was issued twice/,
    change: ({ crypto }) => {
      const issued = crypto.issueSessionToken()
      return { crypto: { ...crypto, issueSessionToken: () => issued } }
    },
  },
  {
    check: 'crypto-refuses-the-rest',
    flaw: 'the signature is not verified',
    because: /a token that was not issued opens/,
    change: ({ crypto }) => ({
      crypto: { ...crypto, openSessionToken: (token) => publicId(token.split('.')[0] ?? '') },
    }),
  },
  {
    check: 'crypto-refuses-the-rest',
    flaw: 'a malformed token throws',
    because: /openSessionToken threw/,
    change: ({ crypto }) => ({
      crypto: {
        ...crypto,
        openSessionToken(token) {
          encodeURIComponent(token)
          return crypto.openSessionToken(token)
        },
      },
    }),
  },
  {
    check: 'probe-resolves',
    flaw: 'the backend is never ready',
    because: /probe was rejected/,
    change: () => ({ probe: () => Promise.reject(new Error('not ready')) }),
  },
  {
    check: 'close-can-be-repeated',
    flaw: 'a second close rejects',
    because: /close was rejected the second time/,
    change: () => {
      let closed = false
      return {
        async close() {
          if (closed) throw new Error('Called end on pool more than once')
          closed = true
        },
      }
    },
  },
]
