import { AuthBackendNotFoundError } from './errors.js'
import type { AuthBackendPort } from './port.js'

/** The backend that is used when none is named. */
export const DEFAULT_AUTH_BACKEND_NAME = 'kv-oauth'

/** Backends by name. */
export type AuthBackends = ReadonlyMap<string, AuthBackendPort>

/**
 * The backend with the given name.
 * @throws AuthBackendNotFoundError with the names that exist.
 *
 * @example
 * ```ts
 * resolveBackend(new Map([[backend.name, backend]]), 'workos')
 * ```
 */
export function resolveBackend(
  backends: AuthBackends,
  name: string = DEFAULT_AUTH_BACKEND_NAME,
): AuthBackendPort {
  const backend = backends.get(name)
  if (!backend) throw new AuthBackendNotFoundError(name, [...backends.keys()])
  return backend
}

/** A set of backends of which one is the default. */
export interface AuthBackendRegistry {
  /** All of them by name. */
  readonly backends: AuthBackends
  /** The one that is used when none is named. */
  readonly default: AuthBackendPort
  /** Its name. */
  readonly defaultName: string
  /** The named backend; the default one when no name is given. */
  resolveBackend(name?: string): AuthBackendPort
}

/**
 * A registry over a copy of `backends`. The default is resolved at once, so that a wrong name stops
 * the start and not the first request.
 *
 * @example
 * ```ts
 * const registry = createAuthBackendRegistry(new Map([['kv-oauth', backend]]))
 * registry.default.name // 'kv-oauth'
 * ```
 */
export function createAuthBackendRegistry(
  backends: AuthBackends,
  defaultName: string = DEFAULT_AUTH_BACKEND_NAME,
): AuthBackendRegistry {
  const copy = new Map(backends)
  return {
    backends: copy,
    default: resolveBackend(copy, defaultName),
    defaultName,
    resolveBackend: (name = defaultName) => resolveBackend(copy, name),
  }
}
