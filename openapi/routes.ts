/** What the generator reads of a route of a contract. */
export interface Route {
  /** In capitals: `GET`. */
  readonly method: string
  /** With parameters as `:name`. */
  readonly path: string
  /** A few words. */
  readonly summary?: string
  /** CommonMark. */
  readonly description?: string
  /** Default: false. */
  readonly deprecated?: boolean
  /** A zod object, a field for each parameter in the path. Default: texts. */
  readonly pathParams?: unknown
  /** A zod object, a field for each parameter. Default: none are taken. */
  readonly query?: unknown
  /** Request headers, which are refused: documents do not describe them. */
  readonly headers?: unknown
  /** A zod schema. Default: no body is taken. */
  readonly body?: unknown
  /** `metadata.auth` says what the route asks of its caller. */
  readonly metadata?: unknown
  /** Of the body. Default: `application/json`. */
  readonly contentType?: string
  /** By status: a zod schema, or what stands for no body. */
  readonly responses: Readonly<Record<number, unknown>>
}

/** A contract: routes by key, or further contracts. */
export interface Contract {
  readonly [key: string]: Route | Contract
}

/** A route with the key that names it in the contract, its clients and the document. */
export interface NamedRoute {
  readonly key: string
  readonly route: Route
}

const isRoute = (entry: Route | Contract): entry is Route =>
  typeof entry.method === 'string' && typeof entry.path === 'string'

/** The routes of a contract in their order; keys of nested contracts are joined: `sessions.list`. */
export function routesOf(contract: Contract, prefix = ''): NamedRoute[] {
  return Object.entries(contract).flatMap(([key, entry]) =>
    isRoute(entry) ? [{ key: prefix + key, route: entry }] : routesOf(entry, `${prefix}${key}.`),
  )
}

/**
 * Whether a browser navigates there. Such a route can answer with a redirect; its errors are pages
 * for a person, and its body may come from a form.
 */
export const isNavigation = ({ responses }: Route): boolean => 303 in responses
