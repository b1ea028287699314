import { type ContractRoute, contractRoutes, type RouteContract } from '@netscript/auth-contract'

/** A route with the key that names it in the contract, its clients and the document. */
export interface NamedRoute {
  readonly key: string
  readonly route: ContractRoute
}

/** The routes of a contract in their order. */
export const routesOf = (contract: RouteContract): NamedRoute[] =>
  contractRoutes(contract).map(([key, route]) => ({ key, route }))

/**
 * Whether a browser navigates there. Such a route can answer with a redirect; its errors are pages
 * for a person, and its body may come from a form.
 */
export const isNavigation = ({ responses }: ContractRoute): boolean => 303 in responses
