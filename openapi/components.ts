import { z } from 'zod'
import { HEADERS, type HeaderName } from './headers.js'
import type { ComponentsObject, Reference, ResponseObject, SchemaObject } from './specification.js'

/** Which side of a schema goes over the wire: a request carries its input, a response its output. */
export type Side = 'input' | 'output'

/** Gathers what operations share, so that it is written once and pointed to. */
export interface Components {
  /** The JSON Schema of a zod schema; schemas with an id become components. */
  schema(schema: z.ZodType, side: Side): SchemaObject
  /** As {@link Components.schema}, with whether the value may be left out. */
  field(schema: z.ZodType, side: Side): { schema: SchemaObject; required: boolean }
  /** The component that a reference points to; other schemas are returned as they are. */
  resolve(schema: SchemaObject): SchemaObject
  /** A response under `name`, made when it is asked for the first time. */
  response(name: string, make: () => ResponseObject): Reference
  header(name: HeaderName): Reference
  /** All that was gathered, sorted by name. */
  gathered(): Omit<ComponentsObject, 'securitySchemes'>
}

const SCHEMAS = '#/components/schemas/'

/** The name behind a reference to a schema. */
export const schemaName = (schema: SchemaObject): string | undefined =>
  typeof schema.$ref === 'string' ? schema.$ref.slice(SCHEMAS.length) : undefined

/** An empty {@link Components}. */
export function createComponents(): Components {
  const schemas: Record<string, SchemaObject> = {}
  const responses: Record<string, ResponseObject> = {}
  const headers: ComponentsObject['headers'] = {}

  const components: Components = {
    schema: (schema, side) => components.field(schema, side).schema,
    field(schema, side) {
      // Inside an object zod points to a schema with an id; at the root it may copy it.
      const { properties, required, $defs } = toJsonSchema(z.object({ value: schema }), side)
      for (const [name, definition] of Object.entries(($defs ?? {}) as typeof schemas)) {
        keep(schemas, name, definition)
      }
      // Unions look their members up, so they follow once all are known.
      for (const definition of Object.values(schemas)) discriminate(definition, components)
      const value = (properties as { value: SchemaObject }).value
      discriminate(value, components)
      return { schema: value, required: Array.isArray(required) && required.includes('value') }
    },
    resolve: (schema) => schemas[schemaName(schema) ?? ''] ?? schema,
    response(name, make) {
      responses[name] ??= make()
      return { $ref: `#/components/responses/${name}` }
    },
    header(name) {
      headers[name] = HEADERS[name]
      return { $ref: `#/components/headers/${name}` }
    },
    gathered: () => ({
      schemas: sorted(schemas),
      responses: sorted(responses),
      headers: sorted(headers),
    }),
  }
  return components
}

function keep(schemas: Record<string, SchemaObject>, name: string, definition: SchemaObject): void {
  const known = schemas[name]
  if (known) discriminated.delete(known)
  schemas[name] = definition
}
