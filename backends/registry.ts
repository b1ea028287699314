import { AuthBackendNotFoundError } from './errors.js'
import type { AuthBackendPort, AuthProviderDescriptor, AuthProviderRegistryPort } from './port.js'

/** Name of the default backend. */
export const DEFAULT_AUTH_BACKEND_NAME = 'kv-oauth'

/** Backends by name. */
type AuthBackends = ReadonlyMap<string, AuthBackendPort>

/**
 * Returns the backend with a name.
 * @throws AuthBackendNotFoundError for an unknown name; it lists the names that exist.
 *
 * @example
 * ```ts
 * resolveBackend(new Map([[backend.name, backend]]), 'workos')
 * ```
 */
export function resolveBackend<Backend = AuthBackendPort>(
  backends: ReadonlyMap<string, Backend>,
  name: string = DEFAULT_AUTH_BACKEND_NAME,
): Backend {
  const backend = backends.get(name)
  if (!backend) throw new AuthBackendNotFoundError(name, [...backends.keys()])
  return backend
}

/** A set of backends with a default. */
export interface AuthBackendRegistry {
  /** All backends by name. */
  readonly backends: AuthBackends
  /** The default backend. */
  readonly default: AuthBackendPort
  /** The name of the default backend. */
  readonly defaultName: string
  /** Returns a backend by name. @default the default backend */
  resolveBackend(name?: string): AuthBackendPort
}

/**
 * Creates a registry from a copy of `backends`. The default is resolved immediately, so that a wrong
 * name fails at startup and not at the first request.
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

/** Creates a provider registry from a list, in its order. */
export function createProviderRegistry(
  providers: readonly AuthProviderDescriptor[],
): AuthProviderRegistryPort {
  return {
    listProviders: () => providers,
    getProvider: (id) => providers.find((provider) => provider.id === id),
  }
}
