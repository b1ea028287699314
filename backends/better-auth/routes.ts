import type { BetterAuthInstance } from './context.js'
import type { BetterAuthRateLimitStorage } from 'better-auth'
import {
  clientNetworks,
  createRateLimitKeys,
  type RateLimitStore,
} from '@netscript/plugin-auth-core/internal'

/** Maximum path length in characters passed on to better-auth; its tokens have 24 or 32. */
const PATH_LIMIT = 256

/**
 * The route pattern for a path below the base path, as better-auth declares it:
 * `/reset-password/:token`. `undefined` when no route matches the path and method.
 */
export type RouteFinder = (path: string, method?: string) => string | undefined

interface Route {
  readonly method: string
  readonly path: string
  readonly pattern: RegExp
}

/** Finds the HTTP routes of an instance, including those of its plugins. */
export function createRouteFinder(
  auth: Pick<BetterAuthInstance, 'options'> & { readonly api: object },
): RouteFinder {
  const routes = Object.values<Endpoint>(auth.api as Record<string, Endpoint>).flatMap(routesOf)
  const slashes = auth.options.advanced?.skipTrailingSlashes ?? false
  return (path, method) => {
    if (path.length > PATH_LIMIT) return undefined
    const sought = slashes && path.length > 1 ? path.replace(/\/$/, '') : path
    return routes.find(
      (route) =>
        (method === undefined || ['*', method].includes(route.method)) &&
        route.pattern.test(sought),
    )?.path
  }
}

/** An endpoint's routing data. Server-only endpoints have no route. */
interface Endpoint {
  readonly path?: string
  readonly options?: {
    readonly method?: string | readonly string[]
    readonly metadata?: { readonly SERVER_ONLY?: boolean }
  }
}

function routesOf(endpoint: Endpoint): Route[] {
  const { path, options } = endpoint
  if (path === undefined || options === undefined || options.metadata?.SERVER_ONLY) return []
  const pattern = patternOf(path)
  return [options.method ?? []].flat().map((method) => ({ method, path, pattern }))
}

/** The syntax of rou3, the router of better-auth: `:name`, `*` and `**`. */
function patternOf(path: string): RegExp {
  const segments = path.split('/').map((segment) => {
    if (segment.startsWith('**')) return '.*'
    if (segment.startsWith(':') || segment.includes('*')) return '[^/]+'
    return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${segments.join('/')}$`)
}

/** Options of {@link createRateLimitStorage}. */
interface RateLimitStorageOptions {
  readonly store: RateLimitStore
  readonly secret: string
  /** The route pattern of a path: all parameter values share one counter. */
  readonly routeOf: (path: string) => string | undefined
}

/**
 * Limits requests to better-auth like the rest of this API, by client network and route.
 * better-auth's own limiter would keep a counter in memory for every address and path.
 */
export function createRateLimitStorage({
  store,
  secret,
  routeOf,
}: RateLimitStorageOptions): BetterAuthRateLimitStorage {
  const keyOf = createRateLimitKeys(Buffer.from(secret))
  return {
    async consume(addressAndPath, { window, max }) {
      const [address, path = ''] = addressAndPath.split('|', 2)
      const scope = `better-auth${routeOf(path) ?? ''}`
      const charges = clientNetworks(address).map(({ cidr, prefix, clients }) => ({
        key: keyOf(`${scope}/${prefix}`, cidr),
        limit: max * clients,
      }))
      const counts = await store.charge(charges, window * 1000)
      const [last, limit = 0] = [counts.at(-1), charges[counts.length - 1]?.limit]
      if (last && last.hits <= limit) return { allowed: true, retryAfter: null }
      return { allowed: false, retryAfter: Math.ceil((last?.resetMs ?? window * 1000) / 1000) }
    },
  }
}
