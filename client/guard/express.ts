import type { Principal } from '@netscript/auth-contract'
import {
  type Authentication,
  type Authenticator,
  type GuardRequest,
  GuardUnavailableError,
  headerOf,
} from './authenticator.js'
import { type Authorizer, type AuthzDecision, decide } from './authorizer.js'
import { type GuardedPaths, pathGuard } from './guarded-path.js'
import { forbidden, type Refusal, unauthorized, unavailable } from './refusal.js'

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /**
       * Who is calling. Behind `requireSession()` and the other guards it is always there; read
       * anywhere else it throws, so that a route without a guard cannot pass for one that has it.
       */
      readonly principal: Principal
    }
  }
}

/** What is read of a request of Express. */
export interface ExpressRequest extends GuardRequest {
  readonly method: string
  readonly baseUrl: string
  readonly path: string
}

/** What is called on a response of Express. */
export interface ExpressResponse {
  vary(field: string): this
  setHeader(name: string, value: string): unknown
  append(name: string, value: string): unknown
  status(code: number): this
  set(headers: Readonly<Record<string, string>>): this
  end(body: string): unknown
}

/** Middleware for Express 5, typed by what it uses, so that no framework is a dependency. */
export type ExpressMiddleware = (
  req: ExpressRequest,
  res: ExpressResponse,
  next: (error?: unknown) => void,
) => unknown

/** Where the guards say why. A pino logger fits as it is. Nothing secret is passed to it. */
export interface GuardLog {
  /** What is as it should be, such as a refusal. */
  info(fields: object, message: string): void
  /** What somebody should look at, such as a service that is away. */
  warn(fields: object, message: string): void
}

/** Options of {@link withAuthn}. */
export interface WithAuthnOptions extends GuardedPaths {
  /** Who tells who is calling. */
  authenticator: Authenticator
  /** Default: says nothing. */
  log?: GuardLog
}

/** What is known of a request. */
interface Caller {
  readonly realm: string | undefined
  readonly log: GuardLog | undefined
  /** Asks once, when somebody first wants to know. */
  authenticate(): Promise<Authentication>
  principal?: Principal
}

const callers = new WeakMap<object, Caller>()

/**
 * Tells the guards of all routes after it how to find out who is calling. Paths that are protected
 * need somebody to be signed in; on others nobody is asked, unless a guard wants to know.
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
 * Asks an authorizer about every request that comes by. What it throws is a refusal.
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
 * Needs somebody to be signed in: otherwise 401, or 503 when that cannot be told.
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
 * Needs all of these scopes: otherwise 403, which names those that are missing.
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
 * Needs all of these roles: otherwise 403, which names those that are missing.
 *
 * @example
 * ```ts
 * app.delete('/orders/:id', requireRoles('clerk'), (_req, res) => void res.json({}))
 * ```
 */
export function requireRoles(...roles: string[]): ExpressMiddleware {
  return guard((principal) => decide(principal, { requireRoles: roles }))
}

/** A guard: whoever is known, and of whom `decision` allows it, may go on. */
export function guard(
  decision: (
    principal: Principal,
    req: ExpressRequest,
    log: GuardLog | undefined,
  ) => AuthzDecision | Promise<AuthzDecision>,
): ExpressMiddleware {
  return async (req, res, next) => {
    const caller = callers.get(req)
    if (!caller) throw new Error('A guard was asked before withAuthn(). Mount withAuthn() first.')
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
      log?.info({ code: 'FORBIDDEN', reason: decided.reason }, 'A request was refused.')
      return refuse(res, forbidden(decided, { realm, principal }))
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
  // What is answered is for this caller alone, unless the handler knows better.
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
