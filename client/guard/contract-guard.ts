import {
  type ContractRoute,
  contractRoutes,
  type GuardMetadata,
  type RouteAuth,
  routeAuthOf,
} from '@netscript/auth-contract'
import { decide } from './authorizer.js'
import { guard, type ExpressMiddleware } from './express.js'

/** A ts-rest contract of which every route says what it asks of its caller. */
export interface GuardedContract {
  readonly [key: string]: (ContractRoute & { readonly metadata: GuardMetadata }) | GuardedContract
}

/**
 * Guards the routes of a ts-rest contract as their `metadata.auth` says. Give it to
 * `createExpressEndpoints` as global middleware, after `withAuthn`.
 *
 * @throws TypeError for a route that says nothing, or what cannot be understood; a type error tells
 * it earlier.
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
      if (auth !== undefined) return [route, guardOf(auth)]
      throw new TypeError(
        `${key}: add metadata.auth, such as { scopes: [...] } or { public: true }.`,
      )
    }),
  )
  return (req, res, next) => {
    const guarded = guards.get((req as { tsRestRoute?: unknown }).tsRestRoute)
    if (!guarded) throw new Error('The route is not one of the contract that is guarded.')
    return guarded(req, res, next)
  }
}

function guardOf(auth: RouteAuth): ExpressMiddleware {
  if (auth.public) return (_req, _res, next) => next()
  const { scopes = [], roles = [] } = auth
  return guard((principal) => decide(principal, { requireScopes: scopes, requireRoles: roles }))
}
