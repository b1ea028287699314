import type { AppRoute, FlattenAppRouter } from '@ts-rest/core'
import type { TsRestRequestHandler } from '@ts-rest/express'
import type { RequestHandler } from 'express'
import { type GuardMetadata, type RouteAuth, routeAuthOf } from '@netscript/auth-contract'
import { decide } from './authorizer.js'
import { guard } from './express.js'

/** A ts-rest contract of which every route says what it asks of its caller. */
export interface GuardedContract {
  readonly [key: string]: (AppRoute & { readonly metadata: GuardMetadata }) | GuardedContract
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
export function guardContract<T extends GuardedContract>(
  contract: T,
): TsRestRequestHandler<FlattenAppRouter<T>> {
  const guards = new Map(
    routesOf(contract).map(([key, route]): [unknown, RequestHandler] => {
      const auth = routeAuthOf(key, route)
      if (auth !== undefined) return [route, guardOf(auth)]
      throw new TypeError(
        `${key}: add metadata.auth, such as { scopes: [...] } or { public: true }.`,
      )
    }),
  )
  const guardRoute: RequestHandler = (req, res, next) => {
    const guarded = guards.get((req as { tsRestRoute?: unknown }).tsRestRoute)
    if (!guarded) throw new Error('The route is not one of the contract that is guarded.')
    return guarded(req, res, next)
  }
  return guardRoute
}

function guardOf(auth: RouteAuth): RequestHandler {
  if (auth.public) return (_req, _res, next) => next()
  const { scopes = [], roles = [] } = auth
  return guard((principal) => decide(principal, { requireScopes: scopes, requireRoles: roles }))
}

function routesOf(contract: GuardedContract, prefix = ''): [string, AppRoute][] {
  return Object.entries(contract).flatMap(([key, entry]): [string, AppRoute][] =>
    isRoute(entry) ? [[prefix + key, entry]] : routesOf(entry, `${prefix}${key}.`),
  )
}

const isRoute = (entry: GuardedContract[string]): entry is AppRoute & { metadata: GuardMetadata } =>
  typeof entry.method === 'string' && typeof entry.path === 'string'
