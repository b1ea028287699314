import { type AuthBackendPort, AuthConfigurationError } from '@netscript/plugin-auth-core'
import { createWorkosBackend } from './backend.js'
import { checkOptions, type WorkosBackendOptions } from './options.js'

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

/**
 * Creates a WorkOS backend from environment variables; see {@link workosOptionsFromEnv}. `options`
 * adds or overrides options, such as the log.
 *
 * @throws AuthConfigurationError
 *
 * @example
 * ```ts
 * const backend = await workosBackendFromEnv(process.env, { log: logger })
 * ```
 */
export async function workosBackendFromEnv(
  env: Readonly<Record<string, string | undefined>>,
  options: Partial<WorkosBackendOptions> = {},
): Promise<AuthBackendPort> {
  return createWorkosBackend({ ...workosOptionsFromEnv(env), ...options })
}
