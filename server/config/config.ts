import type { OAuthProvider } from '@netscript/auth-kv-oauth'
import { getDomain } from 'tldts'
import { AUTH_PATH_PREFIX } from '@netscript/auth-contract'
import { parseRedisUrls } from '@netscript/auth-kv-oauth/internal'
import { AuthBackendNotFoundError, AuthConfigurationError } from '@netscript/plugin-auth-core'
import { insecureSwitches, readVariables, type VariableIssue, type Variables } from './variables.js'
import { backendEntry } from '../backends.js'
import type { AuthConfig } from './auth-config.js'
import { isLoopback } from './loopback.js'
import { ADMISSION_VARIABLES, providerReaders, variablePrefix } from './providers.js'
import { unknownVariables } from './unknown-variables.js'

/** How the process was started. */
interface StartMode {
  /** Apply production rules: no local stand-ins; missing settings are errors. */
  production: boolean
}

/** A configuration and all problems in it. */
interface ConfigReading {
  /** The configuration as far as it could be read; complete only when there are no problems. */
  readonly config: AuthConfig
  /** AuthConfigurationError and AuthBackendNotFoundError; each message names a fix. */
  readonly problems: readonly Error[]
}

/**
 * Reads the configuration from environment variables.
 *
 * @throws AuthConfigurationError that names each invalid variable and its fix; AuthBackendNotFoundError
 * for an unknown backend.
 */
export function readConfig(env: NodeJS.ProcessEnv, mode: StartMode): AuthConfig {
  const { config, problems } = inspectConfig(env, mode)
  const [first, ...others] = problems
  if (!first) return config
  if (others.length === 0) throw first
  throw new AuthConfigurationError(problems.map(({ message }) => message).join('\n'))
}

/** Like {@link readConfig}, but reports every problem at once. */
export function inspectConfig(env: NodeJS.ProcessEnv, mode: StartMode): ConfigReading {
  const problems: Error[] = []
  const wrong: string[] = []
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (error) {
      if (!isConfigurationProblem(error)) throw error
      // Don't report the consequences of an invalid variable: the rest is read without it.
      const isConsequence = wrong.some((name) => new RegExp(`\\b${name}\\b`).test(error.message))
      if (!isConsequence) problems.push(error)
      return undefined
    }
  }
  const { variables, issues } = readWhatIsRight(env)
  for (const { variable, message } of issues) {
    problems.push(new AuthConfigurationError(`${variable}: ${message}.`))
    wrong.push(variable)
  }
  const backend = variables.NETSCRIPT_AUTH_BACKEND
  const entry = attempt(() => backendEntry(backend))
  const readers = backend === 'kv-oauth' ? providerReaders(variables, env) : []
  const providers = readers.map(attempt).filter((provider) => provider !== undefined)
  const production = mode.production || env.NODE_ENV === 'production'
  const config: AuthConfig = {
    variables,
    production,
    host: variables.NETSCRIPT_AUTH_HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
    providers,
    usesDatabase:
      (entry?.usesDatabase ?? false) ||
      variables.NETSCRIPT_AUTH_TOKEN_AUDIENCES.length > 0 ||
      variables.NETSCRIPT_AUTH_PROVIDER_TOKENS,
    origin: attempt(() => ownOrigin(variables, providers)) ?? '',
    docs: variables.NETSCRIPT_AUTH_DOCS ?? !production,
    warnings: [
      ...insecureSwitches(variables).map((name) => `${name} is on. Use it for development only.`),
      ...unknownVariables(env, variables.NETSCRIPT_AUTH_PROVIDERS ?? []),
      ...providers.flatMap((provider) => otherPort(provider, variables) ?? []),
    ],
  }
  // With the local provider a key is generated.
  const isLocal = backend === 'kv-oauth' && readers.length === 0 && !production
  if (!isLocal && entry) {
    for (const { variable, how, always } of entry.needs) {
      if (!always || env[variable]?.trim()) continue
      problems.push(new AuthConfigurationError(`${variable} is not set. ${how}`))
      wrong.push(variable)
    }
    attempt(() => entry.keyring(env))
  }
  attempt(() => checkRedirectUris(providers))
  attempt(() => checkAdmission(variables))
  attempt(() => checkSessionStore(variables))
  attempt(() => checkLifetimes(variables))
  attempt(() => checkMetricsPort(variables))
  // An incomplete provider is already reported, and the public origin is unknown then.
  const isKnown = config.origin !== '' && providers.length === readers.length
  if (isKnown) attempt(() => checkOrigins(config))
  if (production && entry) {
    attempt(() => checkDatabase(config))
    if (readers.length === 0) attempt(() => checkProvider(variables))
    if (isKnown) attempt(() => checkScheme(config))
  }
  return { config, problems }
}

function isConfigurationProblem(error: unknown): error is Error {
  return error instanceof AuthConfigurationError || error instanceof AuthBackendNotFoundError
}

/** Reads the variables, with the default in place of each invalid one. */
function readWhatIsRight(env: NodeJS.ProcessEnv): {
  variables: Variables
  issues: readonly VariableIssue[]
} {
  const read = readVariables(env)
  if (read.ok) return { variables: read.variables, issues: [] }
  const wrong = new Set(read.issues.map(({ variable }) => variable))
  const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !wrong.has(name)))
  return { variables: readWhatIsRight(rest).variables, issues: read.issues }
}

/** A rule that nothing applies must not look as if it did. */
function checkAdmission(variables: Variables): void {
  const { NETSCRIPT_AUTH_BACKEND: backend } = variables
  const set = ADMISSION_VARIABLES.map((name) => `NETSCRIPT_AUTH_${name}` as const).find(
    (name) => variables[name] !== undefined,
  )
  if (backend === 'kv-oauth' || set === undefined) return
  throw new AuthConfigurationError(
    `${set} is for kv-oauth; ${backend} does not apply it. Unset it, and restrict the sign-in ${backend === 'workos' ? 'in the dashboard of WorkOS' : 'in the options of better-auth'}.`,
  )
}

function checkSessionStore({ NETSCRIPT_AUTH_SESSION_STORE: urls }: Variables): void {
  if (urls !== undefined) parseRedisUrls(urls)
}

/** RFC 9700 section 4.4.2.2: a distinct redirect URI per provider prevents mix-up attacks. */
function checkRedirectUris(providers: readonly OAuthProvider[]): void {
  const byUri = new Map<string, string>()
  for (const { id, redirectUri } of providers) {
    const { href } = new URL(redirectUri)
    const other = byUri.get(href)
    if (other !== undefined && other !== id) {
      throw new AuthConfigurationError(
        `${variablePrefix(other)}REDIRECT_URI and ${variablePrefix(id)}REDIRECT_URI are both ${redirectUri}. Give each provider its own, as registered there: append /${id}, or ?provider=${id} where an earlier version registered that.`,
      )
    }
    byUri.set(href, id)
  }
}

/** The service's public origin: that of the redirect URI, if one is set. */
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

/** Browsers do not send Lax cookies from another site, so a cross-site origin could not work. */
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

/** A different port is valid behind a proxy or a port mapping; otherwise it is a common mistake. */
export function otherPort(
  { id, redirectUri }: OAuthProvider,
  { PORT }: Variables,
): string | undefined {
  const { origin, port, protocol } = new URL(redirectUri)
  const named = Number(port || (protocol === 'https:' ? 443 : 80))
  if (PORT === 0 || named === PORT || !isLoopback(origin)) return undefined
  return `The redirect URI of ${id} leads to port ${named} of this machine, but the service listens on ${PORT}. Set PORT and the redirect URI to one port, unless a proxy leads from one to the other.`
}

function checkLifetimes(variables: Variables): void {
  const { NETSCRIPT_AUTH_SESSION_IDLE_SECONDS: idle } = variables
  if (idle > variables.NETSCRIPT_AUTH_SESSION_ABSOLUTE_SECONDS) {
    throw new AuthConfigurationError(
      'NETSCRIPT_AUTH_SESSION_IDLE_SECONDS is longer than NETSCRIPT_AUTH_SESSION_ABSOLUTE_SECONDS. Make it shorter.',
    )
  }
  const { NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS: refresh } = variables
  if (refresh !== undefined && refresh >= idle) {
    throw new AuthConfigurationError(
      'NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS is not shorter than NETSCRIPT_AUTH_SESSION_IDLE_SECONDS: sessions would end while they are used. Make it shorter, or leave it out.',
    )
  }
}

/** Port 0 selects any free port, so it conflicts with none. */
function checkMetricsPort({ PORT, NETSCRIPT_AUTH_METRICS_PORT: port }: Variables): void {
  if (port !== PORT || port === 0) return
  throw new AuthConfigurationError(
    `NETSCRIPT_AUTH_METRICS_PORT is ${port}, which is PORT. Choose another, so that /metrics is not public.`,
  )
}

function checkDatabase({ usesDatabase, variables }: AuthConfig): void {
  if (!usesDatabase || variables.DATABASE_URL !== undefined) return
  throw new AuthConfigurationError(
    'DATABASE_URL is not set. Production requires a Postgres database.',
  )
}

/** Throws the error of a production start without a provider. */
function checkProvider(variables: Variables): void {
  if (variables.NETSCRIPT_AUTH_BACKEND === 'kv-oauth') {
    throw new AuthConfigurationError(
      'No provider is configured. Set NETSCRIPT_AUTH_CLIENT_ID, NETSCRIPT_AUTH_CLIENT_SECRET and NETSCRIPT_AUTH_REDIRECT_URI; the local provider is for development only.',
    )
  }
  if (variables.NETSCRIPT_AUTH_ORIGIN === undefined) {
    throw new AuthConfigurationError(
      'NETSCRIPT_AUTH_ORIGIN is not set. Set it to the public origin, such as https://auth.example.com.',
    )
  }
}

function checkScheme({ origin }: AuthConfig): void {
  if (keepsCookies(origin)) return
  throw new AuthConfigurationError(
    `The service's own origin is ${origin}. Use https (NETSCRIPT_AUTH_REDIRECT_URI, NETSCRIPT_AUTH_ORIGIN): browsers reject the session cookie otherwise.`,
  )
}

/** Whether browsers accept a Secure cookie from this origin: with https or on loopback. */
export function keepsCookies(origin: string): boolean {
  return origin.startsWith('https:') || isLoopback(origin)
}
