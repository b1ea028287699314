import type { ContractRoute, Principal } from '@netscript/auth-contract'
import type { GuardRequest } from './authenticator.js'
import {
  type Caller,
  createCaller,
  type Decision,
  decisionOf,
  type GuardOptions,
  guardsOf,
} from './caller.js'
import { type GuardedPaths, pathGuard } from './guarded-path.js'
import { PRIVATE, responseOf } from './response.js'
import { contractRoutes, type GuardMetadata, routeAuthOf } from '@netscript/auth-contract/internal'

declare global {
  // oxlint-disable-next-line typescript/no-namespace
  namespace Express {
    interface Request {
      /**
       * The authenticated caller. Always present behind `requireSession()` and the other guards.
       * Reading it on an unguarded route throws, so that a missing guard is noticed.
       */
      readonly principal: Principal
    }
  }
}

/** The part of an Express request that guards read. */
interface ExpressRequest extends GuardRequest {
  readonly method: string
  readonly baseUrl: string
  readonly path: string
}

/** The part of an Express response that guards use. */
interface ExpressResponse {
  vary(field: string): this
  setHeader(name: string, value: string): unknown
  append(name: string, value: string): unknown
  status(code: number): this
  end(body: string): unknown
}

/** Middleware for Express 5, typed structurally so that Express is not a dependency. */
export type ExpressMiddleware = (
  req: ExpressRequest,
  res: ExpressResponse,
  next: (error?: unknown) => void,
) => unknown

/** Options of {@link withAuthn}. */
export interface WithAuthnOptions extends GuardOptions, GuardedPaths {}

const callers = new WeakMap<object, Caller>()

/**
 * Sets up authentication for the routes mounted after it. Protected paths require a session. On
 * other paths a request is only authenticated if a guard needs it.
 *
 * @example
 * ```ts
 * app.use(withAuthn({ authenticator, protect: ['/api'], allowAnonymous: ['/api/public'] }))
 * ```
 */
export function withAuthn(options: WithAuthnOptions): ExpressMiddleware {
  const needsSession = requireSession()
  const isGuarded = pathGuard(options)
  return (req, res, next) => {
    const path = () => req.baseUrl + req.path
    const target = () => ({ method: req.method, path: path() })
    const caller = createCaller(options, req, target, (setCookies) => {
      for (const field of PRIVATE.vary) res.vary(field)
      res.setHeader('Cache-Control', PRIVATE.cacheControl)
      for (const cookie of setCookies) res.append('Set-Cookie', cookie)
    })
    callers.set(req, caller)
    if (!Object.hasOwn(req, 'principal')) {
      Object.defineProperty(req, 'principal', { get: () => callers.get(req)?.principal })
    }
    if (isGuarded(path())) return needsSession(req, res, next)
    next()
  }
}

/** A guard that lets an authenticated caller pass if `decision` allows it. */
export function guard(decision: Decision): ExpressMiddleware {
  return async (req, res, next) => {
    const caller = callers.get(req)
    if (!caller) throw new Error('A guard ran before withAuthn(). Mount withAuthn() first.')
    const outcome = await caller.check(decision)
    if (outcome.ok) return next()
    const { status, headers, body } = responseOf(outcome.refusal)
    res.status(status)
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
    res.end(body)
  }
}

const guards = guardsOf(guard)

/**
 * Authorizes every request with `authorizer`. An error that it throws denies the request.
 *
 * @example
 * ```ts
 * app.use('/api', withAuthz({ authorizer: createScopeAuthorizer({ rules }) }))
 * ```
 */
export const withAuthz = guards.withAuthz

/**
 * Requires a session: responds 401 without one, and 503 when the caller cannot be authenticated.
 *
 * @example
 * ```ts
 * app.get('/orders', requireSession(), (req, res) => void res.json({ of: req.principal.subject }))
 * ```
 */
export const requireSession = guards.requireSession

/**
 * Requires all of these scopes. Responds 403 with the missing ones otherwise.
 *
 * @example
 * ```ts
 * app.get('/orders/all', requireScopes('orders:read'), (_req, res) => void res.json([]))
 * ```
 */
export const requireScopes = guards.requireScopes

/**
 * Requires all of these roles. Responds 403 with the missing ones otherwise.
 *
 * @example
 * ```ts
 * app.delete('/orders/:id', requireRoles('clerk'), (_req, res) => void res.json({}))
 * ```
 */
export const requireRoles = guards.requireRoles

/**
 * Requires that the caller authenticated at the provider within `maxAge` seconds, and with one of the
 * classes `acr`. Otherwise it responds 401 with the challenge of RFC 9470, which a page answers with
 * `stepUp` of the client.
 *
 * @throws TypeError for a malformed requirement.
 *
 * @example
 * ```ts
 * app.delete('/account', requireRecentAuth({ maxAge: 300 }), (_req, res) => void res.json({}))
 * ```
 */
export const requireRecentAuth = guards.requireRecentAuth

/** A ts-rest contract in which every route declares `metadata.auth`. */
interface GuardedContract {
  readonly [key: string]: (ContractRoute & { readonly metadata: GuardMetadata }) | GuardedContract
}

/**
 * Guards the routes of a ts-rest contract by their `metadata.auth`. Pass it to
 * `createExpressEndpoints` as global middleware, after `withAuthn`.
 *
 * @throws TypeError for a route whose `metadata.auth` is missing or malformed; the type checker
 * reports a missing one too.
 *
 * @example
 * ```ts
 * createExpressEndpoints(contract, handlers, app, { globalMiddleware: [guardContract(contract)] })
 * ```
 */
export function guardContract(contract: GuardedContract): ExpressMiddleware {
  const guards = new Map(
    contractRoutes(contract).map(([key, route]): [unknown, ExpressMiddleware] => {
      const auth = routeAuthOf(key, route)
      if (auth?.public) return [route, (_req, _res, next) => next()]
      if (auth) return [route, guard(decisionOf(key, auth))]
      throw new TypeError(
        `${key}: add metadata.auth, such as { scopes: [...] } or { public: true }.`,
      )
    }),
  )
  return (req, res, next) => {
    const guarded = guards.get((req as { tsRestRoute?: unknown }).tsRestRoute)
    if (!guarded) throw new Error('The route is not part of the guarded contract.')
    return guarded(req, res, next)
  }
}
