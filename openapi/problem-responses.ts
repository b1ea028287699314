import type { z } from 'zod'
import { AUTH_ERRORS, type AuthErrorCode } from '@netscript/auth-contract'
import { problemType, type ContractRoute } from '@netscript/auth-contract/internal'
import { type Components, SCHEMAS } from './components.js'
import type { Dialect } from './dialect.js'
import { PROBLEM_DATA, PROBLEM_DETAILS } from './examples.js'
import type { ExampleObject, ReferenceObject, SchemaObject } from './specification.js'

/**
 * A response with problem documents (RFC 9457), shared by all routes with the same codes. For a
 * navigation it may be a page, and may clear the transaction cookie.
 *
 * @returns `undefined` for a schema that `problems()` did not create.
 */
export function problemResponse(
  schema: z.ZodType,
  { status, route, dialect }: { status: number; route: ContractRoute; dialect: Dialect },
  components: Components,
): ReferenceObject | undefined {
  const navigation = dialect.isNavigation(route)
  const problem = components.schema(schema, 'output').schema
  const ids = members(problem).map(({ $ref }) => String($ref).slice(SCHEMAS.length))
  const codes = (Object.keys(AUTH_ERRORS) as AuthErrorCode[]).filter((code) =>
    ids.includes(problemId(code)),
  )
  if (codes.length === 0) return undefined
  const name = codes.map((code) => problemId(code).replace(/Problem$/, '')).join('Or')
  return components.response(navigation ? `${name}ToBrowser` : name, () => ({
    description: codes.map((code) => `${AUTH_ERRORS[code].title} (\`${code}\`).`).join(' '),
    headers: {
      ...dialect.headersOf(status, components),
      ...(navigation && { 'Set-Cookie': components.header('ClearedTransaction') }),
    },
    content: {
      'application/problem+json': {
        schema: problem,
        examples: Object.fromEntries(codes.map((code) => [code, example(code)])),
      },
      ...(navigation && {
        'text/html': {
          schema: {
            type: 'string',
            description: 'The same problem as a page, when the request accepts text/html.',
          },
        },
      }),
    },
  }))
}

/** The schema id of a problem, such as `StoreUnavailableProblem`. */
function problemId(code: AuthErrorCode): string {
  const words = code.toLowerCase().split('_')
  return `${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}Problem`
}

const members = (schema: SchemaObject): SchemaObject[] =>
  Array.isArray(schema.oneOf) ? (schema.oneOf as SchemaObject[]) : [schema]

function example(code: AuthErrorCode): ExampleObject {
  const { status, title } = AUTH_ERRORS[code]
  const data = PROBLEM_DATA[code]
  return {
    summary: title,
    value: {
      type: problemType(code),
      title,
      status,
      detail: PROBLEM_DETAILS[code] ?? 'What happened this time and how to fix it.',
      code,
      ...(data !== undefined && { data }),
    },
  }
}
