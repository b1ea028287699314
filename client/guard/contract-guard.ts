import {
  type ContractRoute,
  contractRoutes,
  type GuardMetadata,
  routeAuthOf,
} from '@netscript/auth-contract/internal'
import { decisionOf } from './caller.js'
import { guard, type ExpressMiddleware } from './express.js'

/** A ts-rest contract in which every route declares `metadata.auth`. */
export interface GuardedContract {
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
