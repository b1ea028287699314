import { randomUUID } from 'node:crypto'
import type { RequestHandler } from 'express'
import { type DestinationStream, type Logger, pino } from 'pino'
import { pinoHttp } from 'pino-http'

export type { Logger }

const REQUEST_ID = /^[\w-]{1,64}$/
const PROBES = /^\/health(\/|$)|^\/assets\//

interface LoggedError {
  type: string
  code?: string
  message: string
  stack?: string
  cause?: LoggedError
}

/**
 * An error with its causes, but none of their other fields: libraries hang requests, parameters and
 * responses on their errors, and codes and tokens are in them.
 */
export function serializeError(error: unknown, depth = 0): LoggedError | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as { code?: unknown }
  const cause = depth < 4 ? serializeError(error.cause, depth + 1) : undefined
  // JSON.parse quotes what it could not read, in the message and so in the stack: a token, perhaps.
  if (error instanceof SyntaxError) return { type: error.name, message: 'The text is malformed.' }
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' && { code }),
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(cause && { cause }),
  }
}

const serializeUnknown = (error: unknown): LoggedError | undefined => serializeError(error)

/** The service's logger: JSON lines on standard output. `level` defaults to `info`. */
export function createLogger(level = 'info', destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    serializers: { err: serializeUnknown },
  }
  return destination ? pino(options, destination) : pino(options)
}

/** A destination for people: one short line each, in colour on a terminal. */
export async function prettyDestination(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty')
  return pretty({
    colorize: process.stdout.isTTY,
    ignore: 'requestId,res,req',
    translateTime: 'SYS:HH:MM:ss',
    hideObject: true,
    sync: true,
  })
}

/**
 * One line a request, with an id that is echoed as `X-Request-Id`. Queries, headers and bodies are
 * not logged at all: codes, states, cookies and tokens travel in them.
 */
export function requestLog(logger: Logger): RequestHandler {
  return pinoHttp({
    logger,
    genReqId: (req, res) => {
      const given = req.headers['x-request-id']
      const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
      res.setHeader('X-Request-Id', id)
      return id
    },
    quietReqLogger: true,
    wrapSerializers: false,
    serializers: { req: () => undefined, res: () => undefined, err: serializeUnknown },
    autoLogging: { ignore: (req) => PROBES.test(req.url ?? '') },
    customAttributeKeys: { reqId: 'requestId', responseTime: 'ms' },
    customLogLevel: (_req, res, error) =>
      error || res.statusCode >= 500 ? 'error' : res.statusCode >= 400 ? 'warn' : 'info',
    customSuccessMessage: (req, res) => requestLine(req, res),
    customErrorMessage: (req, res) => requestLine(req, res),
  })
}

interface Line {
  method?: string | undefined
  url?: string | undefined
  originalUrl?: string
}

const requestLine = (req: Line, res: { statusCode: number }): string =>
  `${req.method} ${(req.originalUrl ?? req.url ?? '').split('?', 1)[0]} ${res.statusCode}`
