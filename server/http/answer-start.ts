import type { IncomingMessage, ServerResponse } from 'node:http'
import { authContractV1 } from '../../contract/auth-contract.js'
import type { Logger } from '../log.js'
import type { HttpMetrics } from './http-metrics.js'
import { createRequestLog } from './request-log.js'
import { contractRoute } from './route-name.js'
import { securityHeaders } from './security-headers.js'

/** Begins an answer: everything about it that does not depend on what it says. */
export type AnswerStart = (req: IncomingMessage, res: ServerResponse) => void

/**
 * How every answer of the API begins, whoever serves it: the request's id and log line, the security
 * headers, and rule 6: nothing about a person may be kept by a cache, or answered to another.
 */
export function createAnswerStart({
  logger,
  origin,
  metrics,
}: {
  logger: Logger
  origin: string
  metrics?: HttpMetrics | undefined
}): AnswerStart {
  const log = createRequestLog({ logger, metrics, routeName: contractRoute })
  const headers = [
    ...securityHeaders({ origin }),
    ['Cache-Control', 'no-store'],
    ['Vary', 'Cookie'],
  ] as const
  return (req, res) => {
    log(req, res)
    for (const [name, value] of headers) res.setHeader(name, value)
    // The URL of a callback carries a code: it must not be told to anybody (RFC 9700 section 4.2).
    if (req.url?.startsWith(authContractV1.callback.path)) {
      res.setHeader('Referrer-Policy', 'no-referrer')
    }
    // Without an ETag there is nothing to compare; to Express `*` would still be fresh, and a 304.
    delete req.headers['if-none-match']
  }
}
