import type { RequestListener } from 'node:http'
import cors from 'cors'
import express, { type Express, type RequestHandler } from 'express'
import { AuthError } from '../backends/errors.js'
import type { AuthBackendPort } from '../backends/port.js'
import { originForm } from '../backends/request.js'
import type { TokenIssuer } from '../backends/tokens/token-issuer.js'
import { AUTH_PATH_PREFIX } from '../contract/auth-contract.js'
import { discoveryContractV1 } from '../contract/discovery-contract.js'
import type { HandlerContext } from './handlers/context.js'
import { type AnswerStart, createAnswerStart } from './http/answer-start.js'
import { readBody } from './http/body.js'
import { createErrorResponse } from './http/error-response.js'
import type { HttpMetrics } from './http/http-metrics.js'
import { originCheck } from './http/origin-check.js'
import { type RateLimitOptions, rateLimits } from './http/rate-limit.js'
import { createLogger, type Logger } from './log.js'
import { serveAsset } from './pages/asset.js'
import { stylesheet } from './pages/stylesheet.js'
import { readLane } from './read-lane.js'
import { createReturnToPolicy } from '../backends/return-to.js'
import { addAuthRoutes, addDiscoveryRoutes, refuseUndeclaredMethods } from './router.js'

/** Options of {@link createAuthApp}. */
export interface AuthAppOptions {
  /** Who knows the people. It stays yours: the app does not close it. */
  backend: AuthBackendPort
  /** The origin that people see, such as `https://auth.example.com`: that of the redirect URI. */
  origin: string
  /** Further origins that are allowed as return targets. Default: none. */
  allowedReturnTo?: readonly string[]
  /** Same-site origins that may call with credentials and be return targets. Default: none. */
  corsOrigins?: readonly string[]
  /**
   * Express's `trust proxy`: which proxies may set X-Forwarded-*, as a number of hops or addresses.
   * Default: none. `true` would let everybody choose their own address.
   */
  trustProxy?: string | number | false
  /** Issues tokens for other services, and serves their keys. Default: nobody does. */
  tokens?: TokenIssuer
  /** Limits of sign-ins, callbacks and tokens; `false` is none. Default: 120 a minute, counted in memory. */
  rateLimit?: RateLimitOptions | false
  /** Where log lines go. Default: a logger on standard output. */
  logger?: Logger
  /** Where answers are counted. Default: nowhere. */
  metrics?: HttpMetrics
}

/**
 * The authentication API as an Express app: use it as it is, or mount it in your own.
 *
 * @example
 * ```ts
 * const app = express()
 * app.use(createAuthApp({ backend, origin: 'http://localhost:3000' }))
 * ```
 */
export function createAuthApp(options: AuthAppOptions): Express {
  return createApp(options, createParts(options))
}

/**
 * The same for `node:http`, where `GET /session` and `GET /me` are answered ahead of Express, at a
 * third of the cost and byte for byte alike.
 *
 * @param otherwise Who answers what is not of the API. Default: 404.
 *
 * @example
 * ```ts
 * createServer(createAuthListener({ backend, origin: 'http://localhost:3000' })).listen(3000)
 * ```
 */
export function createAuthListener(
  options: AuthAppOptions,
  otherwise?: RequestListener,
): RequestListener {
  const parts = createParts(options)
  const app = createApp(options, parts)
  // An app takes what follows it as a third argument, of which its type says nothing.
  const followedBy = app as unknown as (
    ...args: [...Parameters<RequestListener>, () => void]
  ) => void
  const lane = readLane({
    ...parts,
    otherwise: otherwise
      ? (req, res) => followedBy(req, res, () => otherwise(req, res))
      : (req, res) => void app(req, res),
  })
  return (req, res) => {
    req.url = originForm(req.url ?? '')
    lane(req, res)
  }
}

/** What the Express app and the lane ahead of it have in common. */
interface Parts {
  readonly context: HandlerContext
  readonly logger: Logger
  readonly startAnswer: AnswerStart
  readonly cors: RequestHandler
}

const noCors: RequestHandler = (_req, _res, next) => next()

function createParts(options: AuthAppOptions): Parts {
  const { backend, origin, corsOrigins = [], allowedReturnTo = [] } = options
  const logger = options.logger ?? createLogger()
  return {
    context: {
      backend,
      returnTo: createReturnToPolicy(origin, [...allowedReturnTo, ...corsOrigins]),
      ...(options.tokens && { tokens: options.tokens }),
    },
    logger,
    startAnswer: createAnswerStart({ logger, origin, metrics: options.metrics }),
    cors:
      corsOrigins.length > 0
        ? cors({ origin: [...corsOrigins], credentials: true, exposedHeaders: EXPOSED })
        : noCors,
  }
}

function createApp(options: AuthAppOptions, parts: Parts): Express {
  const { origin, corsOrigins = [] } = options
  const app = express()
  app.disable('x-powered-by')
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.set('trust proxy', options.trustProxy ?? false)
  app.set('query parser', 'simple')
  app.set('etag', false)

  const api = express.Router({ caseSensitive: true, strict: true })
  api.use((req, res, next) => {
    parts.startAnswer(req, res)
    parts.cors(req, res, next)
  })
  api.use(refuseUndeclaredMethods)
  api.use(originCheck(new Set([origin, ...corsOrigins])))
  if (options.rateLimit !== false) api.use(rateLimits(options.rateLimit ?? {}, options.metrics))
  api.use(readBody)
  addAuthRoutes(api, parts.context)
  api.use((req, _res, next) => {
    next(new AuthError('NOT_FOUND', `There is no ${req.method} route here. See /openapi.json.`))
  })
  api.use(createErrorResponse(parts.logger))

  // The paths of the contract are absolute, so the router looks at requests under the prefix only.
  app.use((req, res, next) => {
    if (req.path === AUTH_PATH_PREFIX || req.path.startsWith(`${AUTH_PATH_PREFIX}/`)) {
      req.url = originForm(req.url)
      return api(req, res, next)
    }
    next()
  })
  if (options.tokens) {
    const keys = express.Router()
    addDiscoveryRoutes(keys, parts.context)
    keys.use(createErrorResponse(parts.logger))
    app.get(discoveryContractV1.jwks.path, (req, res, next) => {
      parts.startAnswer(req, res)
      keys(req, res, next)
    })
  }
  app.get(stylesheet.path, serveAsset(stylesheet))
  return app
}

const EXPOSED = ['X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy']
