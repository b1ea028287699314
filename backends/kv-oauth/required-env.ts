import { AuthConfigurationError } from '../errors.js'

/**
 * The value of an environment variable, without surrounding white space.
 *
 * @throws AuthConfigurationError when the variable is unset or blank.
 *
 * @example
 * ```ts
 * const clientId = getRequiredEnv('NETSCRIPT_AUTH_CLIENT_ID')
 * ```
 */
export function getRequiredEnv(name: string): string {
  const value = process.env[name]?.trim()
  if (!value) {
    throw new AuthConfigurationError(
      `Required environment variable ${name} is not set. Set ${name} to a value that is not blank before the service starts.`,
    )
  }
  return value
}
