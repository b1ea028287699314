import { getDomain } from 'tldts'
import { AuthBackendNotFoundError, AuthConfigurationError } from '../../backends/errors.js'
import { parseKeyring } from '../../backends/keyring.js'
import type { OAuthProvider } from '../../backends/kv-oauth/provider.js'
import { AUTH_PATH_PREFIX } from '../../contract/auth-contract.js'
import { BACKEND_NAMES } from '../backends.js'
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
  const providers = readProviders(variables, env)
  const production = mode.production || env.NODE_ENV === 'production'
  const host = variables.NETSCRIPT_AUTH_HOST ?? (production ? '0.0.0.0' : '127.0.0.1')
  const config: AuthConfig = {
    variables,
    production,
    host,
    providers,
    origin: ownOrigin(variables, providers),
    docs: variables.NETSCRIPT_AUTH_DOCS ?? !production,
  }
  checkBackend(config, env)
  checkOrigins(config)
  checkLifetimes(variables)
  if (production) checkProduction(config)
  return config
}

/** Finds a wrong name or key before anything is started. */
function checkBackend({ variables, providers }: AuthConfig, env: NodeJS.ProcessEnv): void {
  const { NETSCRIPT_AUTH_BACKEND: name } = variables
  if (!BACKEND_NAMES.includes(name)) throw new AuthBackendNotFoundError(name, BACKEND_NAMES)
  if (name === 'kv-oauth' && providers.length > 0) parseKeyring(env.NETSCRIPT_AUTH_KV_OAUTH_KEY)
}

/** Where people reach the service: the origin of the redirect URI. */
function ownOrigin(variables: Variables, providers: readonly OAuthProvider[]): string {
  const origins = new Set(providers.map(({ redirectUri }) => new URL(redirectUri).origin))
  if (origins.size > 1) {
    throw new AuthConfigurationError(
      `The redirect URIs name several origins (${[...origins].join(', ')}). Use one: it is the service's own.`,
    )
  }
  const { NETSCRIPT_AUTH_REDIRECT_URI: redirectUri, PORT } = variables
  const [origin] = origins
  return origin ?? (redirectUri ? new URL(redirectUri).origin : `http://localhost:${PORT}`)
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

function checkProduction({ variables, providers, origin }: AuthConfig): void {
  if (variables.DATABASE_URL === undefined) {
    throw new AuthConfigurationError(
      'DATABASE_URL is not set. A production start needs a Postgres of its own.',
    )
  }
  if (variables.NETSCRIPT_AUTH_BACKEND === 'kv-oauth' && providers.length === 0) {
    throw new AuthConfigurationError(
      'No provider is configured. Set NETSCRIPT_AUTH_CLIENT_ID, NETSCRIPT_AUTH_CLIENT_SECRET and NETSCRIPT_AUTH_REDIRECT_URI; the local provider is for development only.',
    )
  }
  if (
    origin.startsWith('http:') &&
    !/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(origin)
  ) {
    throw new AuthConfigurationError(
      `NETSCRIPT_AUTH_REDIRECT_URI is on ${origin}. Use https: browsers keep no session cookie otherwise.`,
    )
  }
}
