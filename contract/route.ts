import { z } from 'zod'
import { SigninInput } from './signin.js'

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

const names = z.array(z.string().min(1)).readonly().optional()

// Within the bounds of signin, which has to meet the requirement.
const acr = SigninInput.shape.acrValues.unwrap().min(1)
const RecentAuthSchema = z.strictObject({
  maxAge: z.int().min(1).max(31_536_000),
  acr: z
    .union([
      acr,
      z
        .string()
        .transform((one) => [one])
        .pipe(acr),
    ])
    .optional(),
})

/** How recently, and how, a caller must have authenticated at the provider. */
export interface RecentAuth {
  /** Maximum seconds since then, from 1 to a year. */
  readonly maxAge: number
  /** Authentication context class, or several of which one suffices. @default any */
  readonly acr?: string | readonly string[]
}

/**
 * Checks a {@link RecentAuth}, and returns its classes as a list.
 * @throws TypeError when it is malformed; the message begins with `where`.
 */
export function parseRecentAuth(
  where: string,
  requirement: RecentAuth,
): { readonly maxAge: number; readonly acrValues?: readonly string[] } {
  const { data } = RecentAuthSchema.safeParse(requirement)
  if (data) return { maxAge: data.maxAge, ...(data.acr && { acrValues: data.acr }) }
  throw new TypeError(
    `${where} must be { maxAge, acr? }: seconds from 1 to 31536000, and context classes without spaces.`,
  )
}

// Strict: a misspelt `scope` must not open a route, and `public` excludes scopes and roles.
const Schema = z.union([
  z.strictObject({ public: z.literal(true) }),
  z.strictObject({ scopes: names, roles: names, recentAuth: RecentAuthSchema.optional() }),
])

/** Who may call a route: any signed-in caller with these scopes and roles, or anyone. */
export interface RouteAuth {
  /** Scopes that the caller needs, all of them. @default none */
  readonly scopes?: readonly string[]
  /** Roles that the caller needs, all of them. @default none */
  readonly roles?: readonly string[]
  /** How recently the caller must have authenticated. @default any time */
  readonly recentAuth?: RecentAuth
  /** Allows anonymous callers. It cannot be combined with the others. */
  readonly public?: boolean
}

/**
 * The `metadata` of a guarded route of a ts-rest contract.
 *
 * @example
 * ```ts
 * metadata: { auth: { scopes: ['orders:read'] } }
 * ```
 */
export interface GuardMetadata {
  /** Who may call the route. */
  readonly auth: RouteAuth
}

/**
 * Checks who may call a route, strictly: a misspelt member must not open it.
 * @throws TypeError when it is malformed; the message begins with `where`.
 */
export function parseRouteAuth(where: string, auth: unknown): RouteAuth {
  if (Schema.safeParse(auth).success) return auth as RouteAuth
  throw new TypeError(
    `${where} must be { scopes?: [...], roles?: [...], recentAuth?: { maxAge, acr? } } or { public: true }.`,
  )
}

/**
 * Reads `metadata.auth` of a route; `undefined` when the route has none.
 * @throws TypeError when `metadata.auth` is malformed; the message names the route.
 */
export function routeAuthOf(key: string, route: { metadata?: unknown }): RouteAuth | undefined {
  const { auth } = (route.metadata ?? {}) as { auth?: unknown }
  return auth === undefined ? undefined : parseRouteAuth(`${key}: metadata.auth`, auth)
}
