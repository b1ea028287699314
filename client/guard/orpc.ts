/**
 * Guards for oRPC.
 *
 * @module
 */
import {
  AUTH_ERRORS,
  ForbiddenData,
  type Principal,
  RecentSignInData,
  type RouteAuth,
} from '@netscript/auth-contract'
import { parseRouteAuth } from '@netscript/auth-contract/internal'
import { type Caller, createCaller, decisionOf, type GuardOptions, UNGUARDED } from './caller.js'
import { addTo } from './response.js'

/** The metadata of a procedure: `oc.$meta<OrpcMeta>({})`. */
export interface OrpcMeta {
  /** Who may call the procedure; without it, calls fail. */
  readonly auth?: RouteAuth
}

/** What `RequestHeadersPlugin` and `ResponseHeadersPlugin` of oRPC put into the context. */
export interface OrpcContext {
  reqHeaders?: Headers
  resHeaders?: Headers
}

/** Options of {@link createOrpcGuard}. */
export interface OrpcGuardOptions extends GuardOptions {
  /** `ORPCError` of `@orpc/server`. */
  ORPCError: new (
    code: string,
    options: { status: number; message: string; data: unknown },
  ) => Error
  /** A contract or router whose procedures are checked at once. @default each call checks its own */
  contract?: object
}

/** The context that a guarded procedure gets. */
export interface OrpcGuardedContext {
  /** The authenticated caller. Reading it in a public procedure throws. */
  principal: Principal
}

/** Middleware of oRPC 1, typed structurally so that oRPC is not a dependency. */
export type OrpcMiddleware = <Output>(options: {
  /** Has {@link OrpcContext}; another context is fine for public procedures. */
  context: Record<never, never>
  path: readonly string[]
  procedure: { readonly '~orpc': { readonly meta: OrpcMeta } }
  next: (options: { context: OrpcGuardedContext }) => OrpcResult<Output>
}) => Promise<Awaited<OrpcResult<Output>>>
type OrpcResult<Output> =
  | { output: Output; context: OrpcGuardedContext }
  | PromiseLike<{ output: Output; context: OrpcGuardedContext }>

/** Errors of guarded procedures: `oc.errors(guardErrors)` types them for clients. */
export const guardErrors = {
  UNAUTHORIZED: { status: 401, message: AUTH_ERRORS.UNAUTHORIZED.title },
  AUTH_RECENT_SIGN_IN_REQUIRED: {
    ...{ status: 401, message: AUTH_ERRORS.AUTH_RECENT_SIGN_IN_REQUIRED.title },
    data: RecentSignInData,
  },
  FORBIDDEN: { status: 403, message: AUTH_ERRORS.FORBIDDEN.title, data: ForbiddenData },
  AUTH_UNAVAILABLE: { status: 503, message: AUTH_ERRORS.AUTH_UNAVAILABLE.title },
} as const

/**
 * Creates middleware that guards procedures by `meta.auth`. Errors have the codes of
 * {@link guardErrors}. The handler needs `RequestHeadersPlugin` and `ResponseHeadersPlugin`.
 *
 * @throws TypeError for a procedure of `contract` whose `meta.auth` is missing or malformed.
 *
 * @example
 * ```ts
 * import { createOrpcGuard, type OrpcMeta } from '@netscript/auth-guard/orpc'
 * import { ORPCError, os } from '@orpc/server'
 *
 * const guarded = os.$meta<OrpcMeta>({}).use(createOrpcGuard({ authenticator, ORPCError }))
 * const orders = guarded.meta({ auth: { scopes: ['orders:read'] } }).handler(() => [])
 * ```
 */
export function createOrpcGuard({
  ORPCError,
  contract = {},
  ...options
}: OrpcGuardOptions): OrpcMiddleware {
  checkAll(contract, [])
  const callers = new WeakMap<Headers, Caller>()
  return async ({ context, path, procedure, next }) => {
    const auth = authOf(procedure, path)
    if (auth.public) return next({ context: { principal: UNGUARDED } })
    const { reqHeaders, resHeaders } = context as OrpcContext
    if (!reqHeaders || !resHeaders) {
      throw new Error('Give the handler RequestHeadersPlugin and ResponseHeadersPlugin.')
    }
    const target = () => ({ method: 'POST', path: `/${path.join('/')}` })
    const caller =
      callers.get(reqHeaders) ??
      createCaller(options, { headers: reqHeaders }, target, (cookies) =>
        addTo(resHeaders, cookies),
      )
    callers.set(reqHeaders, caller)
    const outcome = await caller.check(decisionOf(path.join('.'), auth))
    if (outcome.ok) return next({ context: { principal: outcome.principal } })
    const { problem, headers } = outcome.refusal
    for (const [name, value] of Object.entries(headers)) resHeaders.set(name, value)
    const { status, detail: message, data } = problem
    throw new ORPCError(problem.code, { status, message, data })
  }
}

function authOf(procedure: unknown, path: readonly string[]): RouteAuth {
  const { meta } = (procedure as { '~orpc': { meta?: OrpcMeta } })['~orpc']
  if (meta?.auth !== undefined) return parseRouteAuth(`${path.join('.')}: meta.auth`, meta.auth)
  throw new TypeError(
    `${path.join('.')}: add .meta({ auth: ... }), such as { scopes: [...] } or { public: true }.`,
  )
}

/** Lazy routers are checked by the calls of their procedures. */
function checkAll(router: object, path: readonly string[]): void {
  if ('~orpc' in router) return void authOf(router, path)
  for (const [key, one] of Object.entries(router)) {
    if (typeof one === 'object' && one !== null) checkAll(one as object, [...path, key])
  }
}
