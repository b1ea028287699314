// Names are those of the OpenAPI Specification. Descriptions are CommonMark.

/** A JSON Schema 2020-12 object, as used by OpenAPI 3.1. */
export type SchemaObject = Record<string, unknown>

/** A reference into `components`. */
export interface ReferenceObject {
  $ref: string
}

/** A named example of a body. */
export interface ExampleObject {
  summary: string
  value: unknown
}

/** A body in one media type. */
export interface MediaTypeObject {
  schema: SchemaObject
  /** Examples by name. @default the example of the schema */
  examples?: Record<string, ExampleObject>
  /** How lists are serialized in a form, by field. */
  encoding?: Record<string, { style: 'form'; explode: boolean }>
}

/** A response header. */
export interface HeaderObject {
  description: string
  required?: boolean
  schema: SchemaObject
  example?: unknown
}

/** A response of an operation. */
export interface ResponseObject {
  description: string
  headers: Record<string, HeaderObject | ReferenceObject>
  content?: Record<string, MediaTypeObject>
}

/** A path or query parameter. */
export interface ParameterObject {
  name: string
  in: 'path' | 'query'
  description?: string
  required: boolean
  schema: SchemaObject
  example?: unknown
}

/** A request body. */
export interface RequestBodyObject {
  description?: string
  required: boolean
  content: Record<string, MediaTypeObject>
}

/** One method of one path. */
export interface OperationObject {
  /** The route key. */
  operationId: string
  tags: string[]
  summary?: string
  description?: string
  deprecated?: boolean
  /** Alternatives; each lists required scopes and roles by security scheme. Empty: no credential. */
  security: Record<string, string[]>[]
  parameters?: ParameterObject[]
  requestBody?: RequestBodyObject
  responses: Record<string, ResponseObject | ReferenceObject>
}

/** How a caller authenticates. */
export type SecuritySchemeObject =
  | {
      type: 'apiKey'
      in: 'cookie'
      name: string
      description: string
    }
  | {
      type: 'http'
      scheme: 'bearer'
      /** The token format: `JWT`. */
      bearerFormat?: string
      description: string
    }

/** The reusable parts of the document. */
export interface ComponentsObject {
  schemas: Record<string, SchemaObject>
  /** Responses by a name composed of their error codes. */
  responses: Record<string, ResponseObject>
  headers: Record<string, HeaderObject>
  /** Security schemes by the name that `security` refers to. */
  securitySchemes: Record<string, SecuritySchemeObject>
}

/** Metadata of the API. */
export interface InfoObject {
  /** The name of the API. */
  title: string
  /** The version of the API. */
  version: string
  /** One sentence. */
  summary?: string
  /** CommonMark. */
  description?: string
  /** `identifier` is an SPDX license identifier. */
  license?: { name: string; identifier: string }
}

/** The parts of an OpenAPI 3.1.0 document that this service uses (OpenAPI Specification 4.8). */
export interface OpenApiDocument {
  /** The version of the OpenAPI Specification. */
  openapi: '3.1.0'
  /** Metadata of the API. */
  info: InfoObject
  /** Base URLs of the API. */
  servers: { url: string; description: string }[]
  /** The tags, in order. */
  tags: { name: string; description: string }[]
  /** Operations by path and lower-case method. */
  paths: Record<string, Record<string, OperationObject>>
  /** The reusable parts of the document. */
  components: ComponentsObject
}
