/**
 * OpenAPI 3.1 documents generated from ts-rest contracts, for the authentication service and for
 * services behind its guards.
 *
 * @module
 */
export {
  createGuardedDocument,
  createOpenApiDocument,
  type GuardedDocumentOptions,
  type InfoObject,
  type OpenApiDocument,
  type OpenApiOptions,
  type TaggedContract,
} from './document.js'
export type * from './specification.js'
