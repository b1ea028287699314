import { z } from 'zod'
import type { Components } from './components.js'
import { BODY_EXAMPLES } from './examples.js'
import { headersOf } from './headers.js'
import { SCHEMAS } from './json-schema.js'
import { parametersOf } from './parameters.js'
import { problemResponse } from './problem-responses.js'
import { requestBodyOf } from './request-body.js'
import { ROUTE_NOTES, type RouteNote } from './route-notes.js'
import { isNavigation, type NamedRoute, type Route } from './routes.js'
import type {
  MediaTypeObject,
  OperationObject,
  Reference,
  ResponseObject,
} from './specification.js'

/** The name of the security scheme of the session cookie. */
export const SESSION_COOKIE = 'sessionCookie'

/** The operation of a route. */
export function operationOf(
  named: NamedRoute,
  tag: string,
  components: Components,
): OperationObject {
  const { key, route } = named
  const note = ROUTE_NOTES[key] ?? {}
  const parameters = parametersOf(named, components)
  const requestBody = requestBodyOf(route, components)
  return {
    operationId: key,
    tags: [tag],
    ...(route.summary !== undefined && { summary: route.summary }),
    ...(route.description !== undefined && { description: route.description }),
    ...(route.deprecated && { deprecated: true }),
    security: securityOf(route, note),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses: Object.fromEntries(
      Object.entries(route.responses).map(([status, schema]) => [
        status,
        responseOf(named, Number(status), schema, components),
      ]),
    ),
  }
}

function securityOf(route: Route, { session }: RouteNote): OperationObject['security'] {
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
): ResponseObject | Reference {
  const isSchema = schema instanceof z.ZodType
  if (status >= 400 && isSchema) {
    return problemResponse(schema, { status, navigation: isNavigation(route) }, components)
  }
  if (!isSchema && typeof schema !== 'symbol') {
    throw new Error(`${key}: its ${status} response must be a zod schema or noBody().`)
  }
  const { responses, setCookie } = ROUTE_NOTES[key] ?? {}
  return {
    description: (responses?.[status] ?? (isSchema && schema.description)) || 'Done.',
    headers: {
      ...headersOf(status, components),
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
