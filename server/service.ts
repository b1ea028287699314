import { createServer, type Server } from 'node:http'
import { Server as NetServer } from 'node:net'
import { applyMigrations, type PostgresPool } from '@netscript/auth-database'
import { databaseStartError } from '@netscript/auth-database/internal'
import { openApiParts, openDatabase } from './api-parts.js'
import type { MountedBackend } from './backends.js'
import type { AuthConfig } from './config/auth-config.js'
import { listen } from './listen.js'
import { createLogger, type Logger } from './log.js'
import { type MetricsServer, startMetrics } from './metrics/metrics-server.js'
import { proxyHosts, readOutgoingProxy, useOutgoingProxy } from './outgoing-proxy.js'
import type { DemoNotice } from './pages/sign-in-page.js'
import { createServiceApp } from './service-app.js'
import { startSweeping } from './sweep.js'
import { startTracing } from './tracing/start-tracing.js'

/** How long a shutdown waits for requests in flight, in milliseconds. */
const DRAIN_MS = 10_000
/**
 * Grace period of a shutdown for keep-alive connections on which a request may be in flight, in
 * milliseconds.
 */
const IDLE_GRACE_MS = 1_000

/** Options of {@link createAuthService}. */
export interface AuthServiceOptions {
  /** The result of `readConfig`. */
  config: AuthConfig
  /** A custom backend, closed with the service. Default: the one that `config` names. */
  backend?: MountedBackend
  /** Required when `config.usesDatabase`. */
  databaseUrl?: string
  /** Environment that backends read their own variables from. Default: `process.env`. */
  env?: NodeJS.ProcessEnv
  /** Default: a logger on standard output at the configured level. */
  logger?: Logger
}

/** The running service. */
export interface AuthService {
  /** The URL it listens on. */
  readonly url: string
  /** The URL of `/metrics`; absent without NETSCRIPT_AUTH_METRICS_PORT. */
  readonly metricsUrl?: string
  /** Stops accepting requests, finishes those in flight, and closes the database. */
  close(): Promise<void>
}

/**
 * Starts the service: migrations, backend, HTTP server, expiry sweep. It listens only when everything
 * else is ready, and releases everything when the start fails.
 *
 * @throws AuthConfigurationError that names the variable and the fix.
 *
 * @example
 * ```ts
 * const config = readConfig(process.env, { production: true })
 * const service = await createAuthService({ config, databaseUrl: getRequiredEnv('DATABASE_URL') })
 * process.once('SIGTERM', () => void service.close())
 * ```
 */
export function createAuthService(options: AuthServiceOptions): Promise<AuthService> {
  return startService(options)
}

/** Like {@link createAuthService}; the page shows the notice about the local provider. */
export async function startService(
  options: AuthServiceOptions,
  demo?: DemoNotice,
): Promise<AuthService> {
  const { config, env = process.env } = options
  const logger = options.logger ?? createLogger(config.variables.NETSCRIPT_AUTH_LOG_LEVEL)
  for (const warning of config.warnings) logger.warn(warning)
  const proxy = readOutgoingProxy(env)
  if (proxy) logger.info({ proxy: proxyHosts(proxy) }, 'Requests to providers go through a proxy.')
  const leaveProxy = await useOutgoingProxy(env)
  const pool = config.usesDatabase ? openDatabase(options.databaseUrl, logger) : undefined
  let observed: MetricsServer | undefined
  const tracing = await startTracing(config.variables, logger, proxy)
  try {
    observed = await startMetrics(config.variables, logger)
    const metrics = observed?.metrics
    if (pool) await migrate(pool, options)
    const parts = await openApiParts(
      { config, env, pool, logger, metrics, trace: tracing },
      options.backend,
    )
    const { backend, tokens } = parts
    if (pool) metrics?.watchPool(pool)
    metrics?.watchSessions(backend)
    let draining = false
    const listener = createServiceApp({
      ...parts,
      config,
      logger,
      draining: () => draining,
      metrics,
      ...(demo && { demo }),
    })
    const server = createServer(tracing ? tracing.traced(listener) : listener)
    // Tells clients with kept-alive connections to close them after the next response.
    server.prependListener('request', (_req, res) => {
      if (draining) res.setHeader('Connection', 'close')
    })
    const url = await listen(server, {
      port: config.variables.PORT,
      host: config.host,
    })
    void backend.warmUp?.().catch(() => undefined)
    const stopSweeping = pool && startSweeping(pool, logger, metrics, tokens)
    return {
      url,
      ...(observed && { metricsUrl: observed.url }),
      async close() {
        if (draining) return
        draining = true
        await drain(server)
        await stopSweeping?.()
        await observed?.close()
        await backend.close()
        await pool?.end()
        await tracing?.close()
        await leaveProxy()
      },
    }
  } catch (error) {
    await observed?.close()
    await pool?.end()
    await tracing?.close()
    await leaveProxy()
    throw error
  }
}

/** @throws AuthConfigurationError that names the problem with the database, and the fix. */
async function migrate(
  pool: PostgresPool,
  { config, databaseUrl }: AuthServiceOptions,
): Promise<void> {
  const { DATABASE_URL } = config.variables
  try {
    await applyMigrations(pool)
  } catch (error) {
    throw databaseStartError(error, databaseUrl === DATABASE_URL ? 'DATABASE_URL' : '`databaseUrl`')
  }
}

/**
 * Stops listening and finishes requests in flight. http's own close() would close idle keep-alive
 * connections at once, even one on which a request is arriving; net's close() only stops listening.
 */
async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    NetServer.prototype.close.call(server, () => resolve())
  })
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_GRACE_MS)
  const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
  await closed
  clearInterval(idle)
  clearTimeout(force)
  // Stops http's timers; there are no connections left to close.
  server.close()
}
