import { AuthConfigurationError } from '@netscript/plugin-auth-core'

/** The usual variables of each backend; for kv-oauth with one provider. */
const USUAL: readonly (readonly string[])[] = [
  [
    'NETSCRIPT_AUTH_CLIENT_ID',
    'NETSCRIPT_AUTH_CLIENT_SECRET',
    'NETSCRIPT_AUTH_REDIRECT_URI',
    'NETSCRIPT_AUTH_KV_OAUTH_KEY',
    'DATABASE_URL',
  ],
  ['BETTER_AUTH_SECRET', 'DATABASE_URL'],
  ['WORKOS_API_KEY', 'WORKOS_CLIENT_ID', 'WORKOS_COOKIE_PASSWORD'],
]

/**
 * Returns the value of an environment variable, trimmed.
 *
 * @throws AuthConfigurationError when it is unset or blank. For a usual variable of a backend, the
 * error names all of that backend that are missing.
 *
 * @example
 * ```ts
 * const clientId = getRequiredEnv('NETSCRIPT_AUTH_CLIENT_ID')
 * ```
 */
export function getRequiredEnv(name: string): string {
  const read = (variable: string): string | undefined => process.env[variable]?.trim() || undefined
  const value = read(name)
  if (value !== undefined) return value
  const groups = USUAL.filter((variables) => variables.includes(name))
  const group = groups.find((variables) => variables.some((other) => read(other))) ?? groups[0]
  const others = (group ?? []).filter((other) => other !== name && read(other) === undefined)
  throw new AuthConfigurationError(
    [
      `Required environment variable ${name} is not set. Set ${name} to a value that is not blank before the service starts.`,
      ...(others.length > 0
        ? [`Also not set: ${others.join(', ')}. Set those that the code does not pass as options.`]
        : []),
    ].join(' '),
  )
}
