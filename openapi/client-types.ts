import openapiTS, { astToString } from 'openapi-typescript'
import ts from 'typescript'
import { z } from 'zod'
import { CallbackQuery, SessionsQuery } from '@netscript/auth-contract'
import { createOpenApiDocument } from './document.js'

/** Schemas of the document that a client neither sends nor receives. */
const LEFT_OUT = /Problem$|^(PublicKey|BackChannelLogout|ProviderErrorData|ValidationErrorData)/

/**
 * Generates client/wire.ts: the types of requests and responses, so that the client depends on
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
    astToString(nodes.filter(isNeeded)).replace(
      'export interface components',
      'interface components',
    ),
  ].join('\n')
}

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
