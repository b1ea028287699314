import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pathOf } from '../../backends/request.js'
import type { Logger } from '../log.js'
import type { HttpMetrics } from './http-metrics.js'
import type { RouteName } from './route-name.js'

declare module 'node:http' {
  interface IncomingMessage {
    /** The id of the request, which the answer carries as `X-Request-Id`. */
    requestId?: string
  }
}

const REQUEST_ID = /^[\w-]{1,64}$/
const PROBES = /^\/health(\/|$)|^\/assets\//

/** Begins the log line of a request; it is written when the answer is out or the caller is gone. */
export type RequestLog = (req: IncomingMessage, res: ServerResponse) => void

/** Options of {@link createRequestLog}. */
export interface RequestLogOptions {
  logger: Logger
  /** Default: nothing is counted. */
  metrics?: HttpMetrics | undefined
  /** What the metrics call the route of a request. */
  routeName: RouteName
}

/**
 * One line a request, with an id that is echoed as `X-Request-Id`. Queries, headers and bodies are
 * not logged at all: codes, states, cookies and tokens travel in them. The same is counted.
 */
export function createRequestLog({ logger, metrics, routeName }: RequestLogOptions): RequestLog {
  return (req, res) => {
    const given = req.headers['x-request-id']
    const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
    req.requestId = requestId
    res.setHeader('X-Request-Id', requestId)
    // Express shortens `url` for what is mounted on a path.
    const { originalUrl, url = '' } = req as { originalUrl?: string; url?: string }
    const path = pathOf(originalUrl ?? url)
    if (PROBES.test(path)) return
    const began = performance.now()
    res.once('close', () => {
      const elapsed = performance.now() - began
      const ms = Math.round(elapsed)
      const { method = '' } = req
      metrics?.answered({
        method,
        route: routeName(method, path),
        status: res.writableFinished ? res.statusCode : undefined,
        seconds: elapsed / 1000,
      })
      const line = `${method} ${path} ${res.statusCode}`
      if (!res.writableFinished) logger.warn({ requestId, ms }, `${line}, and the caller was gone`)
      else if (res.statusCode >= 500) logger.error({ requestId, ms }, line)
      else if (res.statusCode >= 400) logger.warn({ requestId, ms }, line)
      else logger.info({ requestId, ms }, line)
    })
  }
}
