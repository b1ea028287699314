import type { AuthCalls, AuthClient, AuthClientOptions, CallOptions } from './auth-api.js'
import { exchange, pathSegment, unexpected } from './exchange.js'
import { withNavigation } from './navigation.js'
import { ROUTES } from './generated/routes.js'

export type RouteKey = keyof typeof ROUTES

interface Input {
  body?: object
  query?: Record<string, string | undefined>
  /** Replaces the parameter in the path. */
  id?: string
}

/**
 * Creates a small typed client of the authentication API for browsers. Requests include cookies, so
 * there is nothing to store. It trusts a service of its own version and checks only that required
 * fields are present; `@netscript/auth-client/validated` validates every response, for a service
 * that you do not run.
 *
 * @example
 * ```ts
 * const auth = createAuthClient({ baseUrl: 'http://localhost:8094' })
 * const me = await auth.me()
 * if (me.authenticated) greet(me.user.displayName)
 * else await auth.redirectToSignIn({ redirectTo: '/welcome' })
 * ```
 */
export function createAuthClient(options: AuthClientOptions = {}): AuthClient {
  return clientWith(
    options,
    (key, body: Record<string, unknown> | null) =>
      ROUTES[key].required.every((name) => body?.[name] !== undefined) && body,
  )
}

/** Creates a client. `read` returns the body of a 200 of the route; nothing if it is not declared. */
export function clientWith(
  options: AuthClientOptions,
  read: (key: RouteKey, body: Record<string, unknown> | null) => unknown,
): AuthClient {
  const { baseUrl = '', headers } = options

  async function send(key: RouteKey, input: Input, call: CallOptions = {}): Promise<unknown> {
    const { method, path } = ROUTES[key]
    const { response, body } = await exchange(options, {
      url: baseUrl.replace(/\/+$/, '') + target(path, input),
      method,
      headers,
      body: input.body && JSON.stringify(input.body),
      signal: call.signal,
    })
    const declared = response.status === 200 && read(key, body as Record<string, unknown> | null)
    if (declared) return declared
    throw unexpected(response, 'The response does not match the contract.')
  }
  const call = send as <K extends RouteKey>(
    key: K,
    input: Input,
    options: CallOptions | undefined,
  ) => ReturnType<AuthCalls[K]>

  return withNavigation(
    {
      me: (options) => call('me', {}, options),
      session: (options) => call('session', {}, options),
      signin: (body = {}, options) => call('signin', { body }, options),
      signout: (body = {}, options) => call('signout', { body }, options),
      callback: (query, options) => call('callback', { query }, options),
      providerCallback: (id, query, options) => call('providerCallback', { id, query }, options),
      describe: (options) => call('describe', {}, options),
      sessions: ({ limit, cursor, ...options } = {}) =>
        call('sessions', { query: { limit: limit?.toString(), cursor } }, options),
      revokeSession: (id, options) => call('revokeSession', { id }, options),
      revokeOtherSessions: (options) => call('revokeOtherSessions', {}, options),
      accounts: (options) => call('accounts', {}, options),
      unlinkAccount: (id, options) => call('unlinkAccount', { id }, options),
      exportUser: (options) => call('exportUser', {}, options),
      deleteUser: (options) => call('deleteUser', {}, options),
      token: (body, options) => call('token', { body }, options),
    },
    options,
  )
}

function target(path: string, { id, query = {} }: Input): string {
  const fields = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  )
  const filled = id === undefined ? path : path.replace(/:\w+/, pathSegment(id))
  return fields.length > 0 ? `${filled}?${new URLSearchParams(fields).toString()}` : filled
}
