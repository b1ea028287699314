import type { Components } from './components.js'
import { headersOf } from './headers.js'
import { ROUTE_NOTES, type RouteNote } from './route-notes.js'
import type { ContractRoute } from '@netscript/auth-contract'
import { isNavigation } from './routes.js'
import type { ResponseObject } from './specification.js'

/** What a service does alike on all its routes, and no contract says. */
export interface Dialect {
  /** Notes by the key of the route. */
  readonly notes: Readonly<Record<string, RouteNote>>
  /** The headers of an answer with this status. */
  headersOf(status: number, components: Components): ResponseObject['headers']
  /** Whether a browser navigates there, posts forms, and gets problems as pages. */
  isNavigation(route: ContractRoute): boolean
}

/** The ways of this service. */
export const OWN_DIALECT: Dialect = { notes: ROUTE_NOTES, headersOf, isNavigation }

/** A service of others, behind the guards. */
export const GUARDED_DIALECT: Dialect = {
  notes: {},
  headersOf: (status, components) => ({
    ...(status === 401 && { 'WWW-Authenticate': components.header('Challenge') }),
    ...(status === 503 && { 'Retry-After': components.header('RetryAfter') }),
  }),
  isNavigation: () => false,
}
