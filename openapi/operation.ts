import { z } from 'zod'
import { type contractRoutes, problemType, routeAuthOf } from '@netscript/auth-contract/internal'
import { type Components, SCHEMAS } from './components.js'
import { type Dialect, publicHeaders, type RouteNote } from './dialect.js'
import { BODY_EXAMPLES, PARAMETER_EXAMPLES, PROBLEM_DATA, PROBLEM_DETAILS } from './examples.js'
import type {
  ExampleObject,
  MediaTypeObject,
  OperationObject,
  ParameterObject,
  ReferenceObject,
  RequestBodyObject,
  ResponseObject,
  SchemaObject,
} from './specification.js'
import { AUTH_ERRORS, type AuthErrorCode, type ContractRoute } from '@netscript/auth-contract'

/** Name of the security scheme of the session cookie. */
export const SESSION_COOKIE = 'sessionCookie'

/** Name of the security scheme of bearer tokens, which guarded services accept too. */
export const BEARER_TOKEN = 'bearerToken'

/** Name of the security scheme of service keys. */
export const SERVICE_KEY = 'serviceKey'

/** A route and its key in the contract, the clients and the document. */
type NamedRoute = ReturnType<typeof contractRoutes>[number]

export function operationOf(
  named: NamedRoute,
  tag: string,
  components: Components,
  dialect: Dialect,
): OperationObject {
  const [key, route] = named
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
  [key, route]: NamedRoute,
  { session, needsServiceKey }: RouteNote,
): OperationObject['security'] {
  if (needsServiceKey) return [{ [SERVICE_KEY]: [], [SESSION_COOKIE]: [] }, { [SERVICE_KEY]: [] }]
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

/** The path and query parameters of a route, one for each field of its schemas. */
function parametersOf([key, route]: NamedRoute, components: Components): ParameterObject[] {
  if (route.headers !== undefined) {
    throw new Error(`${key} declares request headers, which the document does not describe yet.`)
  }
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  const fields = fieldsOf(key, route.pathParams)
  return [
    ...inPath.map((name) => parameter('path', name, fields[name] ?? z.string(), components)),
    ...Object.entries(fieldsOf(key, route.query)).map(([name, field]) =>
      parameter('query', name, field, components),
    ),
  ]
}

function fieldsOf(key: string, schema: unknown): Record<string, z.ZodType> {
  if (schema === undefined) return {}
  if (!(schema instanceof z.ZodObject)) throw new Error(`${key}: parameters must be a zod object.`)
  return schema.shape
}

function parameter(
  where: 'path' | 'query',
  name: string,
  field: z.ZodType,
  components: Components,
): ParameterObject {
  const { schema, required } = components.schema(field, 'input')
  const { description, examples, ...rest } = schema
  const example: unknown = Array.isArray(examples) ? examples[0] : PARAMETER_EXAMPLES[name]
  return {
    name,
    in: where,
    ...(typeof description === 'string' && { description }),
    required: where === 'path' || required,
    schema: rest,
    ...(example !== undefined && { example }),
  }
}

/** The request body of a route. Routes that browsers navigate to accept a form as well. */
function requestBodyOf(
  { body, contentType = 'application/json' }: ContractRoute,
  navigation: boolean,
  components: Components,
): RequestBodyObject | undefined {
  if (!(body instanceof z.ZodType)) return undefined
  const { schema } = components.schema(body, 'input')
  if (!navigation) {
    return { required: isRequired(body), content: { [contentType]: { schema } } }
  }
  const lists = listsOf(body)
  const form: MediaTypeObject = {
    schema,
    ...(lists.length > 0 && {
      encoding: Object.fromEntries(lists.map((name) => [name, { style: 'form', explode: true }])),
    }),
  }
  return {
    description: [
      'A JSON request gets a JSON response, a form post a redirect. Empty form fields count as absent',
      ...lists.map((name) => `, and \`${name}\` may repeat or be separated by spaces`),
      '.',
    ].join(''),
    required: isRequired(body),
    content: { 'application/json': { schema }, 'application/x-www-form-urlencoded': form },
  }
}

/** A missing body is read as an empty object. */
const isRequired = (body: z.ZodType): boolean => !body.safeParse({}).success

function listsOf(body: z.ZodType): string[] {
  if (!(body instanceof z.ZodObject)) return []
  return Object.entries(body.shape as Record<string, z.ZodType>)
    .filter(
      ([, field]) =>
        (field instanceof z.ZodOptional ? field.unwrap() : field) instanceof z.ZodArray,
    )
    .map(([name]) => name)
}

function responseOf(
  [key, route]: NamedRoute,
  status: number,
  schema: unknown,
  components: Components,
  dialect: Dialect,
): ResponseObject | ReferenceObject {
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
  const { responses, setCookie, isPublic, headers = {} } = dialect.notes[key] ?? {}
  return {
    description: (responses?.[status] ?? (isSchema && schema.description)) || 'Done.',
    headers: {
      ...(isPublic ? publicHeaders(components) : dialect.headersOf(status, components)),
      ...(status === 200 &&
        Object.fromEntries(
          Object.entries(headers).map(([name, header]) => [
            name,
            { ...header, schema: { type: 'string' as const } },
          ]),
        )),
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

/**
 * A response with problem documents (RFC 9457), shared by all routes with the same codes. For a
 * navigation it may be a page, and may clear the transaction cookie.
 *
 * @returns `undefined` for a schema that `problems()` did not create.
 */
function problemResponse(
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
