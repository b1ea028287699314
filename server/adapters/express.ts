import { type AppRoute, type AppRouter, type AppRouteResponse, ContractNoBody } from '@ts-rest/core'
import { createExpressEndpoints, type RequestValidationError } from '@ts-rest/express'
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Response,
  Router,
} from 'express'
import { z } from 'zod'
import {
  accountContractV1,
  authContractV1,
  discoveryContractV1,
  forwardAuthContractV1,
  protocolContractV1,
  serviceContractV1,
} from '@netscript/auth-contract'
import { pathOf } from '@netscript/plugin-auth-core/internal'
import { type AuthApiOptions, createEngine, type Engine } from '../engine/engine.js'
import type { Exchange } from '../engine/exchange.js'
import type { RouteInput } from '../engine/routes.js'
import { queryOf, withoutEmpty } from '../engine/message.js'
import { notFound, validationError } from '../engine/validation.js'
import { send, toEngineRequest } from './node-message.js'

/**
 * Creates the authentication API as an Express app: serve it on its own, or mount it in your application.
 *
 * @example
 * ```ts
 * const app = express()
 * app.use(createAuthApp({ backend, origin: 'http://localhost:3000' }))
 * ```
 */
export function createAuthApp(options: AuthApiOptions): Express {
  const engine = createEngine(options)
  const app = express()
  app.disable('x-powered-by')
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.set('etag', false)
  app.set('query parser', (text: string) => queryOf(withoutEmpty(new URLSearchParams(text))))

  const api = Router({ caseSensitive: true, strict: true })
  api.use(openExchange(engine))
  addRoutes(api, engine, authContractV1)
  addRoutes(api, engine, accountContractV1)
  addRoutes(api, engine, serviceContractV1)
  addRoutes(api, engine, forwardAuthContractV1)
  addRoutes(api, engine, protocolContractV1)
  addRoutes(api, engine, discoveryContractV1)
  api.use((req) => {
    throw notFound(req.method)
  })
  api.use(answerError(engine))

  // The contract's paths are absolute, so the router only sees requests of the API.
  app.use((req, res, next) => {
    if (engine.serves(pathOf(req.url))) return api(req, res, next)
    next()
  })
  return app
}

const exchanges = new WeakMap<object, Exchange>()

function exchangeOf(req: object): Exchange {
  const exchange = exchanges.get(req)
  if (!exchange) throw new TypeError('The request did not pass through the engine.')
  return exchange
}

function openExchange(engine: Engine): RequestHandler {
  return async (req, res, next) => {
    const exchange = await engine.open(toEngineRequest(req))
    if (exchange.isAnswered) return send(res, exchange)
    exchanges.set(req, exchange)
    req.body = exchange.body
    req.url = decodable(req.url)
    // The responses have no ETag, but Express would still treat `If-None-Match: *` as a match.
    delete req.headers['if-none-match']
    next()
  }
}

/**
 * Express rejects a path with a segment that cannot be decoded. The engine takes such a segment
 * literally, so it is percent-encoded again.
 */
function decodable(url: string): string {
  const [path = '', ...query] = url.split('?')
  const segments = path.split('/').map((segment) => {
    try {
      decodeURIComponent(segment)
      return segment
    } catch {
      return encodeURIComponent(segment)
    }
  })
  return [segments.join('/'), ...query].join('?')
}

type Issues = { issues: z.core.$ZodIssue[] } | null

/** What ts-rest passes to a route implementation. */
interface Validated extends Omit<RouteInput, 'searchParams'> {
  readonly req: object
  readonly res: Response
}

/** Mounts the contract's routes with ts-rest, which matches and validates; the engine does the rest. */
function addRoutes(router: Router, engine: Engine, contract: AppRouter): void {
  const implementation = async ({ req, res, ...input }: Validated) => {
    const exchange = exchangeOf(req)
    const reply = await engine.handle(exchange, {
      ...input,
      searchParams: exchange.searchParams(),
    })
    for (const [name, value] of exchange.headers(reply)) res.appendHeader(name, value)
    // Node adds it to an empty response, but not to that of HEAD.
    if (reply.body === undefined) res.setHeader('Content-Length', '0')
    res.once('close', () => exchange.settle(res.writableFinished ? res.statusCode : undefined))
    return { status: reply.status, body: reply.body }
  }
  createExpressEndpoints(
    withoutBodies(contract),
    Object.fromEntries(Object.keys(contract).map((key) => [key, implementation])) as never,
    router,
    {
      logInitialization: false,
      requestValidationErrorHandler: (refused: RequestValidationError, req) => {
        const errors = [refused.pathParams, refused.query, refused.body] as Issues[]
        const issues = errors.flatMap((error) => error?.issues ?? [])
        throw validationError(exchangeOf(req).contract, issues)
      },
    },
  )
}

/** ts-rest omits the body and the Content-Type only when the contract uses its own symbol for "no body". */
function withoutBodies(contract: AppRouter): AppRouter {
  const emptyOr = (schema: AppRouteResponse): AppRouteResponse =>
    schema instanceof z.ZodUndefined ? ContractNoBody : schema
  return Object.fromEntries(
    Object.entries(contract as Record<string, AppRoute>).map(([key, route]) => {
      const responses = Object.entries(route.responses).map(
        ([status, schema]) => [status, emptyOr(schema)] as const,
      )
      return [key, { ...route, responses: Object.fromEntries(responses) }]
    }),
  )
}

function answerError(engine: Engine): ErrorRequestHandler {
  return async (error: unknown, req, res, next) => {
    if (res.headersSent) return next(error)
    const exchange = exchangeOf(req)
    await engine.fail(exchange, error)
    send(res, exchange)
  }
}
