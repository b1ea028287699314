import { AuthError } from '../../errors.js'
import type { AuthBackendPort, AuthnResult } from '../../port.js'
import { singleCookie, toAuthnRequest } from '../../request.js'
import { publicId } from '../../session-token.js'
import { authenticating } from './bearer.js'
import type { BackendChange } from './memory-harness.js'
import { MEMORY_COOKIE, MEMORY_PROVIDER } from '../../../server/testing/memory-store.js'

/** A faulty backend, and the check that must detect the fault. */
export interface Flaw {
  /** The id of the check. */
  readonly check: string
  readonly flaw: string
  /** Matches the message of the check, so that it does not fail for another reason. */
  readonly because: RegExp
  readonly change: BackendChange
}

const managing =
  (
    make: (
      sessions: AuthBackendPort['sessions'],
      ...rest: Parameters<BackendChange>
    ) => Partial<AuthBackendPort['sessions']>,
  ): BackendChange =>
  (backend, store) => ({
    sessions: { ...backend.sessions, ...make(backend.sessions, backend, store) },
  })

/** Lets everything that is ready run first. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** One faulty backend for every group of checks. */
export const FLAWS: Readonly<Record<string, Flaw>> = {
  capabilities: {
    check: 'interactive-is-complete',
    flaw: 'a method of the redirect flow is missing',
    because: /interactive.startLogout is missing/,
    change: ({ interactive }) => ({
      interactive: { ...interactive, startLogout: undefined } as never,
    }),
  },
  anonymous: {
    check: 'hostile-authorization-never-throws',
    flaw: 'the Authorization header is split without validation',
    because: /authenticate threw TypeError/,
    change: authenticating((authenticate) => async (request) => {
      request.header('authorization')?.split(' ')[1]!.trim()
      return authenticate(request)
    }),
  },
  identity: {
    check: 'people-are-never-mixed',
    flaw: 'the current request is kept in a shared variable',
    because: /it is another user/,
    change: authenticating((authenticate) => {
      let current: Promise<AuthnResult> | undefined
      return async (request) => {
        current = authenticate(request)
        await turn()
        return current
      }
    }),
  },
  credentials: {
    check: 'ended-session-stays-over',
    flaw: 'a session is read, and written back later',
    because: /signed out during requests must be anonymous, but is a user/,
    change: authenticating((authenticate, _backend, store) => async (request) => {
      const before = new Map(store.sessions)
      const result = await authenticate(request)
      await turn()
      const row = result.ok ? before.get(result.session.id) : undefined
      if (row) store.sessions.set(row.session.id, row)
      return result
    }),
  },
  'sign-out': {
    check: 'forged-sign-out-ends-nothing',
    flaw: 'signing out does not verify the signature',
    because: /forged credential/,
    change: managing((sessions, _backend, store) => ({
      async signOut(request, options) {
        const [secret = ''] = request.cookies(MEMORY_COOKIE)[0]?.split('.') ?? []
        store.sessions.delete(publicId(secret))
        return sessions.signOut(request, options)
      },
    })),
  },
  sessions: {
    check: 'revokes-no-foreign-session',
    flaw: 'the owner of the session is not checked',
    because: /a session of another user was revoked/,
    change: managing((_sessions, _backend, store) => ({
      revokeSession: async (_userId, sessionId) => store.sessions.delete(sessionId),
    })),
  },
  interactive: {
    check: 'transaction-works-once',
    flaw: 'a transaction is read and deleted in two steps',
    because: /8 of eight concurrent callbacks consumed the transaction/,
    change: ({ interactive }, { transactions }) => ({
      interactive: {
        ...interactive!,
        async handleCallback(request, query) {
          const state = query.get('state')
          const found = [...transactions].find(([, one]) => one.state === state)
          await turn()
          if (!found) return interactive!.handleCallback(request, query)
          transactions.delete(found[0])
          throw new AuthError('AUTH_ACCESS_DENIED', 'The sign-in was declined.')
        },
      },
    }),
  },
  'step-up': {
    check: 'step-up-refuses-another-user',
    flaw: 'a step-up is not bound to the session that started it',
    because: /a step-up by another user must reject, but resolved/,
    change: ({ interactive }) => ({
      interactive: {
        ...interactive!,
        signIn: (_request, input) => interactive!.signIn(toAuthnRequest({ headers: {} }), input),
      },
    }),
  },
  accounts: {
    check: 'unlink-ends-its-sessions',
    flaw: 'removing an account leaves its sessions',
    because: /the session of a removed account must be anonymous, but is a user/,
    change: ({ accounts }, store) => ({
      accounts: {
        ...accounts!,
        async unlink({ userId }, accountId) {
          const found = [...store.accounts.values()].find(({ id }) => id === accountId)
          if (found?.userId === userId) store.accounts.delete(found.subject)
          return { ended: [] }
        },
      },
    }),
  },
  'provider-tokens': {
    check: 'provider-token-ends-with-session',
    flaw: 'provider tokens are cached by session',
    because: /the token of an ended session must reject, but resolved/,
    change: () => ({
      getProviderToken: ({ id }) =>
        Promise.resolve({ accessToken: id, providerId: 'memory', scopes: [] }),
    }),
  },
  roles: {
    check: 'changed-roles-are-in-force',
    flaw: 'sessions are cached, with their roles',
    because: /the new role is missing/,
    change: authenticating((authenticate) => {
      const cache = new Map<string | undefined, AuthnResult>()
      return async (request) => {
        const token = singleCookie(request, MEMORY_COOKIE)
        const result = cache.get(token) ?? (await authenticate(request))
        cache.set(token, result)
        return result
      }
    }),
  },
  'self-service': {
    check: 'deletes-own-user',
    flaw: 'a deleted user stays signed in elsewhere',
    because: /another session of a deleted user must be anonymous, but is a user/,
    change: ({ selfService, sessions }) => ({
      selfService: {
        ...selfService!,
        deleteUser: async ({ userId, id }) => void (await sessions.revokeSession(userId, id)),
      },
    }),
  },
  outage: {
    check: 'outage-is-not-anonymous',
    flaw: 'an outage is anonymous',
    because: /must reject, but resolved/,
    change: authenticating(
      (authenticate) => (request) =>
        authenticate(request).catch(() => ({
          ok: false,
          reason: 'session-unknown',
          setCookies: [],
        })),
    ),
  },
  secrecy: {
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
  parts: {
    check: 'providers-are-consistent',
    flaw: 'providers are looked up in a plain object',
    because: /there is a provider __proto__/,
    change: ({ providers }) => {
      const byId: Record<string, typeof MEMORY_PROVIDER> = { memory: MEMORY_PROVIDER }
      return { providers: { ...providers, getProvider: (id) => byId[id] } }
    },
  },
}
