import type { RequestListener } from 'node:http'
import type { Request, RequestHandler, Response } from 'express'
import type { z } from 'zod'
import { toAuthnRequest } from '../backends/request.js'
import { authContractV1 } from '../contract/auth-contract.js'
import type { HandlerContext } from './handlers/context.js'
import { me, session } from './handlers/session.js'
import type { AnswerStart } from './http/answer-start.js'
import { send, sendError } from './http/error-response.js'
import type { Logger } from './log.js'

/** Options of {@link readLane}. */
export interface ReadLaneOptions {
  context: HandlerContext
  logger: Logger
  startAnswer: AnswerStart
  cors: RequestHandler
  /** Who answers everything else. */
  otherwise: RequestListener
}

const ignore = (): void => undefined

type Read = { handler: typeof session | typeof me; response: z.ZodType }

const READS = new Map<string | undefined, Read>([
  [
    authContractV1.session.path,
    { handler: session, response: authContractV1.session.responses[200] },
  ],
  [authContractV1.me.path, { handler: me, response: authContractV1.me.responses[200] }],
])

/**
 * A lane ahead of Express for `GET /session` and `GET /me`, which is what nearly every request asks:
 * the same handlers and the same start of the answer, so that nobody can tell who served it. A
 * request that is in any way unusual, a query included, takes the other way.
 */
export function readLane(options: ReadLaneOptions): RequestListener {
  const { context, logger, startAnswer, cors, otherwise } = options
  return (req, res) => {
    const read = req.method === 'GET' ? READS.get(req.url) : undefined
    if (!read) return otherwise(req, res)
    const answer = async (): Promise<void> => {
      startAnswer(req, res)
      cors(req as Request, res as Response, ignore)
      const { body, setCookies } = await read.handler(context, toAuthnRequest(req))
      for (const cookie of setCookies) res.appendHeader('Set-Cookie', cookie)
      send(res, 'application/json', JSON.stringify(read.response.parse(body)))
    }
    answer().catch((error: unknown) => sendError(logger, error, req, res))
  }
}
