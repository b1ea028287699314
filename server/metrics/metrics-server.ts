import { createServer } from 'node:http'
import { originForm } from '@netscript/plugin-auth-core/internal'
import type { Variables } from '../config/variables.js'
import { listen } from '../listen.js'
import type { Logger } from '../log.js'
import type { ServiceMetrics } from './service-metrics.js'

/** Serves `/metrics` on its own address. */
export interface MetricsServer {
  readonly metrics: ServiceMetrics
  /** The URL it listens on. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves `GET /metrics` and nothing else when NETSCRIPT_AUTH_METRICS_PORT is set. Otherwise the metrics
 * library is not loaded.
 */
export async function startMetrics(
  { NETSCRIPT_AUTH_METRICS_PORT: port, NETSCRIPT_AUTH_METRICS_HOST: host }: Variables,
  logger: Logger,
): Promise<MetricsServer | undefined> {
  if (port === undefined) return undefined
  const { createServiceMetrics } = await import('./service-metrics.js')
  const metrics = createServiceMetrics()
  const server = createServer((req, res) => {
    if (req.method !== 'GET' || originForm(req.url ?? '') !== '/metrics') {
      res.writeHead(404, { 'Content-Type': 'text/plain' }).end('See GET /metrics.\n')
      return
    }
    metrics.page().then(
      ({ contentType, text }) => res.setHeader('Content-Type', contentType).end(text),
      (err: unknown) => {
        logger.error({ err }, 'The metrics could not be collected.')
        res.writeHead(500).end()
      },
    )
  })
  const url = await listen(server, {
    port,
    host,
    variables: { port: 'NETSCRIPT_AUTH_METRICS_PORT', host: 'NETSCRIPT_AUTH_METRICS_HOST' },
  })
  return {
    metrics,
    url: `${url}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
