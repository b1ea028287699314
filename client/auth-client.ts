import { initClient } from '@ts-rest/core'
import { authContractV1 } from '../contract/auth-contract.js'
import type { MeResponse, SessionResponse } from '../contract/session.js'
import type { SigninInput, SigninResponse } from '../contract/signin.js'
import type { SignoutInput, SignoutResponse } from '../contract/signout.js'
import { createFetcher, type Fetch } from './fetcher.js'

/** Options of {@link createAuthClient}. */
export interface AuthClientOptions {
  /** Where the service is, such as `https://auth.example.com`. Default: the page's own origin. */
  baseUrl?: string
  /** Default: the global fetch. Outside a browser give one that keeps cookies. */
  fetch?: Fetch
  /** Headers sent with every request. Default: none. */
  headers?: Readonly<Record<string, string>>
  /** How to leave for another address. Default: `location.assign`; needed outside a browser. */
  navigate?: (url: string) => void
}

/** Options of one call. */
export interface CallOptions {
  /** Ends the request early. */
  signal?: AbortSignal
}

/** The typed client. Every method throws {@link AuthClientError} with a code and a status. */
export interface AuthClient {
  /** Who is signed in. */
  me(options?: CallOptions): Promise<MeResponse>
  /** The caller's session. */
  session(options?: CallOptions): Promise<SessionResponse>
  /** Starts a sign-in and answers where to send the browser. */
  signin(input?: SigninInput, options?: CallOptions): Promise<SigninResponse>
  /** Ends the session of this browser. */
  signout(input?: SignoutInput, options?: CallOptions): Promise<SignoutResponse>
  /** {@link AuthClient.signin}, and then goes there: the page is left. */
  signIn(input?: SigninInput): Promise<void>
  /**
   * {@link AuthClient.signout}, and then goes to the provider's log-out, to the return address, or
   * nowhere when there is neither.
   */
  signOut(input?: SignoutInput): Promise<void>
}

/**
 * A typed client of the authentication API, generated from the contract. Cookies are included, so
 * in a browser there is nothing to store.
 *
 * @example
 * ```ts
 * const auth = createAuthClient({ baseUrl: 'http://localhost:8094' })
 * const me = await auth.me()
 * if (me.authenticated) greet(me.user.displayName)
 * else await auth.signIn({ redirectTo: '/welcome' })
 * ```
 */
export function createAuthClient(options: AuthClientOptions = {}): AuthClient {
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  const api = initClient(authContractV1, {
    baseUrl: (options.baseUrl ?? '').replace(/\/+$/, ''),
    baseHeaders: { ...options.headers },
    api: createFetcher(fetch),
    throwOnUnknownStatus: true,
  })
  const navigate = options.navigate ?? ((url: string) => globalThis.location.assign(url))
  const client: AuthClient = {
    me: async (call) => success(await api.me(toArgs(call))),
    session: async (call) => success(await api.session(toArgs(call))),
    signin: async (input = {}, call) => success(await api.signin({ body: input, ...toArgs(call) })),
    signout: async (input = {}, call) =>
      success(await api.signout({ body: input, ...toArgs(call) })),
    async signIn(input) {
      navigate((await client.signin(input)).redirectUrl)
    },
    async signOut(input) {
      const { logoutUrl, redirectTo } = await client.signout(input)
      const target = logoutUrl ?? redirectTo
      if (target !== undefined) navigate(target)
    },
  }
  return client
}

const toArgs = (call: CallOptions | undefined): { fetchOptions?: { signal: AbortSignal } } =>
  call?.signal ? { fetchOptions: { signal: call.signal } } : {}

/** The fetcher throws for every other status, which its type cannot say. */
function success<R extends { status: number; body: unknown }>(
  response: R,
): Extract<R, { status: 200 }>['body'] {
  return response.body
}
