/**
 * Guards for Hono.
 *
 * @module
 */
import type { Principal } from '@netscript/auth-contract'
import {
  type Caller,
  createCaller,
  type Decision,
  type GuardOptions,
  guardsOf,
  UNGUARDED,
} from './caller.js'
import { passOn, responseOf } from './response.js'

/** The environment of a guarded app: `new Hono<GuardEnv>()`. */
export interface GuardEnv {
  Variables: {
    /** The authenticated caller. Reading it on an unguarded route throws. */
    principal: Principal
  }
}

/** The part of the context of Hono that guards use. */
export interface HonoContext {
  readonly req: { readonly raw: Request; readonly method: string; readonly path: string }
  get res(): Response
  set res(response: Response | undefined)
  set(name: 'principal', value: Principal): void
}

/** Middleware for Hono 4, typed structurally so that Hono is not a dependency. */
export type HonoMiddleware = (
  context: HonoContext,
  next: () => Promise<void>,
) => Promise<Response | void>

const callers = new WeakMap<object, Caller>()

/**
 * Sets up authentication for the routes after it. A request is only authenticated if a guard needs it.
 *
 * @example
 * ```ts
 * import { authGuard, type GuardEnv, requireSession } from '@netscript/auth-guard/hono'
 * import { Hono } from 'hono'
 *
 * const app = new Hono<GuardEnv>()
 * app.use(authGuard({ authenticator }))
 * app.get('/orders', requireSession(), (c) => c.json({ ordersOf: c.get('principal').subject }))
 * ```
 */
export function authGuard(options: GuardOptions): HonoMiddleware {
  return async (context, next) => {
    const { raw, method, path } = context.req
    let passed: readonly string[] | undefined
    const pass = (setCookies: readonly string[]) => void (passed = setCookies)
    callers.set(
      context,
      createCaller(options, raw, () => ({ method, path }), pass),
    )
    context.set('principal', UNGUARDED)
    await next()
    if (!passed) return
    const response = passOn(context.res, passed)
    // Hono would merge the headers of a response that is replaced.
    if (response !== context.res) context.res = undefined
    context.res = response
  }
}

function guard(decision: Decision): HonoMiddleware {
  return async (context, next) => {
    const caller = callers.get(context)
    if (!caller) throw new Error('A guard ran before authGuard(). Use authGuard() first.')
    const outcome = await caller.check(decision)
    if (outcome.ok) {
      context.set('principal', outcome.principal)
      return next()
    }
    const { body, ...init } = responseOf(outcome.refusal)
    return new Response(body, init)
  }
}

const guards = guardsOf(guard)
/** Requires a session: responds 401 without one, and 503 when the caller cannot be authenticated. */
export const requireSession = guards.requireSession
/** Requires all of these scopes. Responds 403 with the missing ones otherwise. */
export const requireScopes = guards.requireScopes
/** Requires all of these roles. Responds 403 with the missing ones otherwise. */
export const requireRoles = guards.requireRoles
/** Requires a recent sign-in at the provider. Responds 401 otherwise (RFC 9470). */
export const requireRecentAuth = guards.requireRecentAuth
/** Authorizes every request with `authorizer`. An error that it throws denies the request. */
export const withAuthz = guards.withAuthz
