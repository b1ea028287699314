/**
 * A route of a ts-rest contract, typed structurally: the types of ts-rest itself compile with zod 4
 * only under `skipLibCheck`.
 */
export interface ContractRoute {
  /** In upper case: `GET`. */
  readonly method: string
  /** Path parameters are written `:name`. */
  readonly path: string
  readonly summary?: string
  /** CommonMark. */
  readonly description?: string
  /** @default false */
  readonly deprecated?: boolean
  /** A zod object with a field for each parameter in the path. @default strings */
  readonly pathParams?: unknown
  /** A zod object with a field for each parameter. @default no query */
  readonly query?: unknown
  /** Request headers. */
  readonly headers?: unknown
  /** A zod schema. @default no body */
  readonly body?: unknown
  /** `metadata.auth` is a `RouteAuth`. */
  readonly metadata?: unknown
  /** Media type of the request body. @default application/json */
  readonly contentType?: string
  /** By status: a zod schema, or ts-rest's marker for no body. */
  readonly responses: Readonly<Record<number, unknown>>
}

/** A ts-rest contract: routes by key, or further contracts. */
export interface RouteContract {
  readonly [key: string]: ContractRoute | RouteContract
}

const isContractRoute = (entry: ContractRoute | RouteContract): entry is ContractRoute =>
  typeof entry.method === 'string' && typeof entry.path === 'string'

/** The routes of a contract in order, by key. Keys of nested contracts are joined: `sessions.list`. */
export function contractRoutes(
  contract: RouteContract,
  prefix = '',
): readonly (readonly [key: string, route: ContractRoute])[] {
  return Object.entries(contract).flatMap(([key, entry]) =>
    isContractRoute(entry)
      ? [[prefix + key, entry] as const]
      : contractRoutes(entry, `${prefix}${key}.`),
  )
}
