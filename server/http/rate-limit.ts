import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import type { Request, RequestHandler } from 'express'
import { type AugmentedRequest, ipKeyGenerator, type Options, rateLimit } from 'express-rate-limit'
import type pg from 'pg'
import { AuthError } from '../../backends/errors.js'
import { createKeyring, sign } from '../../backends/keyring.js'
import type { AuthProviderRegistryPort } from '../../backends/port.js'
import { createPostgresRateLimitStore } from '../../backends/storage/postgres-rate-limit-store.js'
import { accountContractV1 } from '../../contract/account-contract.js'
import { authContractV1 } from '../../contract/auth-contract.js'
import type { HttpMetrics } from './http-metrics.js'

/** Requests a minute, client address and route unless something else is configured. */
export const DEFAULT_RATE_LIMIT = 120

const WINDOW_MS = 60_000
const PROVIDER_FACTOR = 10
/** The customary share of one customer: inside it an address costs nothing. */
const IPV6_SUBNET = 64

/** How often sign-ins, callbacks and tokens may be asked for. */
export interface RateLimitOptions {
  /**
   * Sign-ins a minute and client address, as many callbacks, and as many tokens. All addresses
   * together have ten times the sign-ins and callbacks for each provider. Default: 120.
   */
  perMinute?: number
  /**
   * Where all processes count together, and a secret that they have in common: the table holds
   * keyed hashes, not addresses. Default: every process counts for itself, in memory, so that the
   * limit of a service is that of one process times their number.
   */
  shared?: { pool: pg.Pool; secret: string }
}

/** The limits as middleware: the first goes before the body is read, the second after. */
export interface RateLimits {
  readonly byAddress: RequestHandler
  readonly byProvider: RequestHandler
}

/** The routes at which an address is counted; at the first two their provider is, too. */
type Route = 'signin' | 'callback' | 'token'

/**
 * Limits sign-ins, callbacks and tokens in a fixed window of one minute; what is over the limit is
 * `RATE_LIMITED` with `Retry-After`, and a store that does not answer is `STORE_UNAVAILABLE`.
 *
 * The answers carry `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-08
 * about the caller's own address. How busy a provider is with others is told to nobody.
 */
export function rateLimits(
  { perMinute = DEFAULT_RATE_LIMIT, shared }: RateLimitOptions,
  providers: AuthProviderRegistryPort,
  metrics?: HttpMetrics,
): RateLimits {
  const hash = keyedHash(shared ? Buffer.from(shared.secret) : randomBytes(32))
  const limit = (options: Partial<Options>): RequestHandler =>
    rateLimit({
      windowMs: WINDOW_MS,
      legacyHeaders: false,
      // The library's checks of how it is used, which it writes to the console.
      validate: false,
      ...(shared && {
        store: createPostgresRateLimitStore({ pool: shared.pool, windowMs: WINDOW_MS }),
      }),
      ...options,
    })
  return {
    byAddress: onRoutes(['signin', 'callback', 'token'], (route) =>
      limit({
        limit: perMinute,
        standardHeaders: 'draft-8',
        identifier: route,
        keyGenerator: (req) => hash(`${route}:address:${addressKey(req)}`),
        handler: (_req, _res, next) => {
          metrics?.rateLimited(route, 'address')
          next(new AuthError('RATE_LIMITED', 'Too many from this address. Try again in a minute.'))
        },
      }),
    ),
    byProvider: onRoutes(['signin', 'callback'], (route) =>
      limit({
        limit: perMinute * PROVIDER_FACTOR,
        standardHeaders: false,
        keyGenerator: (req) => hash(`${route}:provider:${providerKey(route, req, providers)}`),
        handler: (req, res, next, { requestPropertyName }) => {
          metrics?.rateLimited(route, 'provider')
          const { resetTime } = (req as AugmentedRequest)[requestPropertyName] ?? {}
          const remainingMs = resetTime ? resetTime.getTime() - Date.now() : WINDOW_MS
          res.setHeader('Retry-After', String(Math.max(0, Math.ceil(remainingMs / 1000))))
          next(
            new AuthError(
              'RATE_LIMITED',
              'Many people are signing in with this provider. Try again in a minute.',
            ),
          )
        },
      }),
    ),
  }
}

/** HEAD is a callback too, as it is to the router; and the router knows no other spelling of a path. */
const LIMITED = new Map<string, Route>([
  [`POST ${authContractV1.signin.path}`, 'signin'],
  [`GET ${authContractV1.callback.path}`, 'callback'],
  [`HEAD ${authContractV1.callback.path}`, 'callback'],
  [`POST ${accountContractV1.token.path}`, 'token'],
])

/** A limit for each of the routes; whatever reaches their handlers was counted. */
function onRoutes<R extends Route>(
  routes: readonly R[],
  limit: (route: R) => RequestHandler,
): RequestHandler {
  const limits = new Map<Route, RequestHandler>(routes.map((route) => [route, limit(route)]))
  return (req, res, next) => {
    const route = LIMITED.get(`${req.method} ${req.path}`)
    const limited = route && limits.get(route)
    return limited ? limited(req, res, next) : next()
  }
}

function keyedHash(secret: Buffer): (text: string) => string {
  const [key = secret] = createKeyring([secret]).keys('rate-limit')
  return (text) => sign(key, text)
}

/**
 * Whom an address counts for: IPv4 as it is, also when mapped into IPv6; IPv6 by its /64. `req.ip`
 * knows which proxies are trusted. Some of them write the port too, and a count by port would limit
 * nobody; what is no address at all shares one key.
 */
export function addressKey(req: Pick<Request, 'ip'>): string {
  const [address = ''] = (req.ip ?? '')
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^([\d.]+):\d+$/, '$1')
    .split('%', 1)
  return isIP(address) === 0 ? '' : ipKeyGenerator(address, IPV6_SUBNET)
}

/** The provider that the request would use: the first when none is named, `''` when it is unknown. */
export function providerKey(
  route: Exclude<Route, 'token'>,
  req: Pick<Request, 'body' | 'query'>,
  providers: AuthProviderRegistryPort,
): string {
  const named: unknown =
    route === 'signin'
      ? (req.body as { providerId?: unknown } | undefined)?.providerId
      : req.query.provider
  if (named === undefined) return providers.listProviders()[0]?.id ?? ''
  return (typeof named === 'string' && providers.getProvider(named)?.id) || ''
}
