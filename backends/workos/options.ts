import { AuthConfigurationError, type AuthLog, silentLog } from '@netscript/plugin-auth-core'

/** How the WorkOS backend is set up. Durations are milliseconds unless they say otherwise. */
export interface WorkosBackendOptions {
  /** The secret key of the WorkOS environment (`sk_...`). */
  readonly apiKey: string
  /** The client id of the WorkOS environment (`client_...`); tokens for any other are refused. */
  readonly clientId: string
  /** Seals the session cookie; the same value as in the application that uses AuthKit. */
  readonly cookiePassword: string
  /** Origin of the WorkOS API. Default: `https://api.workos.com`. Plain http only on loopback. */
  readonly apiUrl?: string
  /** Default: `wos-session`. */
  readonly cookieName?: string
  /**
   * Domain of the session cookie; must equal that of the application, or the browser would keep two
   * cookies of one name. Default: none, the cookie belongs to this host alone.
   */
  readonly cookieDomain?: string
  /** Seconds until the browser forgets a renewed cookie. Default: 400 days, the most it may be. */
  readonly cookieMaxAge?: number
  /** Leaves `Secure` off the cookie, for http on a host other than localhost. Default: false. */
  readonly insecureCookies?: boolean
  /**
   * `when-expired` (the default) renews an access token that has ended or is about to, and sends
   * the new cookie: these tokens live five minutes, so without renewal that is how long a sign-in
   * would last. `never` leaves it to an application that renews the same cookie itself.
   */
  readonly refresh?: 'never' | 'when-expired'
  /**
   * How long before its end an access token is renewed; at most half of its lifetime counts.
   * Default: 10 seconds.
   */
  readonly refreshAheadMs?: number
  /**
   * The `iss` values that are accepted. Default: the API's origin, which older environments use,
   * and `<origin>/user_management/<clientId>`. A custom authentication domain must be listed.
   */
  readonly issuers?: readonly string[]
  /**
   * The `aud` values that are accepted; listing any makes the claim required. WorkOS sets `aud` only
   * through a JWT template. Default: the client id where a token has the claim.
   */
  readonly audiences?: readonly string[]
  /** Where people sign in: a URL or a path, for messages. Default: words that name AuthKit. */
  readonly signInUrl?: string
  /** Default: 3 seconds. */
  readonly jwksTimeoutMs?: number
  /** How long after the keys were fetched an unknown one fetches them again. Default: 30 seconds. */
  readonly jwksCooldownMs?: number
  /** Default: 5 seconds. */
  readonly apiTimeoutMs?: number
  /** Default: silent. */
  readonly log?: AuthLog
}

/** {@link WorkosBackendOptions}, checked and complete. */
export interface WorkosSettings extends Required<
  Omit<WorkosBackendOptions, 'apiUrl' | 'cookieDomain' | 'signInUrl' | 'audiences'>
> {
  readonly apiUrl: URL
  readonly cookieDomain: string | undefined
  readonly signInHint: string
  readonly audiences: readonly string[]
  readonly requireAudience: boolean
}

const MAX_COOKIE_AGE = 400 * 24 * 60 * 60

/** What an option is called where it came from, so that an error names what the operator typed. */
export type OptionName = (option: keyof WorkosBackendOptions) => string

/** @throws AuthConfigurationError that names the option and the fix. */
export function checkOptions(
  options: WorkosBackendOptions,
  nameOf: OptionName = (option) => option,
): WorkosSettings {
  const { clientId, cookieDomain, cookieName = 'wos-session', signInUrl } = options
  const { cookieMaxAge = MAX_COOKIE_AGE } = options
  const refuse = (option: keyof WorkosBackendOptions, fix: string): never => {
    throw new AuthConfigurationError(`${nameOf(option)} ${fix}`)
  }
  if (options.apiKey.trim() === '') refuse('apiKey', 'is not set. Copy it from the dashboard.')
  if (!/^[\w-]+$/.test(clientId)) refuse('clientId', 'is not a client id such as client_01ABC.')
  if (options.cookiePassword.length < 32) {
    refuse('cookiePassword', 'must have at least 32 characters: the ones AuthKit seals with.')
  }
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(cookieName)) refuse('cookieName', 'is not a cookie name.')
  if (cookieDomain !== undefined && !/^\.?[a-z\d-]+(\.[a-z\d-]+)*$/i.test(cookieDomain)) {
    refuse('cookieDomain', 'is not a domain such as example.com.')
  }
  if (cookieDomain !== undefined && cookieName.startsWith('__Host-')) {
    refuse('cookieDomain', 'cannot go with a __Host- cookie. Leave one of them out.')
  }
  if (options.insecureCookies && /^__(Host|Secure)-/.test(cookieName)) {
    refuse('cookieName', 'has a prefix that only a Secure cookie may have. Choose another name.')
  }
  if (!Number.isInteger(cookieMaxAge) || cookieMaxAge < 1 || cookieMaxAge > MAX_COOKIE_AGE) {
    refuse('cookieMaxAge', `must be 1 to ${MAX_COOKIE_AGE} seconds.`)
  }
  if (options.refresh !== undefined && !['never', 'when-expired'].includes(options.refresh)) {
    refuse('refresh', 'must be never or when-expired.')
  }
  if (options.issuers?.length === 0) refuse('issuers', 'is empty. Leave it out for the default.')
  if (options.audiences?.length === 0) refuse('audiences', 'is empty. Leave it out instead.')
  if (signInUrl !== undefined && !/^(https?:\/\/|\/(?!\/))/.test(signInUrl)) {
    refuse('signInUrl', 'must be a URL or a path.')
  }
  const apiUrl = apiOrigin(options.apiUrl ?? 'https://api.workos.com', nameOf('apiUrl'))
  return {
    apiKey: options.apiKey,
    clientId,
    cookiePassword: options.cookiePassword,
    apiUrl,
    cookieName,
    cookieDomain,
    cookieMaxAge,
    insecureCookies: options.insecureCookies ?? false,
    refresh: options.refresh ?? 'when-expired',
    refreshAheadMs: options.refreshAheadMs ?? 10_000,
    issuers: options.issuers ?? [
      `${apiUrl.origin}/user_management/${clientId}`,
      apiUrl.origin,
      `${apiUrl.origin}/`,
    ],
    audiences: options.audiences ?? [clientId],
    requireAudience: options.audiences !== undefined,
    signInHint:
      signInUrl ?? `Sign in through AuthKit in your application; it sets the ${cookieName} cookie.`,
    jwksTimeoutMs: options.jwksTimeoutMs ?? 3000,
    jwksCooldownMs: options.jwksCooldownMs ?? 30_000,
    apiTimeoutMs: options.apiTimeoutMs ?? 5000,
    log: options.log ?? silentLog,
  }
}

/** The SDK takes a scheme, a host and a port, so a path would silently be dropped. */
function apiOrigin(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`) {
    throw new AuthConfigurationError(`${name} must be an origin such as https://api.workos.com.`)
  }
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (url.protocol === 'http:' && !isLoopback) {
    throw new AuthConfigurationError(`${name} carries secrets. Use https; http is for loopback.`)
  }
  return url
}
