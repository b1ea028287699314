import { accountContractV1 } from '../../../contract/account-contract.js'
import { authContractV1 } from '../../../contract/auth-contract.js'
import { discoveryContractV1 } from '../../../contract/discovery-contract.js'
import { protocolContractV1 } from '../../../contract/protocol-contract.js'

interface Route {
  method: string
  path: string
  responses: Record<number, unknown>
}

const ROUTES = Object.entries({
  ...authContractV1,
  ...accountContractV1,
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

/** Which declared (route, status) pairs were seen, by whom. */
export interface Coverage {
  /** Notes an answer; throws when the contract does not declare it or its body. */
  note(by: string, method: string, url: string, response: Response): Promise<void>
  /** Declared pairs that nobody saw. */
  missing(): string[]
  /** A row a pair, a column a backend. */
  table(columns: readonly string[]): string
}

/** Records answers against the contracts. */
export function createCoverage(): Coverage {
  const seen = new Map<string, Set<string>>()
  return {
    async note(by, method, url, response) {
      const { pathname } = new URL(url)
      const found = findRoute(method, pathname)
      if (!found) return
      const [key, route] = found
      const pair = `${key} ${response.status}`
      const schema = route.responses[response.status]
      if (schema === undefined) throw new Error(`${pair} is not declared`)
      await checkBody(pair, schema, response)
      const observers = seen.get(pair) ?? new Set()
      seen.set(pair, observers.add(by))
    },
    missing: () => DECLARED_PAIRS.filter((pair) => !seen.has(pair)),
    table(columns) {
      const width = Math.max(...DECLARED_PAIRS.map(({ length }) => length))
      const row = (label: string, cells: readonly string[]): string =>
        `${label.padEnd(width)}  ${cells.join('  ')}`
      const cell = (pair: string, column: string): string =>
        (seen.get(pair)?.has(column) ? 'reached' : '-').padEnd(Math.max(column.length, 7))
      return [
        row(
          'route and status',
          columns.map((column) => column.padEnd(7)),
        ),
        ...DECLARED_PAIRS.map((pair) =>
          row(
            pair,
            columns.map((column) => cell(pair, column)),
          ),
        ),
      ].join('\n')
    },
  }
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
