import { getDomain } from 'tldts'
import { AuthConfigurationError } from '../../backends/errors.js'
import { parseKeyring } from '../../backends/keyring.js'
import type { OAuthProvider } from '../../backends/kv-oauth/provider.js'
import { parseRedisUrls } from '../../backends/storage/redis-url.js'
import { AUTH_PATH_PREFIX } from '../../contract/auth-contract.js'
import { backendEntry } from '../backends.js'
import { readProviders } from './providers.js'
import { readVariables, type Variables } from './variables.js'

/** How the process was started. */
export interface StartMode {
  /** Production rules: nothing is made up, what is missing is an error. */
  production: boolean
}

/** The configuration of the service, checked as a whole. */
export interface AuthConfig {
  readonly variables: Variables
  readonly production: boolean
  readonly host: string
  /** The providers of kv-oauth; empty when none is configured. */
  readonly providers: readonly OAuthProvider[]
  /** Whether the active backend keeps something in the database. */
  readonly usesDatabase: boolean
  /** The service's own origin. */
  readonly origin: string
  readonly docs: boolean
}

/**
 * Reads the configuration from environment variables.
 *
 * @throws AuthConfigurationError that names each wrong variable and its mend;
 * AuthBackendNotFoundError for an unknown backend.
 */
export function readConfig(env: NodeJS.ProcessEnv, mode: StartMode): AuthConfig {
  const read = readVariables(env)
  if (!read.ok) {
    throw new AuthConfigurationError(
      read.issues.map(({ variable, message }) => `${variable}: ${message}.`).join('\n'),
    )
  }
  const { variables } = read
  const { usesDatabase } = backendEntry(variables.NETSCRIPT_AUTH_BACKEND)
  const isKvOAuth = variables.NETSCRIPT_AUTH_BACKEND === 'kv-oauth'
  const providers = isKvOAuth ? readProviders(variables, env) : []
  const production = mode.production || env.NODE_ENV === 'production'
  const host = variables.NETSCRIPT_AUTH_HOST ?? (production ? '0.0.0.0' : '127.0.0.1')
  const config: AuthConfig = {
    variables,
    production,
    host,
    providers,
    usesDatabase,
    origin: ownOrigin(variables, providers),
    docs: variables.NETSCRIPT_AUTH_DOCS ?? !production,
  }
  checkKey(config, env)
  checkSessionStore(variables)
  checkOrigins(config)
  checkLifetimes(variables)
  if (production) checkProduction(config)
  return config
}

/** Finds a wrong key before anything is started. */
function checkKey({ providers }: AuthConfig, env: NodeJS.ProcessEnv): void {
  if (providers.length > 0) parseKeyring(env.NETSCRIPT_AUTH_KV_OAUTH_KEY)
}

function checkSessionStore({ NETSCRIPT_AUTH_SESSION_STORE: urls }: Variables): void {
  if (urls !== undefined) parseRedisUrls(urls)
}

/** Where people reach the service: the origin of the redirect URI, where there is one. */
function ownOrigin(variables: Variables, providers: readonly OAuthProvider[]): string {
  const origins = new Set(providers.map(({ redirectUri }) => new URL(redirectUri).origin))
  if (origins.size > 1) {
    throw new AuthConfigurationError(
      `The redirect URIs name several origins (${[...origins].join(', ')}). Use one: it is the service's own.`,
    )
  }
  const { NETSCRIPT_AUTH_ORIGIN: given, PORT } = variables
  const [origin] = origins
  if (given !== undefined && origin !== undefined && given !== origin) {
    throw new AuthConfigurationError(
      `NETSCRIPT_AUTH_ORIGIN is ${given}, but the redirect URI is on ${origin}. Make them agree, or leave out NETSCRIPT_AUTH_ORIGIN.`,
    )
  }
  return origin ?? given ?? `http://localhost:${PORT}`
}

/** Lax cookies never reach the service from another site, so such an origin could not work. */
function checkOrigins({ variables, origin }: AuthConfig): void {
  for (const other of variables.NETSCRIPT_AUTH_CORS_ORIGINS) {
    if (siteOf(other) !== siteOf(origin)) {
      throw new AuthConfigurationError(
        `NETSCRIPT_AUTH_CORS_ORIGINS: ${other} is on another site than ${origin}, and browsers would not send the session cookie. Serve ${AUTH_PATH_PREFIX} through a proxy on the page's own origin instead.`,
      )
    }
  }
}

/** A schemeful site: the scheme and the registrable domain. */
function siteOf(origin: string): string {
  const { protocol, hostname } = new URL(origin)
  return `${protocol}//${getDomain(hostname, { allowPrivateDomains: true }) ?? hostname}`
}

function checkLifetimes(variables: Variables): void {
  const { NETSCRIPT_AUTH_SESSION_IDLE_SECONDS: idle } = variables
  if (idle > variables.NETSCRIPT_AUTH_SESSION_ABSOLUTE_SECONDS) {
    throw new AuthConfigurationError(
      'NETSCRIPT_AUTH_SESSION_IDLE_SECONDS is longer than NETSCRIPT_AUTH_SESSION_ABSOLUTE_SECONDS. Make it shorter.',
    )
  }
}

function checkProduction({ variables, providers, origin, usesDatabase }: AuthConfig): void {
  if (usesDatabase && variables.DATABASE_URL === undefined) {
    throw new AuthConfigurationError(
      'DATABASE_URL is not set. A production start needs a Postgres of its own.',
    )
  }
  if (variables.NETSCRIPT_AUTH_BACKEND === 'kv-oauth' && providers.length === 0) {
    throw new AuthConfigurationError(
      'No provider is configured. Set NETSCRIPT_AUTH_CLIENT_ID, NETSCRIPT_AUTH_CLIENT_SECRET and NETSCRIPT_AUTH_REDIRECT_URI; the local provider is for development only.',
    )
  }
  if (providers.length === 0 && variables.NETSCRIPT_AUTH_ORIGIN === undefined) {
    throw new AuthConfigurationError(
      'NETSCRIPT_AUTH_ORIGIN is not set. Set it to the origin that people see, such as https://auth.example.com.',
    )
  }
  if (
    origin.startsWith('http:') &&
    !/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(origin)
  ) {
    throw new AuthConfigurationError(
      `The service's own origin is ${origin}. Use https (NETSCRIPT_AUTH_REDIRECT_URI, NETSCRIPT_AUTH_ORIGIN): browsers keep no session cookie otherwise.`,
    )
  }
}
