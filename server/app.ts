import cors from 'cors'
import express, { type Express, type RequestHandler } from 'express'
import { AuthError } from '../backends/errors.js'
import type { AuthBackendPort } from '../backends/port.js'
import { AUTH_PATH_PREFIX } from '../contract/auth-contract.js'
import { createLogger, type Logger, requestLog } from './log.js'
import { readBody } from './http/body.js'
import { errorResponse } from './http/error-response.js'
import { originCheck } from './http/origin-check.js'
import { type RateLimitOptions, rateLimits } from './http/rate-limit.js'
import { securityHeaders } from './http/security-headers.js'
import { stylesheet } from './pages/stylesheet.js'
import { createReturnToPolicy } from './return-to.js'
import { authRouter, refuseUndeclaredMethods } from './router.js'

/** Options of {@link createAuthApp}. */
export interface AuthAppOptions {
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
  /** Limits of sign-ins and callbacks; `false` is none. Default: 120 a minute, counted in memory. */
  rateLimit?: RateLimitOptions | false
  /** Where log lines go. Default: a logger on standard output. */
  logger?: Logger
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
  const { backend, origin, corsOrigins = [], allowedReturnTo = [] } = options
  const app = express()
  app.disable('x-powered-by')
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.set('trust proxy', options.trustProxy ?? false)
  app.set('query parser', 'simple')
  app.set('etag', false)

  const api = express.Router({ caseSensitive: true, strict: true })
  api.use(requestLog(options.logger ?? createLogger()))
  api.use(...securityHeaders({ origin }), privateResponses)
  if (corsOrigins.length > 0) {
    api.use(cors({ origin: [...corsOrigins], credentials: true, exposedHeaders: EXPOSED }))
  }
  api.use(refuseUndeclaredMethods)
  const limits =
    options.rateLimit === false ? undefined : rateLimits(options.rateLimit ?? {}, backend.providers)
  api.use(originCheck(new Set([origin, ...corsOrigins])))
  if (limits) api.use(limits.byAddress)
  api.use(readBody)
  if (limits) api.use(limits.byProvider)
  api.use(
    authRouter({
      backend,
      returnTo: createReturnToPolicy(origin, [...allowedReturnTo, ...corsOrigins]),
    }),
  )
  api.use((req, _res, next) => {
    next(new AuthError('NOT_FOUND', `There is no ${req.method} route here. See /openapi.json.`))
  })
  api.use(errorResponse)

  app.get(stylesheet.path, (_req, res) => {
    res.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
    res.type('css').send(stylesheet.text)
  })
  // The paths of the contract are absolute, so the router looks at requests under the prefix only.
  app.use((req, res, next) => {
    if (req.path === AUTH_PATH_PREFIX || req.path.startsWith(`${AUTH_PATH_PREFIX}/`)) {
      return api(req, res, next)
    }
    next()
  })
  return app
}

const EXPOSED = ['X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy']

/** Rule 6: nothing about a person may be kept by a cache, or answered to another. */
const privateResponses: RequestHandler = (req, res, next) => {
  // Without an ETag there is nothing to compare; to Express `*` would still be fresh, and a 304.
  delete req.headers['if-none-match']
  res.setHeader('Cache-Control', 'no-store')
  res.append('Vary', 'Cookie')
  next()
}
