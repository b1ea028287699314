import type { Components } from './components.js'
import { headersOf } from './headers.js'
import { ROUTE_NOTES, type RouteNote } from './route-notes.js'
import type { ContractRoute } from '@netscript/auth-contract'
import { isNavigation } from './routes.js'
import type { ResponseObject } from './specification.js'

/** Conventions of a service that its contract does not declare. */
export interface Dialect {
  /** Notes by the key of the route. */
  readonly notes: Readonly<Record<string, RouteNote>>
  /** The headers of a response with this status. */
  headersOf(status: number, components: Components): ResponseObject['headers']
  /** Whether browsers navigate to the route: it accepts forms and renders problems as pages. */
  isNavigation(route: ContractRoute): boolean
}

/** The conventions of the authentication service. */
export const OWN_DIALECT: Dialect = { notes: ROUTE_NOTES, headersOf, isNavigation }

/** The conventions of a service behind the guards. */
export const GUARDED_DIALECT: Dialect = {
  notes: {},
  headersOf: (status, components) => ({
    ...(status === 401 && { 'WWW-Authenticate': components.header('Challenge') }),
    ...(status === 503 && { 'Retry-After': components.header('RetryAfter') }),
  }),
  isNavigation: () => false,
}
