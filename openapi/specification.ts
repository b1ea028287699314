/** A JSON Schema 2020-12 object, as OpenAPI 3.1 takes it. */
export type SchemaObject = Record<string, unknown>

/** A pointer into `components`. */
export interface Reference {
  /** Such as `#/components/schemas/AuthUser`. */
  $ref: string
}

/** A named example of a body. */
export interface ExampleObject {
  /** A few words. */
  summary: string
  /** The body. */
  value: unknown
}

/** A body in one media type. */
export interface MediaTypeObject {
  /** What the body is. */
  schema: SchemaObject
  /** By name. Default: that of the schema. */
  examples?: Record<string, ExampleObject>
  /** How lists are written in a form, by field. */
  encoding?: Record<string, { style: 'form'; explode: boolean }>
}

/** A response header. */
export interface HeaderObject {
  /** CommonMark. */
  description: string
  /** Whether it is always there. Default: false. */
  required?: boolean
  /** What its value is. */
  schema: SchemaObject
  /** A value. */
  example?: unknown
}

/** A response of an operation. */
export interface ResponseObject {
  /** CommonMark. */
  description: string
  /** By name. */
  headers: Record<string, HeaderObject | Reference>
  /** Bodies by media type; absent when there is none. */
  content?: Record<string, MediaTypeObject>
}

/** A path or query parameter. */
export interface ParameterObject {
  /** As it is sent. */
  name: string
  /** Where it is sent. */
  in: 'path' | 'query'
  /** CommonMark. */
  description?: string
  /** Whether a request must have it. */
  required: boolean
  /** What its value is. */
  schema: SchemaObject
  /** A value. */
  example?: unknown
}

/** A request body. */
export interface RequestBodyObject {
  /** CommonMark. */
  description?: string
  /** Whether a request must have one. */
  required: boolean
  /** Bodies by media type. */
  content: Record<string, MediaTypeObject>
}

/** One method of one path. */
export interface OperationObject {
  /** The key of the route. */
  operationId: string
  /** The groups that it stands in. */
  tags: string[]
  /** A few words. */
  summary?: string
  /** CommonMark. */
  description?: string
  /** Default: false. */
  deprecated?: boolean
  /** Any one of these is enough: scopes and roles by security scheme. Empty for everybody. */
  security: Record<string, string[]>[]
  /** In the path and the query; absent when there are none. */
  parameters?: ParameterObject[]
  /** Absent when none is taken. */
  requestBody?: RequestBodyObject
  /** By status. */
  responses: Record<string, ResponseObject | Reference>
}

/** How a caller says who they are. */
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
      /** What tokens look like: `JWT`. */
      bearerFormat: string
      /** CommonMark. */
      description: string
    }

/** What operations point to. */
export interface ComponentsObject {
  /** By the id of the schema. */
  schemas: Record<string, SchemaObject>
  /** By a name made of their codes. */
  responses: Record<string, ResponseObject>
  /** By name. */
  headers: Record<string, HeaderObject>
  /** By the name that `security` uses. */
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
