import { clearCookie } from '../../../cookie.js'
import { AuthError } from '../../../errors.js'
import type { InteractiveFlowPort, SignInResult } from '../../../port.js'
import { singleCookie } from '../../../request.js'
import { publicId } from '../../../session-token.js'
import { MEMORY_COOKIE, type MemoryStore } from '../memory-store.js'
import type { BackendChange } from '../memory-harness.js'
import { authenticating, type Flaw, guest, turn, withCookies } from './flaw.js'

/** A backend with another redirect flow. */
const flowing =
  (
    make: (
      flow: InteractiveFlowPort,
      ...rest: Parameters<BackendChange>
    ) => Partial<InteractiveFlowPort>,
  ): BackendChange =>
  (backend, store) => {
    const { interactive } = backend
    return interactive
      ? { interactive: { ...interactive, ...make(interactive, backend, store) } }
      : {}
  }

/** A backend that changes what a sign-in returns. */
const starting = (change: (result: SignInResult) => Partial<SignInResult>): BackendChange =>
  flowing((flow) => ({
    async signIn(request, input) {
      const result = await flow.signIn(request, input)
      return { ...result, ...change(result) }
    },
  }))

const declined = (): AuthError => new AuthError('AUTH_ACCESS_DENIED', 'The sign-in was declined.')

/** Deletes the transactions of a state, of any browser. */
function deleteByState({ transactions }: MemoryStore, state: string | null): boolean {
  const found = [...transactions].filter(([, transaction]) => transaction.state === state)
  for (const [key] of found) transactions.delete(key)
  return found.length > 0
}

/** Callbacks do not consume the transaction if `keep` returns true. */
const keeping = (keep: (failed: boolean) => boolean): BackendChange =>
  flowing((flow, _backend, { transactions }) => ({
    async handleCallback(request, query) {
      const before = [...transactions]
      let failed = true
      try {
        const result = await flow.handleCallback(request, query)
        failed = false
        return result
      } finally {
        if (keep(failed))
          for (const [key, transaction] of before) transactions.set(key, transaction)
      }
    },
  }))

export const INTERACTIVE_FLAWS: readonly Flaw[] = [
  {
    check: 'sign-in-redirects-to-provider',
    flaw: 'the challenge is plain',
    because: /the method is not S256/,
    change: starting(({ redirectUrl }) => ({
      redirectUrl: redirectUrl.replace('=S256', '=plain'),
    })),
  },
  {
    check: 'sign-in-redirects-to-provider',
    flaw: 'the state is not in the redirect URL',
    because: /the address has another state/,
    change: starting(() => ({ state: 'x'.repeat(43) })),
  },
  {
    check: 'sign-ins-share-nothing',
    flaw: 'a second sign-in reuses the first',
    because: /two sign-ins have one state/,
    change: flowing((flow) => {
      let begun: Promise<SignInResult> | undefined
      return { signIn: (...given) => (begun ??= flow.signIn(...given)) }
    }),
  },
  {
    check: 'sign-in-is-bound-to-browser',
    flaw: 'no cookie is set',
    because: /no cookie binds the sign-in/,
    change: starting(() => ({ setCookies: [] })),
  },
  {
    check: 'sign-in-is-bound-to-browser',
    flaw: 'the cookie value is the state',
    because: /the address tells all that the cookie does/,
    change: starting(({ state }) => ({
      setCookies: [`txn=${state}; Path=/; HttpOnly; SameSite=Lax`],
    })),
  },
  {
    check: 'sign-in-refuses-unknown-provider',
    flaw: 'an unknown provider is replaced by the default',
    because: /must be refused, but was answered/,
    change: flowing((flow) => ({
      signIn: (request, { returnTo }) => flow.signIn(request, { returnTo }),
    })),
  },
  {
    check: 'sign-in-refuses-unknown-provider',
    flaw: 'an unknown provider is an internal error',
    because: /must throw an AuthError/,
    change: flowing(() => ({ signIn: () => Promise.reject(new TypeError('undefined')) })),
  },
  {
    check: 'sign-in-grants-no-unknown-scope',
    flaw: 'the session has the scopes that the caller requested',
    because: /the session has a scope that the caller made up/,
    change: flowing((flow, _backend, { sessions }) => {
      let requested: readonly string[] = []
      return {
        signIn(request, input) {
          requested = input.scopes ?? []
          return flow.signIn(request, input)
        },
        async handleCallback(request, query) {
          const result = await flow.handleCallback(request, query)
          const opened = sessions.get(result.sessionId)
          if (opened) opened.session = { ...opened.session, scopes: [...requested] }
          return result
        },
      }
    }),
  },
  {
    check: 'sign-in-keeps-session',
    flaw: 'transaction and session share a cookie',
    because: /beginning a sign-in sets the session cookie/,
    change: starting(({ setCookies }) => ({
      setCookies: [...setCookies, clearCookie(MEMORY_COOKIE)],
    })),
  },
  {
    check: 'sign-in-keeps-session',
    flaw: 'starting a sign-in signs out',
    because: /no user is signed in: after a sign-in was begun/,
    change: flowing((flow, { sessions }) => ({
      async signIn(request, input) {
        await sessions.signOut(request, { everywhere: false })
        return flow.signIn(request, input)
      },
    })),
  },
  {
    check: 'callback-needs-transaction-cookie',
    flaw: 'the state alone identifies the transaction',
    because: /must be AUTH_TRANSACTION_MISSING, but is AUTH_ACCESS_DENIED/,
    change: flowing((flow, _backend, store) => ({
      async handleCallback(request, query) {
        if (deleteByState(store, query.get('state'))) throw declined()
        return flow.handleCallback(request, query)
      },
    })),
  },
  {
    check: 'foreign-callback-takes-nothing',
    flaw: 'a foreign callback consumes the transaction',
    because: /the callback that was stolen must be/,
    change: flowing((flow, _backend, store) => ({
      async handleCallback(request, query) {
        try {
          return await flow.handleCallback(request, query)
        } finally {
          deleteByState(store, query.get('state'))
        }
      },
    })),
  },
  {
    check: 'transaction-works-once',
    flaw: 'a callback with an error does not consume the transaction',
    because: /a callback that was heard before must be/,
    change: keeping((failed) => failed),
  },
  {
    check: 'transaction-works-once',
    flaw: 'a transaction is read and deleted in two steps',
    because: /of eight callbacks at once 8 were heard/,
    change: flowing((flow, _backend, store) => ({
      async handleCallback(request, query) {
        const state = query.get('state')
        const found = [...store.transactions.values()].some((one) => one.state === state)
        await turn()
        if (!found) return flow.handleCallback(request, query)
        deleteByState(store, state)
        throw declined()
      },
    })),
  },
  {
    check: 'transaction-cookie-is-cleared',
    flaw: 'errors set no cookies',
    because: /the transaction cookie is left/,
    change: flowing((flow) => ({
      async handleCallback(request, query) {
        try {
          return await flow.handleCallback(request, query)
        } catch (error) {
          throw error instanceof AuthError ? new AuthError(error.code, error.detail) : error
        }
      },
    })),
  },
  {
    check: 'transaction-is-no-session',
    flaw: 'the secret of a transaction is accepted as a session',
    because: /transaction cookie as session must be anonymous, but is a user/,
    change: authenticating((authenticate, _backend, store) => async (request) => {
      const key = publicId(singleCookie(request, MEMORY_COOKIE) ?? '')
      return store.transactions.has(key) ? guest() : authenticate(request)
    }),
  },
  {
    check: 'session-is-no-transaction',
    flaw: 'any signed token is accepted as a transaction',
    because: /session cookie as transaction must be/,
    change: flowing((flow, { crypto }) => ({
      async handleCallback(request, query) {
        const signed = request
          .cookieNames()
          .flatMap((name) => request.cookies(name))
          .some((value) => crypto.openSessionToken(value) !== undefined)
        if (signed) throw declined()
        return flow.handleCallback(request, query)
      },
    })),
  },
  {
    check: 'unknown-logout-is-refused',
    flaw: 'any logout ticket is accepted',
    because: /an unknown logout ticket must be refused, but was answered/,
    change: flowing(() => ({
      startLogout: async () => ({ redirectUrl: 'https://provider.example/out', setCookies: [] }),
    })),
  },
  {
    check: 'unknown-logout-is-refused',
    flaw: 'any logout state is accepted',
    because: /an unknown logout state must be refused, but was answered/,
    change: flowing(() => ({ finishLogout: async () => ({ returnTo: '/', setCookies: [] }) })),
  },
  {
    check: 'callback-signs-in',
    flaw: 'the cookies of the callback are lost',
    because: /no user is signed in after the callback/,
    change: flowing((flow) => ({
      handleCallback: async (...given) => ({
        ...(await flow.handleCallback(...given)),
        setCookies: [],
      }),
    })),
  },
  {
    check: 'callback-signs-in',
    flaw: 'the return address comes from the query',
    because: /the return address has changed/,
    change: flowing((flow) => ({
      handleCallback: async (request, query) => ({
        ...(await flow.handleCallback(request, query)),
        returnTo: query.get('redirectTo') ?? '/',
      }),
    })),
  },
  {
    check: 'callback-ends-previous-session',
    flaw: 'the previous session stays live',
    because: /the session that the browser brought must be anonymous, but is a user/,
    change: flowing((flow) => ({
      handleCallback: (request, query) =>
        flow.handleCallback(
          withCookies(request, (name) => (name === MEMORY_COOKIE ? [] : request.cookies(name))),
          query,
        ),
    })),
  },
  {
    check: 'callback-works-once',
    flaw: 'a callback can be repeated',
    because: /a replayed callback must be refused, but was answered/,
    change: keeping((failed) => !failed),
  },
]
