import type { BetterAuthInstance } from './context.js'

/** The longest path that is passed on to better-auth, in characters; its own tokens have 24 or 32. */
const PATH_LIMIT = 256

/**
 * The route of a path below the base path, as better-auth declares it: `/reset-password/:token`.
 * `undefined` when there is none, or none with this method.
 */
export type RouteFinder = (path: string, method?: string) => string | undefined

interface Route {
  readonly method: string
  readonly path: string
  readonly pattern: RegExp
}

/** Finds the routes that an instance answers over HTTP, those of its plugins among them. */
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

/** An endpoint as far as its route goes. Those that only the server may call have no route. */
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
