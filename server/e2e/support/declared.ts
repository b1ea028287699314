import { accountContractV1 } from '../../../contract/account-contract.js'
import { authContractV1 } from '../../../contract/auth-contract.js'
import { forwardAuthContractV1 } from '../../../contract/forward-auth-contract.js'
import { serviceContractV1 } from '../../../contract/service-contract.js'
import { discoveryContractV1, protocolContractV1 } from '../../../contract/protocol-contract.js'

interface Route {
  method: string
  path: string
  responses: Record<number, unknown>
}

const ROUTES = Object.entries({
  ...authContractV1,
  ...accountContractV1,
  ...serviceContractV1,
  ...forwardAuthContractV1,
  ...protocolContractV1,
  ...discoveryContractV1,
}) as [string, Route][]

/** Every declared pair of a route and a status, as `me 200`. */
export const DECLARED_PAIRS: readonly string[] = ROUTES.flatMap(([key, route]) =>
  Object.keys(route.responses).map((status) => `${key} ${status}`),
)

/** The route that serves a method and a path, with its key in the contract. */
export function findRoute(
  method: string,
  pathname: string,
): [key: string, route: Route] | undefined {
  return ROUTES.find(([, route]) => route.method === method && matches(route.path, pathname))
}

/**
 * Compares a response with the contracts.
 * @throws Error when they do not declare its status or its body.
 */
export async function checkDeclared(
  method: string,
  url: string,
  response: Response,
): Promise<void> {
  const found = findRoute(method, new URL(url).pathname)
  if (!found) return
  const [key, route] = found
  const pair = `${key} ${response.status}`
  const schema = route.responses[response.status]
  if (schema === undefined) throw new Error(`${pair} is not declared`)
  await checkBody(pair, schema, response)
}

function matches(template: string, pathname: string): boolean {
  const pattern = template.replace(/:[^/]+/g, '[^/]+')
  return new RegExp(`^${pattern}$`).test(pathname)
}

async function checkBody(pair: string, schema: unknown, response: Response): Promise<void> {
  const isSchema = typeof schema === 'object' && schema !== null && 'safeParse' in schema
  if (!isSchema || !response.headers.get('content-type')?.includes('json')) return
  const body: unknown = await response.clone().json()
  const parse = schema.safeParse as (value: unknown) => { success: boolean; error?: Error }
  const { success, error } = parse(body)
  if (!success) throw new Error(`${pair}: ${error?.message}`)
}
