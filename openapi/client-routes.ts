import { z } from 'zod'
import { AUTH_ERRORS, AUTH_PATH_PREFIX, type ContractRoute } from '@netscript/auth-contract'
import { DOCUMENTED } from './document.js'
import { routesOf } from './routes.js'

/** Generates client/routes.ts: what a client without schemas needs from the contract. */
export function clientRoutes(): string {
  const routes = DOCUMENTED.flatMap(({ contract }) => routesOf(contract))
    .filter(({ route }) => isCall(route))
    .map(({ key, route: { method, path, responses } }) => [
      key,
      { method, path, required: requiredOf(responses[200]) },
    ])
  const statuses = Object.entries(AUTH_ERRORS).map(([code, { status }]) => [code, status])
  return [
    '// Written by `npm run openapi` from the contract. Do not edit.',
    '',
    '/** The routes of the client: those with a JSON request and a JSON response. */',
    constant('ROUTES', Object.fromEntries(routes)),
    '',
    '/** The HTTP status of every error code. */',
    constant('PROBLEM_STATUSES', Object.fromEntries(statuses)),
    '',
  ].join('\n')
}

const constant = (name: string, value: unknown): string =>
  `export const ${name} = ${JSON.stringify(value, null, 2)} as const`

const isCall = ({ path, responses, contentType = 'application/json' }: ContractRoute): boolean =>
  path.startsWith(AUTH_PATH_PREFIX) &&
  responses[200] instanceof z.ZodType &&
  contentType === 'application/json'

/** The fields that are required in every member of a success schema. */
function requiredOf(schema: unknown): string[] {
  if (schema instanceof z.ZodUnion) {
    const [first = [], ...others] = schema.options.map(requiredOf)
    return first.filter((name) => others.every((names) => names.includes(name)))
  }
  if (!(schema instanceof z.ZodObject)) throw new Error('A client expects an object.')
  const shape = schema.shape as Record<string, z.ZodType>
  return Object.keys(shape).filter((name) => !shape[name]?.safeParse(undefined).success)
}
