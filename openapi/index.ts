/**
 * OpenAPI 3.1 documents from ts-rest contracts: that of this service, and those of services behind
 * its guards.
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
