import type { IncomingMessage, ServerResponse } from 'node:http'
import type pg from 'pg'
import { AuthBackendNotFoundError } from '../backends/errors.js'
import type { AuthBackendPort } from '../backends/port.js'
import type { AuthConfig } from './config/config.js'
import type { Logger } from './log.js'

/** A backend, and the routes of its own that the service mounts for it. */
export type MountedBackend = AuthBackendPort & {
  readonly basePath?: string
  readonly handler?: (req: IncomingMessage, res: ServerResponse) => Promise<void>
}

/** What a backend may be made from. */
export interface BackendDependencies {
  config: AuthConfig
  env: NodeJS.ProcessEnv
  /** Present when the backend keeps something in the database. */
  pool: pg.Pool | undefined
  logger: Logger
}

interface BackendEntry {
  /** Whether it keeps something in the database. */
  readonly usesDatabase: boolean
  /** Imports what it needs, so that a backend that is not chosen costs nothing. */
  load(dependencies: BackendDependencies): Promise<MountedBackend>
}

const BACKENDS = new Map<string, BackendEntry>([
  [
    'kv-oauth',
    {
      usesDatabase: true,
      async load({ config, env, pool, logger }) {
        const { createKvOAuthBackend } = await import('../backends/kv-oauth/backend.js')
        const { variables } = config
        return createKvOAuthBackend({
          providers: config.providers,
          key: env.NETSCRIPT_AUTH_KV_OAUTH_KEY ?? '',
          log: logger,
          cookieName: variables.NETSCRIPT_AUTH_COOKIE_NAME,
          insecureCookies: variables.NETSCRIPT_AUTH_INSECURE_COOKIES,
          allowInsecureRequests: variables.NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS,
          policy: {
            idleMs: variables.NETSCRIPT_AUTH_SESSION_IDLE_SECONDS * 1000,
            absoluteMs: variables.NETSCRIPT_AUTH_SESSION_ABSOLUTE_SECONDS * 1000,
            refreshWindowMs: variables.NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS * 1000,
          },
          sessionStore: variables.NETSCRIPT_AUTH_SESSION_STORE ?? '',
          ...(pool && { pool }),
          ...(variables.NETSCRIPT_AUTH_AUDIT_SALT !== undefined && {
            auditSalt: variables.NETSCRIPT_AUTH_AUDIT_SALT,
          }),
        })
      },
    },
  ],
  [
    'workos',
    {
      usesDatabase: false,
      async load({ env, logger }) {
        const { workosBackendFromEnv } = await import('../backends/workos/index.js')
        return workosBackendFromEnv(env, { log: logger })
      },
    },
  ],
  [
    'better-auth',
    {
      usesDatabase: true,
      async load({ config, env, pool, logger }) {
        const { betterAuthBackendFromEnv } = await import('../backends/better-auth/index.js')
        if (!pool) throw new Error('The better-auth backend was loaded without a database.')
        return betterAuthBackendFromEnv(env, {
          pool,
          baseUrl: config.origin,
          trustedOrigins: config.variables.NETSCRIPT_AUTH_CORS_ORIGINS,
          log: logger,
        })
      },
    },
  ],
])

/**
 * What is known of a backend before it is loaded.
 * @throws AuthBackendNotFoundError for an unknown name.
 */
export function backendEntry(name: string): BackendEntry {
  const entry = BACKENDS.get(name)
  if (!entry) throw new AuthBackendNotFoundError(name, [...BACKENDS.keys()])
  return entry
}
