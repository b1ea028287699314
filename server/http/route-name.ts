import { accountContractV1 } from '../../contract/account-contract.js'
import { authContractV1 } from '../../contract/auth-contract.js'

/** Names the route of a request in one of a few known words, whatever anybody asks for. */
export type RouteName = (method: string, path: string) => string

const NAMES = new Map<string, string>()
const PATTERNS: { method: string; pattern: RegExp; name: string }[] = []
for (const [name, { method, path }] of [
  ...Object.entries(authContractV1),
  ...Object.entries(accountContractV1),
]) {
  if (!path.includes(':')) NAMES.set(`${method} ${path}`, name)
  else PATTERNS.push({ method, name, pattern: new RegExp(`^${path.replace(/:[^/]+/g, '[^/]+')}$`) })
}

/** What is asked for at none of the routes, or with another method than theirs. */
const NO_ROUTE = 'none'

/** The key of the route in its contract. */
export const contractRoute: RouteName = (given, path) => {
  const method = given === 'HEAD' ? 'GET' : given
  return (
    NAMES.get(`${method} ${path}`) ??
    PATTERNS.find((one) => one.method === method && one.pattern.test(path))?.name ??
    NO_ROUTE
  )
}

/** Names what the service answers beside the API; `basePath` is that of the backend's own routes. */
export const siteRoute =
  (basePath?: string): RouteName =>
  (_method, path) => {
    if (path === '/') return 'home'
    if (path === '/openapi.json' || /^\/docs(\/|$)/.test(path)) return 'docs'
    if (basePath !== undefined && path.startsWith(`${basePath}/`)) return 'backend'
    return NO_ROUTE
  }
