import type {
  AuthCalls,
  AuthClient,
  AuthClientOptions,
  CallOptions,
  SigninInput,
} from './auth-api.js'
import { exchange, pathSegment, unexpected } from './exchange.js'
import { ROUTES } from './generated/routes.js'
import { AuthClientError } from './error.js'

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

/** Adds the methods that navigate away from the page. */
function withNavigation(
  calls: AuthCalls,
  { navigate = (url) => globalThis.location.assign(url) }: AuthClientOptions,
): AuthClient {
  const leaveFor = (url: string): void => {
    // Never navigate to a `javascript:` URL, even if a response contains one.
    if (!/^(https?:\/\/|\/)/i.test(url)) {
      throw new AuthClientError(
        'UNEXPECTED_RESPONSE',
        'The address to go to is not an http or https URL.',
      )
    }
    navigate(url)
  }
  return {
    ...calls,
    async redirectToSignIn(input) {
      leaveFor((await calls.signin(input)).redirectUrl)
    },
    async stepUp(refusal, input) {
      const required = await requiredSignIn(refusal)
      if (!required) return false
      // Tokens do not say at which provider the user signed in.
      const known = required.providerId === undefined ? await calls.session() : undefined
      const providerId = known?.authenticated ? known.session.providerId : undefined
      const signin = { ...(providerId !== undefined && { providerId }), ...required, ...input }
      leaveFor((await calls.signin(signin)).redirectUrl)
      return true
    },
    async redirectToSignOut(input) {
      const { logoutUrl, redirectTo } = await calls.signout(input)
      const target = logoutUrl ?? redirectTo
      if (target !== undefined) leaveFor(target)
    },
  }
}

/**
 * The sign-in that a refusal asks for: a response or its problem document, an error of the client, or
 * the challenge of RFC 9470. `undefined` for any other refusal.
 */
async function requiredSignIn(refusal: unknown): Promise<SigninInput | undefined> {
  const isResponse = (refusal as Partial<Response> | null | undefined)?.headers !== undefined
  const problem = isResponse ? await problemOf(refusal as Response) : refusal
  const { code, data } = (problem ?? {}) as { code?: unknown; data?: Required }
  if (code !== 'AUTH_RECENT_SIGN_IN_REQUIRED') return undefined
  // Take nothing else: a service must not choose where the user returns to.
  const { providerId, maxAge, acrValues } = data?.signin ?? data ?? {}
  return {
    ...(providerId !== undefined && { providerId }),
    ...(maxAge !== undefined && { maxAge }),
    ...(acrValues !== undefined && { acrValues }),
  }
}

interface Required extends Pick<SigninInput, 'providerId' | 'maxAge' | 'acrValues'> {
  signin?: Omit<Required, 'signin'>
}

async function problemOf(response: Response): Promise<unknown> {
  const body = await bodyOf(response)
  if (body?.code !== undefined) return body
  const challenge = response.headers.get('www-authenticate') ?? ''
  if (!challenge.includes('error="insufficient_user_authentication"')) return undefined
  const maxAge = /\bmax_age="?(\d+)/.exec(challenge)?.[1]
  const acrValues = /\bacr_values="([^"]+)"/.exec(challenge)?.[1]
  return {
    code: 'AUTH_RECENT_SIGN_IN_REQUIRED',
    data: {
      ...(maxAge !== undefined && { maxAge: Number(maxAge) }),
      ...(acrValues !== undefined && { acrValues: acrValues.split(' ') }),
    },
  }
}

/** Leaves the body to the caller; without JSON, or once it has been read, the challenge is left. */
async function bodyOf(response: Response): Promise<{ code?: unknown } | null | undefined> {
  try {
    return (await response.clone().json()) as { code?: unknown } | null
  } catch {
    return undefined
  }
}
