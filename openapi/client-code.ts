import openapiTS, { astToString } from 'openapi-typescript'
import ts from 'typescript'
import { z } from 'zod'
import {
  AUTH_ERRORS,
  AUTH_PATH_PREFIX,
  CallbackQuery,
  type ContractRoute,
  forwardAuthContractV1,
  type RouteContract,
  serviceContractV1,
  SessionsQuery,
} from '@netscript/auth-contract'
import { contractRoutes } from '@netscript/auth-contract/internal'
import { createOpenApiDocument, DOCUMENTED } from './document.js'

const NOT_FOR_PAGES = new Set<RouteContract>([serviceContractV1, forwardAuthContractV1])

/** Generates client/generated/routes.ts: what a client without schemas needs from the contract. */
export function clientRoutes(): string {
  // Pages do not call the routes for servers and proxies.
  const forPages = DOCUMENTED.filter(({ contract }) => !NOT_FOR_PAGES.has(contract))
  const routes = forPages
    .flatMap(({ contract }) => contractRoutes(contract))
    .filter(([, route]) => isCall(route))
    .map(([key, { method, path, responses }]) => [
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

/** Schemas of the document that a client neither sends nor receives. */
const LEFT_OUT =
  /Problem$|^(PublicKey|BackChannelLogout|ProviderErrorData|ProviderToken|ValidationErrorData)/

/**
 * Generates client/generated/wire.ts: the types of requests and responses, so that the client depends on
 * neither the contract nor zod.
 */
export async function clientTypes(): Promise<string> {
  const { openapi, info, components } = createOpenApiDocument()
  const schemas = {
    ...Object.fromEntries(
      Object.entries(components.schemas ?? {}).filter(([name]) => !LEFT_OUT.test(name)),
    ),
    CallbackQuery: queryOf(CallbackQuery),
    SessionsQuery: queryOf(SessionsQuery),
  }
  const nodes = await openapiTS({ openapi, info, paths: {}, components: { schemas } } as never, {
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
    transformProperty: orUndefined,
  })
  const isNeeded = (node: ts.Node): boolean =>
    ts.isTypeAliasDeclaration(node) ? node.name.text in schemas : isComponents(node)
  return [
    '// Written by `npm run openapi` from the contract. Do not edit.',
    '',
    plainComments(astToString(nodes.filter(isNeeded))).replace(
      'export interface components',
      'interface components',
    ),
  ].join('\n')
}

/** Without examples, which the document has, and the tags that repeat the type or that hide the summary. */
const plainComments = (code: string): string =>
  code
    .replace(/\n *\* @example .*(?:\n *\* {3,}.*)*/g, '')
    .replace(/^( *\* )(Format: .+)\n *\* @description (.+)$/gm, '$1$3 $2.')
    .replace(/^ *\* @(constant|enum \{.+\})\n/gm, '')
    .replaceAll('@description ', '')
    .replace(/\/\*\*\n *\* (.+)\n *\*\//g, '/** $1 */')

/** Queries are not components of the document, which lists their parameters one by one. */
function queryOf(query: z.ZodType): object {
  const { $defs = {}, type, properties, required } = z.toJSONSchema(query, { io: 'input' })
  const [named] = Object.values($defs)
  return named ?? { type, properties, ...(required && { required }) }
}

const isComponents = (node: ts.Node): boolean =>
  ts.isInterfaceDeclaration(node) && node.name.text === 'components'

/** Adds `undefined` to optional properties, as zod does, for `exactOptionalPropertyTypes`. */
function orUndefined(property: ts.PropertySignature): ts.PropertySignature {
  if (!property.questionToken || !property.type) return property
  const { factory } = ts
  return factory.updatePropertySignature(
    property,
    property.modifiers,
    property.name,
    property.questionToken,
    factory.createUnionTypeNode([
      property.type,
      factory.createKeywordTypeNode(ts.SyntaxKind.UndefinedKeyword),
    ]),
  )
}
