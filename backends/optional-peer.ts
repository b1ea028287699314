import { AuthConfigurationError } from './errors.js'
import { installCommand } from './package-manager.js'

/**
 * Imports an optional peer dependency.
 *
 * @param names Packages to install when one is missing.
 * @param purpose What needs them, as the subject of a sentence: `NETSCRIPT_AUTH_BACKEND=workos`.
 * @param dev Whether they are only needed in development. @default false
 * @throws AuthConfigurationError with the install command when a package is not installed.
 *
 * @example
 * ```ts
 * const workos = await importPeer(['@netscript/auth-workos'], 'The workos backend', () => import('@netscript/auth-workos'))
 * ```
 */
export async function importPeer<T>(
  names: readonly string[],
  purpose: string,
  load: () => Promise<T>,
  dev = false,
): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    if (!isMissing(cause, names)) throw cause
    const missing = names.length > 1 ? 'packages that are' : 'a package that is'
    throw new AuthConfigurationError(
      `${purpose} needs ${missing} not installed. Run: ${installCommand(names, { dev })}`,
      { cause },
    )
  }
}

/** False when an installed package fails to import one of its own dependencies. */
function isMissing(error: unknown, names: readonly string[]): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  const isNotFound = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
  return isNotFound && names.some((name) => message.includes(`'${name}'`))
}
