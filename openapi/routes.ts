import { type ContractRoute, contractRoutes, type RouteContract } from '@netscript/auth-contract'

/** A route and its key in the contract, the clients and the document. */
export interface NamedRoute {
  readonly key: string
  readonly route: ContractRoute
}

/** The routes of a contract, in order. */
export const routesOf = (contract: RouteContract): NamedRoute[] =>
  contractRoutes(contract).map(([key, route]) => ({ key, route }))

/**
 * Whether browsers navigate to a route, which then can redirect, render errors as pages and accept
 * forms.
 */
export const isNavigation = ({ responses }: ContractRoute): boolean => 303 in responses
