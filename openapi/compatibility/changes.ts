import type {
  HeaderObject,
  MediaTypeObject,
  OpenApiDocument,
  OperationObject,
  ParameterObject,
  ReferenceObject,
  ResponseObject,
  SecuritySchemeObject,
} from '../specification.js'
import { type Direction, schemaChanges } from './schemas.js'

/** A change that may break a client of the released document. */
export interface BreakingChange {
  /** The method and the path, or the name of a security scheme. */
  where: string
  what: string
}

/**
 * The breaking changes between a released document and another: removed parts, new requirements for
 * requests, and new possible values in responses. Descriptions, examples, the sharing of schemas and
 * the names of path parameters are ignored.
 */
export function breakingChanges(
  released: OpenApiDocument,
  current: OpenApiDocument,
): BreakingChange[] {
  const now = operationsOf(current)
  const ofOperations = [...operationsOf(released)].flatMap(([key, { label, operation }]) => {
    const found = now.get(key)
    const changes = found
      ? operationChanges({ released: operation, current: found.operation }, { released, current })
      : ['the route is gone']
    return changes.map((what) => ({ where: label, what }))
  })
  return [...ofOperations, ...credentialChanges(released, current)]
}

function operationsOf({ paths }: OpenApiDocument) {
  return new Map(
    Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]): [string, Named] => [
        `${method} ${path.replace(/\{\w+\}/g, '{}')}`,
        { label: `${method.toUpperCase()} ${path}`, operation },
      ]),
    ),
  )
}

interface Named {
  label: string
  operation: OperationObject
}

const placeOf = (scheme: SecuritySchemeObject): string =>
  'in' in scheme ? `the ${scheme.in} ${scheme.name}` : `the ${scheme.scheme} credential`

/** Security schemes that were removed, or are sent in another place. */
function credentialChanges(released: OpenApiDocument, current: OpenApiDocument): BreakingChange[] {
  return Object.entries(released.components.securitySchemes).flatMap(([where, scheme]) => {
    const found = current.components.securitySchemes[where]
    if (found && placeOf(found) === placeOf(scheme)) return []
    return [{ where, what: `was ${placeOf(scheme)}, and is not any more` }]
  })
}

/** The documents that the compared operations belong to. */
interface Documents {
  released: OpenApiDocument
  current: OpenApiDocument
}

/** The released and the current version of an item. */
interface Change<T> {
  released: T
  current: T
}

/** The breaking changes of an operation. */
function operationChanges(
  { released, current }: Change<OperationObject>,
  documents: Documents,
): string[] {
  return [
    ...(released.operationId === current.operationId
      ? []
      : [`clients know it as ${released.operationId}, it is ${current.operationId} now`]),
    ...securityChanges({ released, current }),
    ...parameterChanges({ released, current }, documents),
    ...requestChanges({ released, current }, documents),
    ...responseChanges({ released, current }, documents),
  ]
}

/** Every accepted set of credentials must still be accepted: a current alternative asks for no more. */
function securityChanges({ released, current }: Change<OperationObject>): string[] {
  const waysIn = (operation: OperationObject): string[][] =>
    operation.security.length > 0 ? operation.security.map(Object.keys) : [[]]
  const isStillIn = (schemes: string[]): boolean =>
    waysIn(current).some((asked) => asked.every((scheme) => schemes.includes(scheme)))
  return waysIn(released)
    .filter((schemes) => !isStillIn(schemes))
    .map((schemes) => `${schemes.join(' and ') || 'no credential'} is no longer enough`)
}

/** Path parameters are identified by position, others by name. */
function parametersOf({ parameters = [] }: OperationObject): Map<string, ParameterObject> {
  const inPath = parameters.filter((parameter) => parameter.in === 'path')
  return new Map(
    parameters.map((parameter) => [
      parameter.in === 'path'
        ? `path parameter ${inPath.indexOf(parameter) + 1}`
        : `${parameter.in} parameter ${parameter.name}`,
      parameter,
    ]),
  )
}

function parameterChanges(operations: Change<OperationObject>, documents: Documents): string[] {
  const released = parametersOf(operations.released)
  return [
    ...[...released.keys()]
      .filter((key) => !parametersOf(operations.current).has(key))
      .map((key) => `${key} is gone`),
    ...[...parametersOf(operations.current)].flatMap(([key, parameter]) => {
      const before = released.get(key)
      if (!before) return parameter.required ? [`${key} is new and required`] : []
      return [
        ...(parameter.required && !before.required ? [`${key} is required now`] : []),
        ...compare('request', { released: before, current: parameter }, documents, key),
      ]
    }),
  ]
}

function requestChanges(
  { released: { requestBody: before }, current: { requestBody: now } }: Change<OperationObject>,
  documents: Documents,
): string[] {
  if (!before) return now?.required ? ['the request body is new and required'] : []
  if (!now) return ['the request body is gone']
  return [
    ...(now.required && !before.required ? ['the request body is required now'] : []),
    ...contentChanges('request', { released: before, current: now }, documents, 'request'),
  ]
}

function responseChanges(operations: Change<OperationObject>, documents: Documents): string[] {
  const { released, current } = operations
  const isNewSuccess = (status: string): boolean =>
    !(status in released.responses) && !/^[45]/.test(status)
  return [
    // New errors are compatible: clients treat an unknown status by its class (RFC 9110 section 15).
    ...Object.keys(current.responses)
      .filter(isNewSuccess)
      .map((status) => `status ${status} is new, and no error`),
    ...Object.entries(released.responses).flatMap(([status, response]) => {
      const now = current.responses[status]
      if (!now) return [`status ${status} is gone`]
      const both = {
        released: resolve(response, documents.released.components.responses),
        current: resolve(now, documents.current.components.responses),
      }
      return [
        ...contentChanges('response', both, documents, `status ${status}`),
        ...headerChanges(both, documents, `status ${status}`),
      ]
    }),
  ]
}

function headerChanges(
  { released, current }: Change<ResponseObject>,
  documents: Documents,
  at: string,
): string[] {
  const headerIn = (
    document: OpenApiDocument,
    header: HeaderObject | ReferenceObject,
  ): HeaderObject => resolve(header, document.components.headers)
  return Object.entries(released.headers).flatMap(([name, header]) => {
    const where = `${at}, header ${name}`
    const found = current.headers[name]
    if (!found) return [`${where} is gone`]
    const both = {
      released: headerIn(documents.released, header),
      current: headerIn(documents.current, found),
    }
    return [
      ...(both.released.required && !both.current.required ? [`${where} may be missing now`] : []),
      ...compare('response', both, documents, where),
    ]
  })
}

interface WithContent {
  content?: Record<string, MediaTypeObject>
}

function contentChanges(
  direction: Direction,
  { released: { content: before = {} }, current: { content: now = {} } }: Change<WithContent>,
  documents: Documents,
  at: string,
): string[] {
  return Object.entries(before).flatMap(([type, media]) => {
    const found = now[type]
    const where = type === 'application/json' ? at : `${at}, ${type}`
    if (!found) return [`${at}, ${type} is gone`]
    const isEncodedAlike = JSON.stringify(media.encoding) === JSON.stringify(found.encoding)
    return [
      ...(isEncodedAlike ? [] : [`${where}: the encoding is another one`]),
      ...compare(direction, { released: media, current: found }, documents, where),
    ]
  })
}

function compare(
  direction: Direction,
  { released, current }: Change<Pick<MediaTypeObject, 'schema'>>,
  documents: Documents,
  place: string,
): string[] {
  const schemas = {
    released: documents.released.components.schemas,
    current: documents.current.components.schemas,
  }
  return schemaChanges(released.schema, current.schema, { direction, place, ...schemas })
}

/** Resolves a reference to a component; other items are returned as they are. */
function resolve<T extends object>(item: T | ReferenceObject, named: Record<string, T>): T {
  if (!('$ref' in item)) return item
  const found = named[item.$ref.split('/').at(-1) ?? '']
  if (!found) throw new Error(`${item.$ref} does not exist.`)
  return found
}
