import type { OpenApiDocument, OperationObject, SecuritySchemeObject } from '../specification.js'
import { operationChanges } from './operations.js'

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
