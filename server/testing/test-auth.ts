import { type AuthSession, type AuthUser, authContractV1 } from '@netscript/auth-contract'
import { type Authenticator, createSessionAuthenticator } from '@netscript/auth-guard'
import type { AuthApiOptions } from '@netscript/plugin-auth'
import { createAccessTokens, createEngine, createLogger } from '@netscript/plugin-auth/internal'
import { createHmacSessionTokenCrypto, toAuthnRequest } from '@netscript/plugin-auth-core'
import { randomSecret } from '@netscript/plugin-auth-core/internal'
import { type Duration, millisecondsOf } from './duration.js'
import { createEngineFetch, type TestFetch } from './engine-fetch.js'
import { createMemoryBackend } from './memory-backend.js'
import { createMemorySigningKeyStore } from './memory-signing-keys.js'
import {
  age,
  createMemoryStore,
  DEFAULT_POLICY,
  memoryCookie,
  openMemorySession,
} from './memory-store.js'
import { type StorageState, storageStateOf } from './storage-state.js'
import { createTestBrowser, type TestBrowser } from './test-browser.js'
import { registerUser, type TestUserInput } from './test-user.js'

/** Options of {@link createTestAuth}. */
export interface TestAuthOptions {
  /** The public origin of the API and of your pages. @default 'http://localhost:3000' */
  origin?: string
  /** A session ends when it is not used for this long. @default '24h' */
  idleTimeout?: Duration
  /** A session ends this long after the sign-in. @default '7d' */
  absoluteTimeout?: Duration
  /** @default no log */
  logger?: AuthApiOptions['logger']
}

/** The time that sessions see. */
export interface TestClock {
  /**
   * Lets time pass: sessions, started sign-ins and `auth_time` become that much older, and sessions whose
   * time is up end. `Date` stays as it is, so guards and pages see the same ages. Tokens that were issued
   * before keep their dates.
   */
  advance(duration: Duration): void
}

/** A signed-in user and their browser. */
export interface TestUser extends TestBrowser {
  /** The user, as `me` returns it. */
  readonly user: AuthUser
  /** The session as it was at the sign-in. */
  readonly session: AuthSession
  /**
   * Returns a bearer token for a service, which `createTokenAuthenticator` verifies. It is valid for five
   * minutes.
   * @throws Error when the session has ended.
   */
  token(options: { audience: string }): Promise<string>
  /** Returns the cookies for a browser of Playwright. @param baseUrl @default the origin of the API */
  storageState(baseUrl?: string): StorageState
  /** Ends the session of the browser, as an operator or another device would. False if it had ended already. */
  revoke(): Promise<boolean>
}

/** The authentication API in this process. */
export interface TestAuth {
  readonly origin: string
  /**
   * What the adapters of `@netscript/plugin-auth` take, to serve the API:
   * `createAuthApp(auth.options)`.
   */
  readonly options: AuthApiOptions
  readonly clock: TestClock
  /** Authenticates requests by their cookie, as `createSessionAuthenticator` does. For guards. */
  readonly authenticator: Authenticator
  /** Sends a request to the API, without cookies of its own. */
  readonly fetch: TestFetch
  /** Opens a browser in which no user is signed in. */
  browser(): TestBrowser
  /**
   * Signs a user in. The same `id`, or else the same `email` or `name`, is the same user, with another
   * session.
   */
  signInAs(user?: TestUserInput): Promise<TestUser>
  /**
   * Chooses who signs in when a page starts a sign-in from now on; `'denied'` declines. At first it is a
   * user without roles.
   */
  answerSignIns(as: TestUserInput | 'denied'): void
  /** Ends all sessions of a user; returns how many. */
  revokeAll(userId: string): Promise<number>
}

/**
 * Creates the authentication API in this process, without a network and a database. It leaves no timers
 * and needs no closing.
 *
 * @example
 * ```ts
 * const auth = await createTestAuth()
 * const ada = await auth.signInAs({ name: 'Ada', roles: ['clerk'] })
 * await ada.fetch('/api/v1/auth/me')
 * ```
 */
export async function createTestAuth(options: TestAuthOptions = {}): Promise<TestAuth> {
  const origin = new URL(options.origin ?? 'http://localhost:3000').origin
  const absoluteMs = millisecondsOf(options.absoluteTimeout ?? DEFAULT_POLICY.absoluteMs)
  const idleMs = Math.min(millisecondsOf(options.idleTimeout ?? DEFAULT_POLICY.idleMs), absoluteMs)
  const store = createMemoryStore({ idleMs, absoluteMs })
  const secret = randomSecret()
  const crypto = createHmacSessionTokenCrypto(secret)
  let answer: TestUserInput | 'denied' = {}

  const backend = createMemoryBackend(store, secret, (parameters) => {
    if (answer === 'denied') parameters.set('error', 'access_denied')
    else parameters.set('code', registerUser(store, answer))
    return `${origin}${authContractV1.callback.path}?${parameters.toString()}`
  })
  const api: AuthApiOptions = {
    backend,
    origin,
    tokens: createAccessTokens({
      keys: createMemorySigningKeyStore(),
      audit: { record: async () => {} },
      origin,
      // Any service: the list of audiences is the operator's.
      checkAudience: () => {},
    }),
    rateLimit: false,
    logger: options.logger ?? createLogger('silent', { write: () => {} }),
  }
  const engine = createEngine(api)
  const fetch = createEngineFetch(engine, origin)
  const browserWith = (cookies: readonly string[]): TestBrowser =>
    createTestBrowser(fetch, { origin, serves: (path) => engine.serves(path), cookies })

  return {
    origin,
    options: api,
    clock: { advance: (duration) => age(store, millisecondsOf(duration)) },
    authenticator: createSessionAuthenticator({ baseUrl: origin, fetch }),
    fetch,
    browser: () => browserWith([]),
    async signInAs(input = {}) {
      const subject = registerUser(store, input)
      const { token, session } = openMemorySession(store, crypto, subject)
      const user = store.sessions.get(session.id)?.user ?? { id: session.userId }
      const browser = browserWith([memoryCookie(store, token)])
      return {
        get cookie() {
          return browser.cookie
        },
        fetch: browser.fetch,
        open: (url) => browser.open(url),
        user,
        session,
        async token({ audience }) {
          const response = await browser.fetch('/api/v1/auth/token', {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ audience }),
          })
          const body = (await response.json()) as { token: string; detail?: string }
          if (response.ok) return body.token
          throw new Error(`No token for ${audience}: ${body.detail}`)
        },
        storageState: (baseUrl = origin) =>
          storageStateOf(browser.cookie, baseUrl, Math.floor((Date.now() + absoluteMs) / 1000)),
        async revoke() {
          const { cookie } = browser
          const who = await backend.authenticate(toAuthnRequest({ headers: { cookie } }))
          return who.ok && backend.sessions.revokeSession(who.user.id, who.session.id)
        },
      }
    },
    answerSignIns(as) {
      answer = as
    },
    revokeAll: (userId) => backend.sessions.revokeSessions(userId),
  }
}
