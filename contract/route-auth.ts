import { z } from 'zod'

const names = z.array(z.string().min(1)).readonly().optional()

// Strict: a misspelt `scope` must not open a route, and `public` excludes scopes and roles.
const Schema = z.union([
  z.strictObject({ public: z.literal(true) }),
  z.strictObject({ scopes: names, roles: names }),
])

/** Who may call a route: any signed-in caller with these scopes and roles, or anyone. */
export interface RouteAuth {
  /** Scopes that the caller needs, all of them. @default none */
  readonly scopes?: readonly string[]
  /** Roles that the caller needs, all of them. @default none */
  readonly roles?: readonly string[]
  /** Allows anonymous callers. It cannot be combined with `scopes` or `roles`. */
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
 * Reads `metadata.auth` of a route; `undefined` when the route has none.
 * @throws TypeError when `metadata.auth` is malformed; the message names the route.
 */
export function routeAuthOf(key: string, route: { metadata?: unknown }): RouteAuth | undefined {
  const { auth } = (route.metadata ?? {}) as { auth?: unknown }
  if (auth === undefined) return undefined
  const { success } = Schema.safeParse(auth)
  if (success) return auth as RouteAuth
  throw new TypeError(
    `${key}: metadata.auth must be { scopes?: [...], roles?: [...] } or { public: true }.`,
  )
}
