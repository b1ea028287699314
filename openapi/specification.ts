/** A JSON Schema 2020-12 object, as used by OpenAPI 3.1. */
export type SchemaObject = Record<string, unknown>

/** A reference into `components`. */
export interface ReferenceObject {
  /** Such as `#/components/schemas/AuthUser`. */
  $ref: string
}

/** A named example of a body. */
export interface ExampleObject {
  /** A short title. */
  summary: string
  /** The example body. */
  value: unknown
}

/** A body in one media type. */
export interface MediaTypeObject {
  /** The schema of the body. */
  schema: SchemaObject
  /** Examples by name. @default the example of the schema */
  examples?: Record<string, ExampleObject>
  /** How lists are serialized in a form, by field. */
  encoding?: Record<string, { style: 'form'; explode: boolean }>
}

/** A response header. */
export interface HeaderObject {
  /** CommonMark. */
  description: string
  /** Whether the header is always present. @default false */
  required?: boolean
  /** The schema of the value. */
  schema: SchemaObject
  /** An example value. */
  example?: unknown
}

/** A response of an operation. */
export interface ResponseObject {
  /** CommonMark. */
  description: string
  /** Headers by name. */
  headers: Record<string, HeaderObject | ReferenceObject>
  /** Bodies by media type; absent when there is none. */
  content?: Record<string, MediaTypeObject>
}

/** A path or query parameter. */
export interface ParameterObject {
  /** The name in the URL. */
  name: string
  /** The location in the URL. */
  in: 'path' | 'query'
  /** CommonMark. */
  description?: string
  /** Whether the parameter is required. */
  required: boolean
  /** The schema of the value. */
  schema: SchemaObject
  /** An example value. */
  example?: unknown
}

/** A request body. */
export interface RequestBodyObject {
  /** CommonMark. */
  description?: string
  /** Whether the body is required. */
  required: boolean
  /** Bodies by media type. */
  content: Record<string, MediaTypeObject>
}

/** One method of one path. */
export interface OperationObject {
  /** The route key. */
  operationId: string
  /** The tags of the operation. */
  tags: string[]
  /** A short title. */
  summary?: string
  /** CommonMark. */
  description?: string
  /** @default false */
  deprecated?: boolean
  /** Alternatives; each lists required scopes and roles by security scheme. Empty: no credential. */
  security: Record<string, string[]>[]
  /** Path and query parameters; absent when there are none. */
  parameters?: ParameterObject[]
  /** Absent when the operation has no body. */
  requestBody?: RequestBodyObject
  /** Responses by status. */
  responses: Record<string, ResponseObject | ReferenceObject>
}

/** How a caller authenticates. */
export type SecuritySchemeObject =
  | {
      type: 'apiKey'
      in: 'cookie'
      /** The name of the cookie. */
      name: string
      /** CommonMark. */
      description: string
    }
  | {
      type: 'http'
      scheme: 'bearer'
      /** The token format: `JWT`. */
      bearerFormat?: string
      /** CommonMark. */
      description: string
    }

/** The reusable parts of the document. */
export interface ComponentsObject {
  /** Schemas by id. */
  schemas: Record<string, SchemaObject>
  /** Responses by a name composed of their error codes. */
  responses: Record<string, ResponseObject>
  /** Headers by name. */
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
