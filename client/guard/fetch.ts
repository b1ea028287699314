/**
 * Guards for Fetch requests: SvelteKit, React Router, Bun, Deno, workers.
 *
 * @module
 */
import type { Principal, Problem } from '@netscript/auth-contract'
import {
  type Caller,
  createCaller,
  decisionOf,
  type GuardOptions,
  type Outcome,
  type Requirement,
} from './caller.js'
import { decodedPath } from './guarded-path.js'
import { addTo, passOn, responseOf } from './response.js'

/** The caller of a request, or the response that refuses it. */
export type FetchAuthentication =
  | {
      readonly ok: true
      readonly principal: Principal
      /** `Set-Cookie`, `Vary` and `Cache-Control`, for a framework that makes the response itself. */
      readonly headers: Headers
      /** Puts these headers on a response, and returns it or a copy. */
      readonly respond: (response: Response) => Response
    }
  | {
      readonly ok: false
      readonly problem: Problem
      readonly headers: Headers
      /** 401, 403 or 503 with the problem document. */
      readonly response: Response
    }

/** Guards of {@link createFetchGuard}. */
export interface FetchGuard {
  /**
   * Authenticates and authorizes the caller, at most one authentication per `Request` object.
   * @throws TypeError for a malformed requirement.
   */
  readonly authenticate: (
    request: Request,
    requirement?: Requirement,
  ) => Promise<FetchAuthentication>
  /**
   * Runs a handler for callers that meet the requirement. Further arguments are handed on.
   * @throws TypeError for a malformed requirement.
   */
  readonly protect: <R extends Request, Rest extends unknown[]>(
    handler: (request: R, principal: Principal, ...rest: Rest) => Response | Promise<Response>,
    requirement?: Requirement,
  ) => (request: R, ...rest: Rest) => Promise<Response>
}

/**
 * Creates guards for Fetch requests.
 *
 * @example
 * ```ts
 * const auth = createFetchGuard({ authenticator })
 * const who = await auth.authenticate(request, { scopes: ['orders:read'] })
 * if (who.ok) who.respond(Response.json({ ordersOf: who.principal.subject }))
 * ```
 */
export function createFetchGuard(options: GuardOptions): FetchGuard {
  const callers = new WeakMap<Request, Caller>()
  const callerOf = (request: Request): Caller => {
    const target = () => ({ method: request.method, path: decodedPath(request.url) })
    const caller = callers.get(request) ?? createCaller(options, request, target)
    callers.set(request, caller)
    return caller
  }
  return {
    async authenticate(request, requirement = {}) {
      const decision = decisionOf('authenticate()', requirement)
      return resultOf(await callerOf(request).check(decision), request)
    },
    protect(handler, requirement = {}) {
      const decision = decisionOf('protect()', requirement)
      return async (request, ...rest) => {
        const who = resultOf(await callerOf(request).check(decision), request)
        if (!who.ok) return who.response
        try {
          return who.respond(await handler(request, who.principal, ...rest))
        } catch (thrown) {
          throw thrown instanceof Response ? who.respond(thrown) : thrown
        }
      }
    },
  }
}

function resultOf(outcome: Outcome, { method }: Request): FetchAuthentication {
  const { setCookies } = outcome
  const headers = new Headers()
  addTo(headers, setCookies)
  if (outcome.ok) {
    const { principal } = outcome
    return { ok: true, principal, headers, respond: (response) => passOn(response, setCookies) }
  }
  const { body, ...init } = responseOf(outcome.refusal)
  const response = passOn(new Response(method === 'HEAD' ? null : body, init), setCookies)
  return { ok: false, problem: outcome.refusal.problem, headers, response }
}
