import { AuthConfigurationError, type AuthLog, silentLog } from '@netscript/plugin-auth-core'

/** Options of the WorkOS backend. Durations are in milliseconds unless stated otherwise. */
export interface WorkosBackendOptions {
  /** The secret key of the WorkOS environment (`sk_...`). */
  readonly apiKey: string
  /** The client id of the WorkOS environment (`client_...`). Tokens of other clients are refused. */
  readonly clientId: string
  /** The password that seals the session cookie, the same as in the application with AuthKit. */
  readonly cookiePassword: string
  /** Origin of the WorkOS API; http only on loopback. @default 'https://api.workos.com' */
  readonly apiUrl?: string
  /** Name of the session cookie. @default 'wos-session' */
  readonly cookieName?: string
  /**
   * Domain of the session cookie. It must be the same as in the application, or the browser keeps two
   * cookies with the same name.
   * @default none: a host-only cookie
   */
  readonly cookieDomain?: string
  /** `Max-Age` of a refreshed cookie, in seconds. @default 400 days, the maximum */
  readonly cookieMaxAge?: number
  /** Omits `Secure` from the cookie, for http on a host other than localhost. @default false */
  readonly insecureCookies?: boolean
  /**
   * `when-expired` refreshes an access token that has expired or is about to, and sets the new cookie.
   * Without it a sign-in would last as long as an access token, five minutes. `never` leaves it to an
   * application that refreshes the same cookie itself.
   * @default 'when-expired'
   */
  readonly refresh?: 'never' | 'when-expired'
  /**
   * How long before its expiry an access token is refreshed, at most half of its lifetime.
   * @default 10000
   */
  readonly refreshAheadMs?: number
  /**
   * Accepted `iss` values. A custom authentication domain must be listed.
   * @default `<origin>/user_management/<clientId>`, and the origin of the API (older environments)
   */
  readonly issuers?: readonly string[]
  /**
   * Accepted `aud` values. Setting it makes the claim required. WorkOS sets `aud` only through a JWT
   * template.
   * @default the client id, if a token has the claim
   */
  readonly audiences?: readonly string[]
  /** Where users sign in: a URL or a path, for messages. @default a text that names AuthKit */
  readonly signInUrl?: string
  /** Time limit for fetching the keys. @default 3000 */
  readonly jwksTimeoutMs?: number
  /** Minimum time between fetches of the keys for unknown key ids. @default 30000 */
  readonly jwksCooldownMs?: number
  /** Time limit of a call to the API. @default 5000 */
  readonly apiTimeoutMs?: number
  /** @default no log */
  readonly log?: AuthLog
}

/** {@link WorkosBackendOptions}, validated and with defaults. */
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

/** Returns the name of an option at its source, such as an environment variable, for errors. */
type OptionName = (option: keyof WorkosBackendOptions) => string

/** @throws AuthConfigurationError with the option and the fix. */
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

/** Rejects a path, which the SDK would silently drop: it takes scheme, host and port. */
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

const REQUIRED = {
  apiKey: 'WORKOS_API_KEY',
  clientId: 'WORKOS_CLIENT_ID',
  cookiePassword: 'WORKOS_COOKIE_PASSWORD',
} as const

const OPTIONAL = {
  apiUrl: 'WORKOS_API_URL',
  cookieName: 'WORKOS_COOKIE_NAME',
  cookieDomain: 'WORKOS_COOKIE_DOMAIN',
  cookieMaxAge: 'WORKOS_COOKIE_MAX_AGE',
  refresh: 'WORKOS_SESSION_REFRESH',
  issuers: 'WORKOS_ISSUER',
  audiences: 'WORKOS_AUDIENCE',
  signInUrl: 'WORKOS_SIGN_IN_URL',
} as const

const VARIABLES: Readonly<Record<string, string>> = { ...REQUIRED, ...OPTIONAL }

/**
 * Reads the options from environment variables. Required: `WORKOS_API_KEY`, `WORKOS_CLIENT_ID` and
 * `WORKOS_COOKIE_PASSWORD`. Optional: `WORKOS_API_URL`, `WORKOS_COOKIE_NAME`, `WORKOS_COOKIE_DOMAIN`,
 * `WORKOS_COOKIE_MAX_AGE` (seconds), `WORKOS_SESSION_REFRESH` (`when-expired` or `never`),
 * `WORKOS_ISSUER` and `WORKOS_AUDIENCE` (comma-separated), and `WORKOS_SIGN_IN_URL`. The cookie and
 * issuer variables have the names of WorkOS's own AuthKit libraries.
 *
 * @throws AuthConfigurationError with all missing variables, or with the invalid one and the fix.
 */
export function workosOptionsFromEnv(
  env: Readonly<Record<string, string | undefined>>,
): WorkosBackendOptions {
  const read = (name: string): string | undefined => env[name]?.trim() || undefined
  const list = (name: string): string[] | undefined =>
    read(name)
      ?.split(',')
      .map((part) => part.trim())
      .filter(Boolean)
  const missing = Object.values(REQUIRED).filter((name) => read(name) === undefined)
  if (missing.length > 0) {
    throw new AuthConfigurationError(
      `${missing.join(' and ')} must be set for the workos backend. The dashboard of WorkOS shows the key and the client id; the cookie password is the one your application gives to AuthKit.`,
    )
  }
  const maxAge = read(OPTIONAL.cookieMaxAge)
  const given = {
    apiUrl: read(OPTIONAL.apiUrl),
    cookieName: read(OPTIONAL.cookieName),
    cookieDomain: read(OPTIONAL.cookieDomain),
    cookieMaxAge: maxAge === undefined ? undefined : Number(maxAge),
    refresh: read(OPTIONAL.refresh),
    issuers: list(OPTIONAL.issuers),
    audiences: list(OPTIONAL.audiences),
    signInUrl: read(OPTIONAL.signInUrl),
  }
  const options = {
    apiKey: read(REQUIRED.apiKey) ?? '',
    clientId: read(REQUIRED.clientId) ?? '',
    // Not trimmed, because AuthKit does not trim it either and every character is part of the key.
    cookiePassword: env[REQUIRED.cookiePassword] ?? '',
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  } as WorkosBackendOptions
  checkOptions(options, (option) => VARIABLES[option] ?? option)
  return options
}
