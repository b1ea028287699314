import type pg from 'pg'
import { AuthBackendNotFoundError } from '../backends/errors.js'
import type { AuthBackendPort } from '../backends/port.js'
import type { AuthConfig } from './config/config.js'
import type { Logger } from './log.js'

/** What a backend may be made from. */
export interface BackendDependencies {
  config: AuthConfig
  env: NodeJS.ProcessEnv
  pool: pg.Pool
  logger: Logger
}

type BackendLoader = (dependencies: BackendDependencies) => Promise<AuthBackendPort>

/** Loaded by name, so that a backend that is not chosen costs no memory and needs no variables. */
const LOADERS: Readonly<Record<string, BackendLoader>> = {
  'kv-oauth': async ({ config, env, pool, logger }) => {
    const { createKvOAuthBackend } = await import('../backends/kv-oauth/backend.js')
    const { variables } = config
    return createKvOAuthBackend({
      providers: config.providers,
      key: env.NETSCRIPT_AUTH_KV_OAUTH_KEY ?? '',
      pool,
      log: logger,
      cookieName: variables.NETSCRIPT_AUTH_COOKIE_NAME,
      insecureCookies: variables.NETSCRIPT_AUTH_INSECURE_COOKIES,
      allowInsecureRequests: variables.NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS,
      policy: {
        idleMs: variables.NETSCRIPT_AUTH_SESSION_IDLE_SECONDS * 1000,
        absoluteMs: variables.NETSCRIPT_AUTH_SESSION_ABSOLUTE_SECONDS * 1000,
        refreshWindowMs: variables.NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS * 1000,
      },
    })
  },
}

/** The names that NETSCRIPT_AUTH_BACKEND may have. */
export const BACKEND_NAMES: readonly string[] = Object.keys(LOADERS)

/**
 * Makes the configured backend.
 * @throws AuthBackendNotFoundError for an unknown name, AuthConfigurationError for missing settings.
 */
export async function loadBackend(dependencies: BackendDependencies): Promise<AuthBackendPort> {
  const name = dependencies.config.variables.NETSCRIPT_AUTH_BACKEND
  const load = Object.hasOwn(LOADERS, name) ? LOADERS[name] : undefined
  if (!load) throw new AuthBackendNotFoundError(name, BACKEND_NAMES)
  return load(dependencies)
}
