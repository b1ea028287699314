import { z } from 'zod'

const names = z.array(z.string().min(1)).readonly().optional()

// Strict: a misspelt `scope` must not open a route, and nothing is public by half.
const Schema = z.union([
  z.strictObject({ public: z.literal(true) }),
  z.strictObject({ scopes: names, roles: names }),
])

/** What a route asks of its caller: to be signed in with all of these, or nothing. */
export interface RouteAuth {
  /** All of them are needed. Default: none. */
  readonly scopes?: readonly string[]
  /** All of them are needed. Default: none. */
  readonly roles?: readonly string[]
  /** Any caller, signed in or not; it stands alone. */
  readonly public?: boolean
}

/**
 * The metadata of a guarded route of a ts-rest contract.
 *
 * @example
 * ```ts
 * metadata: { auth: { scopes: ['orders:read'] } }
 * ```
 */
export interface GuardMetadata {
  /** What the route asks of its caller. */
  readonly auth: RouteAuth
}

/**
 * What a route says in `metadata.auth`; `undefined` when it says nothing.
 * @throws TypeError when it cannot be understood, naming the route.
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
