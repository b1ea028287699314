import { readFileSync } from 'node:fs'

/** The part of JSON Schema that the document uses. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly schema: Schema
}

interface ResponseObject {
  readonly $ref?: string
  readonly content?: Readonly<Record<string, unknown>>
}

interface OperationObject {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: Schema }>> }
  readonly responses: Readonly<Record<string, ResponseObject>>
}

/** The OpenAPI document of the contract. */
export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>
}

/** Reads the committed document. */
export function readDocument(): OpenApiDocument {
  const file = new URL('../../../../openapi/auth.v1.json', import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as OpenApiDocument
}

/** A declared answer: its media types, and where each has its schema, as a JSON pointer. */
export interface DeclaredAnswer {
  readonly schemas: ReadonlyMap<string, string>
}

/** One route of the document. */
export interface Operation {
  readonly id: string
  readonly method: string
  /** With its parameters in braces. */
  readonly path: string
  readonly pathParameters: readonly Parameter[]
  readonly queryParameters: readonly Parameter[]
  /** The schema of the body by media type; empty when none is declared. */
  readonly bodies: ReadonlyMap<string, Schema>
  readonly answers: ReadonlyMap<number, DeclaredAnswer>
}

/** The operations of a document, references to schemas and responses resolved. */
export function readOperations(document: OpenApiDocument): readonly Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): Operation => {
      const { parameters = [], requestBody } = operation
      const at = `#/paths/${escape(path)}/${method}/responses`
      return {
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        pathParameters: parameters.filter((parameter) => parameter.in === 'path'),
        queryParameters: parameters.filter((parameter) => parameter.in === 'query'),
        bodies: new Map(
          Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => [
            type,
            resolveSchema(document, schema),
          ]),
        ),
        answers: new Map(
          Object.entries(operation.responses).map(([status, response]) => [
            Number(status),
            declaredAnswer(document, response, `${at}/${status}`),
          ]),
        ),
      }
    }),
  )
}

function declaredAnswer(
  document: OpenApiDocument,
  response: ResponseObject,
  pointer: string,
): DeclaredAnswer {
  if (response.$ref !== undefined) {
    const referred = lookUp(document, response.$ref) as ResponseObject
    return declaredAnswer(document, referred, response.$ref)
  }
  const types = Object.keys(response.content ?? {})
  return {
    schemas: new Map(types.map((type) => [type, `${pointer}/content/${escape(type)}/schema`])),
  }
}

/** A schema with the references of its own members followed. */
export function resolveSchema(document: OpenApiDocument, schema: Schema): Schema {
  if (schema.$ref !== undefined) {
    return resolveSchema(document, lookUp(document, schema.$ref) as Schema)
  }
  const { properties, items } = schema
  return {
    ...schema,
    ...(items && { items: resolveSchema(document, items) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, member]) => [name, resolveSchema(document, member)]),
      ),
    }),
  }
}

function lookUp(document: OpenApiDocument, reference: string): unknown {
  let found: unknown = document
  for (const part of reference.split('/').slice(1)) {
    found = (found as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return found
}

const escape = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1')
