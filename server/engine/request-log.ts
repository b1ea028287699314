import { randomUUID } from 'node:crypto'
import type { Logger } from '../log.js'
import type { EngineRequest } from './message.js'

/** Counters of the HTTP layer. */
export interface HttpMetrics {
  /** A response was sent, or the client disconnected before. */
  answered(response: ResponseMeasure): void
  /** A client exceeded the rate limit of one of its networks, given by prefix length. */
  rateLimited(route: string, prefix: number): void
}

/** Measurements of a response. */
interface ResponseMeasure {
  /** The method as sent. */
  readonly method: string
  /** The key of the route in its contract or another fixed name, never a path. */
  readonly route: string
  /** `undefined` when the client disconnected. */
  readonly status: number | undefined
  readonly seconds: number
}

const REQUEST_ID = /^[\w-]{1,64}$/

/** The log line of one request. */
export interface RequestLogLine {
  /** The caller's X-Request-Id when it is valid, else a new id. */
  readonly requestId: string
  /** Writes the line. `undefined` means that the client disconnected before the response was sent. */
  end(status: number | undefined): void
}

/** Options of {@link createRequestLog}. */
interface RequestLogOptions {
  logger: Logger
  /** @default no metrics */
  metrics?: HttpMetrics | undefined
  /** @default a random UUID */
  newRequestId?: (() => string) | undefined
}

/**
 * Logs one line per request. Queries, headers and bodies are never logged, since they carry codes,
 * states, cookies and tokens. `route` is one of a few fixed names, so that metrics stay bounded.
 */
export function createRequestLog({
  logger,
  metrics,
  newRequestId = randomUUID,
}: RequestLogOptions): (
  request: Pick<EngineRequest, 'method' | 'headers'>,
  path: string,
  route: string,
) => RequestLogLine {
  return ({ method, headers }, path, route) => {
    const given = headers['x-request-id']
    const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : newRequestId()
    const began = performance.now()
    return {
      requestId,
      end(status) {
        const elapsed = performance.now() - began
        metrics?.answered({ method, route, status, seconds: elapsed / 1000 })
        const fields = { requestId, ms: Math.round(elapsed) }
        if (status === undefined)
          logger.warn(fields, `${method} ${path}: client closed the connection`)
        else if (status >= 500) logger.error(fields, `${method} ${path} ${status}`)
        else if (status >= 400) logger.warn(fields, `${method} ${path} ${status}`)
        else logger.info(fields, `${method} ${path} ${status}`)
      },
    }
  }
}
