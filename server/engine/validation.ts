import type { ContractRoute } from '@netscript/auth-contract'
import { z } from 'zod'
import { AuthError } from '@netscript/plugin-auth-core'
import type { Exchange } from './exchange.js'
import { queryOf, type Reply } from './message.js'
import type { RouteInput } from './routes.js'

/**
 * Validates a request against the route's schemas.
 * @throws AuthError `VALIDATION_ERROR`, `MALFORMED_REQUEST`
 */
export function validateInput(exchange: Exchange): RouteInput {
  const { contract } = exchange
  const searchParams = exchange.searchParams()
  const issues: z.core.$ZodIssue[] = []
  const check = (schema: unknown, value: unknown): unknown => {
    if (!(schema instanceof z.ZodType)) return value
    const result = schema.safeParse(value)
    if (!result.success) issues.push(...result.error.issues)
    return result.data
  }
  const input = {
    params: check(contract.pathParams, decodeParams(exchange.found?.params ?? {})),
    query: contract.query && check(contract.query, queryOf(searchParams)),
    body: check('body' in contract ? contract.body : undefined, exchange.body),
    searchParams,
  } as RouteInput
  if (issues.length > 0) throw validationError(contract, issues)
  return input
}

function decodeParams(params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decoded(value)]))
}

/** A value that cannot be decoded is passed literally; the handler then finds nothing by it. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/**
 * The problem that names the invalid fields; a plain 400 on a route that declares no 422, because another
 * standard defines its errors.
 */
export function validationError(
  { responses }: ContractRoute,
  issues: readonly z.core.$ZodIssue[],
): AuthError {
  const formErrors: string[] = []
  const fieldErrors: Record<string, string[]> = {}
  for (const issue of issues) {
    const field = issue.path.join('.')
    if (field === '') formErrors.push(issue.message)
    else (fieldErrors[field] ??= []).push(issue.message)
  }
  const named = Object.keys(fieldErrors).join(', ') || 'the input'
  const detail = `Correct ${named} and send it again.`
  return 422 in responses
    ? new AuthError('VALIDATION_ERROR', detail, { data: { formErrors, fieldErrors } })
    : new AuthError('MALFORMED_REQUEST', detail)
}

/**
 * Reduces a reply to what its contract declares: fields that the schema lacks are dropped.
 * @throws when status or body are not declared, so that no undeclared data is sent.
 */
export function declared({ responses }: ContractRoute, reply: Reply): Reply {
  const schema: unknown = responses[reply.status]
  if (schema === undefined) throw new TypeError(`Status ${reply.status} is not declared.`)
  if ((reply.status === 302 || reply.status === 303) && typeof reply.location !== 'string') {
    throw new TypeError('A redirect needs a location.')
  }
  return schema instanceof z.ZodType ? { ...reply, body: schema.parse(reply.body) } : reply
}

/** The problem for an unknown path. */
export const notFound = (method: string): AuthError<'NOT_FOUND'> =>
  new AuthError('NOT_FOUND', `There is no ${method} route here. See /openapi.json.`)
