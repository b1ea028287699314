import { parseRecentAuth, type Principal, type RecentAuth } from '@netscript/auth-contract'
import {
  type Authentication,
  type Authenticator,
  type GuardRequest,
  GuardUnavailableError,
  headerOf,
} from './authenticator.js'
import { type Authorizer, type AuthzDecision, decide } from './authorizer.js'
import { type GuardedPaths, pathGuard } from './guarded-path.js'
import {
  forbidden,
  recentAuthRequired,
  type Refusal,
  unauthorized,
  unavailable,
} from './refusal.js'

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace
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
export interface ExpressRequest extends GuardRequest {
  readonly method: string
  readonly baseUrl: string
  readonly path: string
}

/** The part of an Express response that guards use. */
export interface ExpressResponse {
  vary(field: string): this
  setHeader(name: string, value: string): unknown
  append(name: string, value: string): unknown
  status(code: number): this
  set(headers: Readonly<Record<string, string>>): this
  end(body: string): unknown
}

/** Middleware for Express 5, typed structurally so that Express is not a dependency. */
export type ExpressMiddleware = (
  req: ExpressRequest,
  res: ExpressResponse,
  next: (error?: unknown) => void,
) => unknown

/** The log of the guards, such as a pino logger. No secret is logged. */
export interface GuardLog {
  /** Expected events, such as a refused request. */
  info(fields: object, message: string): void
  /** Events an operator should look at, such as an outage. */
  warn(fields: object, message: string): void
}

/** Options of {@link withAuthn}. */
export interface WithAuthnOptions extends GuardedPaths {
  /** Authenticates the requests. */
  authenticator: Authenticator
  /** @default no log */
  log?: GuardLog
}

interface Caller {
  readonly realm: string | undefined
  readonly log: GuardLog | undefined
  /** Authenticates at most once per request, on first use. */
  authenticate(): Promise<Authentication>
  principal?: Principal
}

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
export function withAuthn({ authenticator, log, ...paths }: WithAuthnOptions): ExpressMiddleware {
  const needsSession = requireSession()
  const isGuarded = pathGuard(paths)
  return (req, res, next) => {
    let asked: Promise<Authentication> | undefined
    callers.set(req, {
      log,
      realm: authenticator.realm,
      authenticate: () => (asked ??= ask(authenticator, req, res)),
    })
    if (!Object.hasOwn(req, 'principal')) {
      Object.defineProperty(req, 'principal', { get: () => principalOf(req) })
    }
    if (isGuarded(req.baseUrl + req.path)) return needsSession(req, res, next)
    next()
  }
}

/**
 * Authorizes every request with `authorizer`. An error that it throws denies the request.
 *
 * @example
 * ```ts
 * app.use('/api', withAuthz({ authorizer: createScopeAuthorizer({ rules }) }))
 * ```
 */
export function withAuthz({ authorizer }: { authorizer: Authorizer }): ExpressMiddleware {
  return guard(async (principal, req, log) => {
    const path = req.baseUrl + req.path
    try {
      return await authorizer.authorize({ principal, method: req.method, path })
    } catch (err) {
      log?.warn({ err, code: 'FORBIDDEN' }, 'The authorizer could not decide.')
      return { allow: false, reason: 'authz.error' }
    }
  })
}

/**
 * Requires a session: responds 401 without one, and 503 when the caller cannot be authenticated.
 *
 * @example
 * ```ts
 * app.get('/orders', requireSession(), (req, res) => void res.json({ of: req.principal.subject }))
 * ```
 */
export function requireSession(): ExpressMiddleware {
  return guard(() => ({ allow: true }))
}

/**
 * Requires all of these scopes. Responds 403 with the missing ones otherwise.
 *
 * @example
 * ```ts
 * app.get('/orders/all', requireScopes('orders:read'), (_req, res) => void res.json([]))
 * ```
 */
export function requireScopes(...scopes: string[]): ExpressMiddleware {
  return guard((principal) => decide(principal, { requireScopes: scopes }))
}

/**
 * Requires all of these roles. Responds 403 with the missing ones otherwise.
 *
 * @example
 * ```ts
 * app.delete('/orders/:id', requireRoles('clerk'), (_req, res) => void res.json({}))
 * ```
 */
export function requireRoles(...roles: string[]): ExpressMiddleware {
  return guard((principal) => decide(principal, { requireRoles: roles }))
}

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
export function requireRecentAuth(requirement: RecentAuth): ExpressMiddleware {
  parseRecentAuth('requireRecentAuth()', requirement)
  return guard((principal) => decide(principal, { requireRecentAuth: requirement }))
}

/** A guard that lets an authenticated caller pass if `decision` allows it. */
export function guard(
  decision: (
    principal: Principal,
    req: ExpressRequest,
    log: GuardLog | undefined,
  ) => AuthzDecision | Promise<AuthzDecision>,
): ExpressMiddleware {
  return async (req, res, next) => {
    const caller = callers.get(req)
    if (!caller) throw new Error('A guard ran before withAuthn(). Mount withAuthn() first.')
    const { realm, log } = caller
    const found = await caller.authenticate().catch((error: unknown) => {
      if (error instanceof GuardUnavailableError) return error
      throw error
    })
    if (found instanceof GuardUnavailableError) {
      log?.warn({ code: found.code, err: found.cause ?? found }, found.message)
      return refuse(res, unavailable(found))
    }
    if (!found.ok) {
      log?.info({ code: 'UNAUTHORIZED', reason: found.reason }, 'A request was refused.')
      const bearer = /^bearer\b/i.test(headerOf(req, 'authorization') ?? '')
      return refuse(res, unauthorized(found, { realm, bearer }))
    }
    const { principal } = found
    const decided = await decision(principal, req, log)
    if (!decided.allow) {
      const refusal = decided.recentAuth
        ? recentAuthRequired(decided.recentAuth, { realm, principal })
        : forbidden(decided, { realm, principal })
      const { code } = refusal.problem
      log?.info({ code, reason: decided.reason }, 'A request was refused.')
      return refuse(res, refusal)
    }
    caller.principal = principal
    next()
  }
}

async function ask(
  authenticator: Authenticator,
  req: ExpressRequest,
  res: ExpressResponse,
): Promise<Authentication> {
  // The response depends on the caller. A handler may still override these headers.
  res.vary('Cookie').vary('Authorization').setHeader('Cache-Control', 'no-store')
  const pass = ({ setCookies }: { readonly setCookies: readonly string[] }): void => {
    for (const cookie of setCookies) res.append('Set-Cookie', cookie)
  }
  try {
    const found = await authenticator.authenticate(req)
    pass(found)
    return found
  } catch (error) {
    if (error instanceof GuardUnavailableError) pass(error)
    throw error
  }
}

function refuse(res: ExpressResponse, { problem, headers }: Refusal): void {
  res.status(problem.status).set(headers)
  res.setHeader('Content-Type', 'application/problem+json; charset=utf-8')
  res.end(JSON.stringify(problem))
}

function principalOf(req: object): Principal {
  const principal = callers.get(req)?.principal
  if (principal) return principal
  throw new Error('This route has no guard. Add requireSession() before its handler.')
}
