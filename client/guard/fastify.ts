/**
 * Guards for Fastify.
 *
 * @module
 */
import type { Principal } from '@netscript/auth-contract'
// For TypeScript to find what is extended below. Nothing of it is needed at run time.
import type { FastifyRequest } from 'fastify'
import type { GuardRequest } from './authenticator.js'
import {
  type Caller,
  createCaller,
  type Decision,
  type GuardOptions,
  guardsOf,
  unguarded,
} from './caller.js'
import { decodedPath } from './guarded-path.js'
import { PRIVATE, responseOf } from './response.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The authenticated caller. Reading it on an unguarded route throws. */
    readonly principal: Principal
  }
}

/** The part of a Fastify request that guards read. */
export interface FastifyGuardRequest extends GuardRequest, Pick<FastifyRequest, 'method' | 'url'> {}

/** The part of a Fastify reply that guards use. */
export interface FastifyGuardReply {
  getHeader(name: string): number | string | string[] | undefined
  header(name: string, value: string): unknown
  code(status: number): unknown
  send(body: string): unknown
}

/** A hook for `onRequest` or `preHandler`, typed structurally so that Fastify is not a dependency. */
export type FastifyGuardHook = (
  request: FastifyGuardRequest,
  reply: FastifyGuardReply,
) => Promise<unknown>

/** The part of a Fastify instance that {@link authGuard} uses. */
export interface FastifyGuardInstance {
  decorateRequest(name: 'principal', accessor: { getter(): Principal }): unknown
  addHook(name: 'onRequest', hook: FastifyGuardHook): unknown
}

const callers = new WeakMap<object, Caller>()

/**
 * A plugin that sets up authentication for the instance that registers it. A request is only
 * authenticated if a guard needs it.
 *
 * @example
 * ```ts
 * import { authGuard, requireSession } from '@netscript/auth-guard/fastify'
 * import { fastify } from 'fastify'
 *
 * const app = fastify()
 * await app.register(authGuard, { authenticator })
 * app.get('/orders', { onRequest: requireSession() }, async (request) => ({
 *   ordersOf: request.principal.subject,
 * }))
 * ```
 */
export async function authGuard(
  instance: FastifyGuardInstance,
  options: GuardOptions,
): Promise<void> {
  instance.decorateRequest('principal', {
    getter(this: object) {
      const caller = callers.get(this)
      if (caller) return caller.principal
      throw unguarded()
    },
  })
  instance.addHook('onRequest', async (request, reply) => {
    const target = () => ({ method: request.method, path: decodedPath(request.url) })
    const caller = createCaller(options, request, target, (setCookies) => {
      const vary = [reply.getHeader('vary') ?? [], ...PRIVATE.vary].flat()
      reply.header('Vary', vary.join(', '))
      reply.header('Cache-Control', PRIVATE.cacheControl)
      for (const cookie of setCookies) reply.header('Set-Cookie', cookie)
    })
    callers.set(request, caller)
  })
}
// Fastify would keep the decorator and the hook to the plugin itself otherwise.
Object.assign(authGuard, { [Symbol.for('skip-override')]: true })

function guard(decision: Decision): FastifyGuardHook {
  return async (request, reply) => {
    const caller = callers.get(request)
    if (!caller) throw new Error('A guard ran before authGuard. Register authGuard first.')
    const outcome = await caller.check(decision)
    if (outcome.ok) return
    const { status, headers, body } = responseOf(outcome.refusal)
    reply.code(status)
    for (const [name, value] of Object.entries(headers)) reply.header(name, value)
    return reply.send(body)
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
