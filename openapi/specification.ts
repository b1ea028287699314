/** A JSON Schema 2020-12 object, as OpenAPI 3.1 takes it. */
export type SchemaObject = Record<string, unknown>

/** A pointer into `components`. */
export interface Reference {
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
  examples?: Record<string, ExampleObject>
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
  headers: Record<string, HeaderObject | Reference>
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
  operationId: string
  tags: string[]
  summary?: string
  description?: string
  deprecated?: boolean
  security: Record<string, string[]>[]
  parameters?: ParameterObject[]
  requestBody?: RequestBodyObject
  responses: Record<string, ResponseObject | Reference>
}

/** How a caller says who they are. */
export type SecuritySchemeObject =
  | { type: 'apiKey'; in: 'cookie'; name: string; description: string }
  | { type: 'http'; scheme: 'bearer'; bearerFormat: string; description: string }

/** What operations point to. */
export interface ComponentsObject {
  schemas: Record<string, SchemaObject>
  responses: Record<string, ResponseObject>
  headers: Record<string, HeaderObject>
  securitySchemes: Record<string, SecuritySchemeObject>
}

/** About the API as a whole. */
export interface InfoObject {
  /** What the API is called. */
  title: string
  /** Its version, as its makers count. */
  version: string
  /** One sentence. */
  summary?: string
  /** CommonMark. */
  description?: string
  /** `identifier` is that of SPDX. */
  license?: { name: string; identifier: string }
}

/** The parts of an OpenAPI 3.1.0 document that this service uses (OpenAPI Specification 4.8). */
export interface OpenApiDocument {
  /** The version of the specification. */
  openapi: '3.1.0'
  /** About the API as a whole. */
  info: InfoObject
  /** Where it is. */
  servers: { url: string; description: string }[]
  /** The groups of operations, in their order. */
  tags: { name: string; description: string }[]
  /** Operations by path, and there by method in small letters. */
  paths: Record<string, Record<string, OperationObject>>
  /** What operations point to. */
  components: ComponentsObject
}
