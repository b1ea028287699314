import { z } from 'zod'
import { routeAuthOf } from '@netscript/auth-contract'
import type { Components } from './components.js'
import { type Dialect, OWN_DIALECT } from './dialect.js'
import { BODY_EXAMPLES } from './examples.js'
import { SCHEMAS } from './json-schema.js'
import { parametersOf } from './parameters.js'
import { problemResponse } from './problem-responses.js'
import { requestBodyOf } from './request-body.js'
import { publicHeaders } from './headers.js'
import type { RouteNote } from './route-notes.js'
import type { NamedRoute } from './routes.js'
import type {
  MediaTypeObject,
  OperationObject,
  Reference,
  ResponseObject,
} from './specification.js'

/** Name of the security scheme of the session cookie. */
export const SESSION_COOKIE = 'sessionCookie'

/** Name of the security scheme of bearer tokens, which guarded services accept too. */
export const BEARER_TOKEN = 'bearerToken'

export function operationOf(
  named: NamedRoute,
  tag: string,
  components: Components,
  dialect: Dialect = OWN_DIALECT,
): OperationObject {
  const { key, route } = named
  const note = dialect.notes[key] ?? {}
  const parameters = parametersOf(named, components)
  const requestBody = requestBodyOf(route, dialect.isNavigation(route), components)
  return {
    operationId: key,
    tags: [tag],
    ...(route.summary !== undefined && { summary: route.summary }),
    ...(route.description !== undefined && { description: route.description }),
    ...(route.deprecated && { deprecated: true }),
    security: securityOf(named, note),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses: Object.fromEntries(
      Object.entries(route.responses).map(([status, schema]) => [
        status,
        responseOf(named, Number(status), schema, components, dialect),
      ]),
    ),
  }
}

function securityOf(
  { key, route }: NamedRoute,
  { session }: RouteNote,
): OperationObject['security'] {
  const auth = routeAuthOf(key, route)
  if (auth?.public) return []
  if (auth) {
    // OpenAPI 3.1 allows required scopes or roles for schemes of any type (4.8.30).
    const names = [...(auth.scopes ?? []), ...(auth.roles ?? [])]
    return [{ [SESSION_COOKIE]: names }, { [BEARER_TOKEN]: names }]
  }
  switch (session ?? (401 in route.responses ? 'required' : 'optional')) {
    case 'required':
      return [{ [SESSION_COOKIE]: [] }]
    case 'optional':
      return [{ [SESSION_COOKIE]: [] }, {}]
    case 'ignored':
      return []
  }
}

function responseOf(
  { key, route }: NamedRoute,
  status: number,
  schema: unknown,
  components: Components,
  dialect: Dialect,
): ResponseObject | Reference {
  // No body: a symbol of ts-rest (`noBody()`), or `z.undefined()`.
  const isEmpty = typeof schema === 'symbol' || schema instanceof z.ZodUndefined
  const isSchema = schema instanceof z.ZodType && !isEmpty
  if (status >= 400 && isSchema) {
    const problem = problemResponse(schema, { status, route, dialect }, components)
    if (problem) return problem
  }
  if (!isSchema && !isEmpty) {
    throw new Error(`${key}: its ${status} response must be a zod schema or noBody().`)
  }
  const { responses, setCookie, isPublic } = dialect.notes[key] ?? {}
  return {
    description: (responses?.[status] ?? (isSchema && schema.description)) || 'Done.',
    headers: {
      ...(isPublic ? publicHeaders(components) : dialect.headersOf(status, components)),
      ...(setCookie && {
        'Set-Cookie': {
          description: setCookie.description,
          schema: { type: 'string' },
          example: setCookie.example,
        },
      }),
    },
    ...(isSchema && { content: { 'application/json': jsonBody(schema, components) } }),
  }
}

function jsonBody(zodSchema: z.ZodType, components: Components): MediaTypeObject {
  const { schema } = components.schema(zodSchema, 'output')
  const examples = BODY_EXAMPLES[String(schema.$ref).slice(SCHEMAS.length)]
  return { schema, ...(examples && { examples }) }
}
