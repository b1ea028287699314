import { createPool, type PostgresPool } from '@netscript/auth-database'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { backendEntry, type BackendDependencies, type MountedBackend } from './backends.js'
import type { AuthConfig } from './config/auth-config.js'
import type { AuthApiOptions } from './engine/engine.js'
import type { RateLimitOptions } from './engine/rate-limit.js'
import type { HttpMetrics } from './engine/request-log.js'
import type { Logger } from './log.js'
import type { ServiceKeys } from './tokens/service-keys.js'
import type { TokenIssuer } from './tokens/token-issuer.js'

/** What the API of a configuration answers with. */
export interface ApiParts {
  readonly backend: MountedBackend
  readonly rateLimit: RateLimitOptions | false
  /** Absent when no tokens are issued. */
  readonly tokens?: TokenIssuer
  /** Absent when no tokens of providers are returned to services. */
  readonly serviceKeys?: ServiceKeys
}

/**
 * Opens what a configuration names. A token issuer creates its signing key.
 *
 * @param custom Replaces the backend that `config` names.
 */
export async function openApiParts(
  dependencies: BackendDependencies,
  custom?: MountedBackend,
): Promise<ApiParts> {
  const { config, env, pool } = dependencies
  const { variables } = config
  const tokens = pool && (await tokenIssuerOf(dependencies, pool))
  const serviceKeys =
    pool && variables.NETSCRIPT_AUTH_PROVIDER_TOKENS
      ? (await import('./tokens/service-keys.js')).createServiceKeys(pool)
      : undefined
  const backend =
    custom ?? (await backendEntry(variables.NETSCRIPT_AUTH_BACKEND).load(dependencies))
  return {
    backend,
    rateLimit: rateLimitOf(config, env, pool),
    ...(tokens && { tokens }),
    ...(serviceKeys && { serviceKeys }),
  }
}

/** The options of the API for a configuration. */
export function apiOptions(
  { variables, origin }: AuthConfig,
  parts: ApiParts & { readonly logger: Logger; readonly metrics?: HttpMetrics | undefined },
): AuthApiOptions {
  const { backend, rateLimit, logger, metrics, tokens, serviceKeys } = parts
  return {
    backend,
    origin,
    rateLimit,
    logger,
    trustProxy: variables.NETSCRIPT_AUTH_TRUST_PROXY ?? false,
    allowedReturnTo: variables.NETSCRIPT_AUTH_ALLOWED_RETURN_TO,
    corsOrigins: variables.NETSCRIPT_AUTH_CORS_ORIGINS,
    ...(metrics && { metrics }),
    ...(tokens && { tokens }),
    ...(serviceKeys && { serviceKeys }),
  }
}

/** @throws AuthConfigurationError without a URL. */
export function openDatabase(url: string | undefined, logger: Logger): PostgresPool {
  if (url === undefined) throw new AuthConfigurationError('DATABASE_URL is not set.')
  return createPool(url, {
    onIdleError: (err) => logger.warn({ err }, 'A database connection broke while idle.'),
  })
}

/**
 * The active backend's secret keys the hashes: all processes share it, and the database does not contain
 * it.
 */
function rateLimitOf(
  { variables }: AuthConfig,
  env: NodeJS.ProcessEnv,
  pool: PostgresPool | undefined,
): RateLimitOptions | false {
  if (variables.NETSCRIPT_AUTH_INSECURE_NO_RATE_LIMIT) return false
  const perMinute = variables.NETSCRIPT_AUTH_RATE_LIMIT
  if (!pool) return { perMinute }
  const [secret = ''] = backendEntry(variables.NETSCRIPT_AUTH_BACKEND).keyring(env).secrets
  return { perMinute, shared: { pool, secret: Buffer.from(secret).toString('base64url') } }
}

/** Creates the token issuer with a signing key; loaded only when tokens are enabled. */
async function tokenIssuerOf(
  { config: { variables, origin }, env, logger: log }: BackendDependencies,
  pool: PostgresPool,
): Promise<TokenIssuer | undefined> {
  const { NETSCRIPT_AUTH_TOKEN_AUDIENCES: audiences, NETSCRIPT_AUTH_BACKEND: backend } = variables
  if (audiences.length === 0) return undefined
  const { createTokenIssuer } = await import('./tokens/token-issuer.js')
  const keyring = backendEntry(backend).keyring(env)
  const issuer = createTokenIssuer({ pool, keyring, origin, audiences, log })
  await issuer.maintain()
  return issuer
}
