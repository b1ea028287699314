import { AUTH_PATH_PREFIX, authContractV1, type AuthErrorCode } from '@netscript/auth-contract'
import { SIGN_IN_PAGE_PATH } from '@netscript/auth-contract/internal'
import { type AuthBackendPort, AuthError } from '@netscript/plugin-auth-core'
import {
  codeOf,
  createReturnToPolicy,
  isPrefetch,
  pathOf,
} from '@netscript/plugin-auth-core/internal'
import type { PasswordForms } from '../backends.js'
import type { ServiceKeys } from '../tokens/service-keys.js'
import type { TokenIssuer } from '../tokens/token-issuer.js'
import type { HandlerContext } from '../handlers/context.js'
import { apiRoutes, discoveryRoutes } from '../handlers/routes.js'
import { createLogger, type Logger } from '../log.js'
import { type EngineRequest, type HeaderField, prefersPage, type Reply } from './message.js'
import { readBody } from './body.js'
import { createClientAddress, createProxyTrust } from './client-address.js'
import {
  checkOrigin,
  corsHeaders,
  type Origins,
  preflightHeaders,
  withLoopback,
} from './cross-origin.js'
import { Exchange } from './exchange.js'
import { createRequestLog, type HttpMetrics } from './request-log.js'
import { respondToError } from './problem.js'
import {
  createRateLimiter,
  DeferredLimit,
  type RateLimitDecision,
  type RateLimitOptions,
} from './rate-limit.js'
import { signInPage } from '../pages/sign-in-page.js'
import { stylesheet } from '../pages/assets.js'
import { createRouteMatcher, type RouteInput, type RouteLimit } from './routes.js'
import { securityHeaders } from './security-headers.js'
import { declared, notFound, validateInput } from './validation.js'

/** Options of the API, common to all adapters. */
export interface AuthApiOptions {
  /** The caller closes it; the API does not. */
  backend: AuthBackendPort
  /** The public origin, that of the redirect URI: `https://auth.example.com`. */
  origin: string
  /** Additional origins that are allowed as return targets. @default [] */
  allowedReturnTo?: readonly string[]
  /** Same-site origins that may send credentialed requests and be return targets. @default [] */
  corsOrigins?: readonly string[]
  /**
   * Which proxies may set X-Forwarded-For, as a number of hops, addresses or subnets.
   * @default false
   */
  trustProxy?: string | number | false
  /** Issues tokens for other services and serves their keys. @default none are issued */
  tokens?: TokenIssuer
  /**
   * Returns tokens of providers to services with one of these keys, from `createServiceKeys`.
   * @default none are returned
   */
  serviceKeys?: ServiceKeys
  /** Limits per client; `false` disables them. @default 120 per minute, counted in memory */
  rateLimit?: RateLimitOptions | false
  /** @default a logger on standard output */
  logger?: Logger
  /** Counts responses. @default no metrics */
  metrics?: HttpMetrics
  /** Generates request ids. @default a random UUID */
  newRequestId?: () => string
}

/** Answers requests of the API, independently of the HTTP host. */
export interface Engine {
  /** Whether a path belongs to the API; all others belong to the host. */
  serves(path: string): boolean
  /** Answers a request. Never rejects. */
  answer(request: EngineRequest): Promise<Exchange>
  /** Runs all steps before validation; the exchange may be answered already. Never rejects. */
  open(request: EngineRequest): Promise<Exchange>
  /** Runs the route's handler on validated input. */
  handle(exchange: Exchange, input: RouteInput): Promise<Reply>
  /** Answers with an error. Never rejects. */
  fail(exchange: Exchange, error: unknown): Promise<void>
}

/** Failures of valid credentials, which are no attempt to guess any. */
const NOT_COUNTED: ReadonlySet<AuthErrorCode> = new Set<AuthErrorCode>([
  'RATE_LIMITED',
  'PROVIDER_TOKEN_UNAVAILABLE',
])

/** Limits that the backend charges with the transaction of a sign-in, if it can. */
const DEFERRED: ReadonlySet<string> = new Set(['signin', 'callback'])

/** The name of an unknown path or method in logs and metrics. */
const NO_ROUTE = 'none'

/** The name of the sign-in page there. */
const SIGN_IN_PAGE = 'signInPage'

/** Settings that only the service uses. */
interface EngineSettings {
  /** Whether pages on loopback origins may call like those of `corsOrigins`; they are not return targets. */
  acceptsLoopback?: boolean
  /** The backend's e-mail and password forms, for the sign-in page. */
  passwordForms?: PasswordForms
}

export function createEngine(
  options: AuthApiOptions,
  { acceptsLoopback = false, passwordForms }: EngineSettings = {},
): Engine {
  const { backend, origin, corsOrigins = [], allowedReturnTo = [], metrics } = options
  const logger = options.logger ?? createLogger()
  const discovery = options.tokens ? discoveryRoutes : []
  const discoveryPaths = new Set(discovery.map(({ contract }) => contract.path))
  const match = createRouteMatcher([...apiRoutes, ...discovery])
  const listed = new Set(corsOrigins)
  const cors: Origins | undefined = acceptsLoopback
    ? withLoopback(listed, origin, logger)
    : listed.size > 0
      ? listed
      : undefined
  const allowedOrigins: Origins = { has: (one) => one === origin || (cors?.has(one) ?? false) }
  const context: HandlerContext = {
    ...{ backend, origin, allowedOrigins },
    returnTo: createReturnToPolicy(origin, [...allowedReturnTo, ...corsOrigins]),
    ...(options.tokens && { tokens: options.tokens }),
    ...(options.serviceKeys && { serviceKeys: options.serviceKeys }),
  }
  const trustProxy = options.trustProxy ?? false
  const peers = {
    clientAddress: createClientAddress(trustProxy),
    isTrustedProxy: createProxyTrust(trustProxy),
  }
  const limiter =
    options.rateLimit === false ? undefined : createRateLimiter(options.rateLimit ?? {})
  const startLine = createRequestLog({ logger, metrics, newRequestId: options.newRequestId })
  const fixedHeaders = securityHeaders({ origin })
  // An http origin is a development machine, whose provider is http on loopback too.
  const pageHeaders = securityHeaders({
    origin,
    providerUrls: origin.startsWith('http:') ? [origin] : [],
  })
  // The callback URL carries a code, which must not leak in a Referer (RFC 9700 section 4.2).
  const callbackHeaders = fixedHeaders.map(([name, value]): HeaderField => [
    name,
    name === 'Referrer-Policy' ? 'no-referrer' : value,
  ])

  function start(request: EngineRequest): Exchange {
    const path = pathOf(request.target)
    const found = match(path)
    const isPage = path === SIGN_IN_PAGE_PATH
    const key = found?.byMethod.get(request.method)?.key ?? (isPage ? SIGN_IN_PAGE : NO_ROUTE)
    const line = startLine(request, path, key)
    const isCallback = path.startsWith(authContractV1.callback.path)
    const headers = isCallback ? callbackHeaders : isPage ? pageHeaders : fixedHeaders
    const exchange = new Exchange(request, path, found, line, headers, peers)
    exchange.addHeaders(...corsHeaders(request, cors))
    return exchange
  }

  /**
   * The order matters: no step reads, counts or writes anything for a request that an earlier one
   * rejects.
   */
  async function prepare(exchange: Exchange): Promise<void> {
    const { request, path, route, found } = exchange
    const reads = ['GET', 'HEAD'].includes(request.method)
    if (path === stylesheet.path && reads) {
      const headers = exchange.headers({ cache: 'public, max-age=31536000, immutable' })
      return exchange.respond(200, headers, 'text/css', stylesheet.text)
    }
    if (path === SIGN_IN_PAGE_PATH && reads) {
      const redirectTo = exchange.searchParams().get('redirectTo') ?? undefined
      const page = await signInPage(context, exchange.authnRequest(), { redirectTo, passwordForms })
      return exchange.respond(200, exchange.headers(page), 'text/html', page.body)
    }
    if (found && !route) {
      const preflight = preflightHeaders(request, found.methods, cors)
      if (preflight) {
        exchange.addHeaders(...preflight)
        return exchange.respond(204, exchange.headers())
      }
      exchange.addHeaders(['Allow', found.methods.join(', ')])
      throw new AuthError('METHOD_NOT_ALLOWED', `Use one of: ${found.methods.join(', ')}.`)
    }
    checkOrigin(request, path, allowedOrigins)
    if (!route) {
      throw notFound(request.method)
    }
    if (route.isSingleUse) {
      // Browsers discard a prefetched 503 and request again on navigation; they would show a prefetched
      // success.
      if (isPrefetch(request.headers)) return exchange.respond(503, exchange.headers())
      // Link scanners send HEAD before the user opens the link, which must not consume it.
      if (request.method === 'HEAD') return exchange.respond(200, exchange.headers())
    }
    if (route.limit) await countRequest(exchange, route.limit)
    if (route.body) exchange.body = await readBody(request, route.body)
  }

  async function countRequest(exchange: Exchange, limit: RouteLimit): Promise<void> {
    const { clientAddress } = exchange
    if (limiter?.defer && backend.interactive?.chargesRateLimit && DEFERRED.has(limit.name)) {
      const deferred = await limiter.defer(limit.name, clientAddress)
      if (deferred.own.refusedBy !== undefined) enforce(exchange, limit, deferred.own)
      exchange.rateLimit = new DeferredLimit(deferred, (decision) => {
        enforce(exchange, limit, decision)
      })
      return
    }
    const hits = limit.counts === 'requests' ? 1 : 0
    const decision = await limiter?.charge(limit.name, clientAddress, hits)
    if (decision) enforce(exchange, limit, decision)
  }

  /** @throws AuthError `RATE_LIMITED` */
  function enforce(exchange: Exchange, { name }: RouteLimit, decision: RateLimitDecision): void {
    exchange.addHeaders(...decision.headers)
    if (decision.refusedBy === undefined) return
    metrics?.rateLimited(name, decision.refusedBy)
    throw new AuthError(
      'RATE_LIMITED',
      'Too many requests from this network. Try again in a minute.',
    )
  }

  /** Charges the limit that the backend was to charge, if the request did not get that far. */
  const chargeDeferred = async ({ rateLimit, clientAddress, route }: Exchange): Promise<void> => {
    if (rateLimit?.isOpen() && route?.limit && limiter) {
      const { name } = route.limit
      rateLimit.settle(await limiter.charge(name, clientAddress))
    }
  }

  async function countFailure(exchange: Exchange, error: unknown): Promise<void> {
    const limit = exchange.route?.limit
    if (limit?.counts !== 'failures' || NOT_COUNTED.has(codeOf(error))) return
    await limiter?.charge(limit.name, exchange.clientAddress, 1).catch((err: unknown) => {
      logger.warn({ err }, 'A failure could not be counted against the limit of the client.')
    })
  }

  async function fail(exchange: Exchange, failure: unknown): Promise<void> {
    await countFailure(exchange, failure)
    // A request that its limit refuses gets that error, whatever else is wrong with it.
    const error = await chargeDeferred(exchange).then(
      () => failure,
      (limit: unknown) => limit,
    )
    try {
      answerWith(exchange, error)
    } catch (cause) {
      // A custom backend's error may carry values that no header or JSON can hold.
      answerWith(exchange, cause)
    }
  }

  function answerWith(exchange: Exchange, error: unknown): void {
    const { request, requestId, route } = exchange
    const asPage = (route?.isPage ?? true) && prefersPage(request)
    const { status, setCookies, headers, retryAfter, type, body } = respondToError(logger, error, {
      ...{ requestId, asPage },
    })
    const further = [...(route?.failureHeaders ?? []), ...headers]
    if (retryAfter !== undefined) exchange.addHeaders(['Retry-After', String(retryAfter)])
    exchange.respond(status, exchange.headers({ setCookies, headers: further }), type, body)
  }

  async function open(request: EngineRequest): Promise<Exchange> {
    const exchange = start(request)
    try {
      await prepare(exchange)
    } catch (error) {
      await fail(exchange, error)
    }
    return exchange
  }

  async function handle(exchange: Exchange, input: RouteInput): Promise<Reply> {
    if (!exchange.route) throw new TypeError('An exchange without a route has no handler.')
    const reply = await exchange.route.handle(context, exchange.authnRequest(), input)
    await chargeDeferred(exchange)
    return declared(exchange.route.contract, reply)
  }

  return {
    serves: (path) =>
      path === AUTH_PATH_PREFIX ||
      path.startsWith(`${AUTH_PATH_PREFIX}/`) ||
      discoveryPaths.has(path),
    async answer(request) {
      const exchange = await open(request)
      if (exchange.isAnswered) return exchange
      try {
        const reply = await handle(exchange, validateInput(exchange))
        const { status, body } = reply
        const headers = exchange.headers(reply)
        if (body === undefined) exchange.respond(status, headers)
        else exchange.respond(status, headers, 'application/json', JSON.stringify(body))
      } catch (error) {
        await fail(exchange, error)
      }
      return exchange
    },
    open,
    handle,
    fail,
  }
}
