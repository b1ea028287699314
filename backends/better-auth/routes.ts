import type { BetterAuthInstance } from './context.js'

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
