import type { z } from 'zod'
import { HEADERS, type HeaderName } from './headers.js'
import { describe, type Side } from './json-schema.js'
import type { ComponentsObject, Reference, ResponseObject, SchemaObject } from './specification.js'

/** Collects the components that operations share. */
export interface Components {
  /**
   * Converts a zod schema to JSON Schema. Schemas with an id become components. `required` says
   * whether the value must be present as a field.
   *
   * @throws Error when two different schemas have the same id.
   */
  schema(schema: z.ZodType, side: Side): { schema: SchemaObject; required: boolean }
  /** A reference to the response `name`, which `make` creates on first use. */
  response(name: string, make: () => ResponseObject): Reference
  header(name: HeaderName): Reference
  /** All collected components, sorted by name. */
  gathered(): Omit<ComponentsObject, 'securitySchemes'>
}

export function createComponents(): Components {
  const schemas: ComponentsObject['schemas'] = {}
  const responses: ComponentsObject['responses'] = {}
  const headers: ComponentsObject['headers'] = {}
  return {
    schema(zodSchema, side) {
      const { schema, required, definitions } = describe(zodSchema, side)
      for (const [id, definition] of Object.entries(definitions)) {
        const known = schemas[id]
        if (known && JSON.stringify(known) !== JSON.stringify(definition)) {
          throw new Error(
            `Two schemas are called ${id}, or its input differs from its output. Give each an id.`,
          )
        }
        schemas[id] = definition
      }
      return { schema, required }
    },
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
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)))
}
