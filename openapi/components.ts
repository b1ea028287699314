import type { z } from 'zod'
import { HEADERS, type HeaderName } from './headers.js'
import { describe, type Side } from './json-schema.js'
import type { ComponentsObject, Reference, ResponseObject, SchemaObject } from './specification.js'

/** Gathers what operations share, so that it is written once and pointed to. */
export interface Components {
  /**
   * The JSON Schema of a zod schema, and whether it must be present as a field. Schemas with an id
   * become components.
   *
   * @throws Error when two different schemas have one id.
   */
  schema(schema: z.ZodType, side: Side): { schema: SchemaObject; required: boolean }
  /** A response under `name`, made when it is asked for the first time. */
  response(name: string, make: () => ResponseObject): Reference
  header(name: HeaderName): Reference
  /** All that was gathered, sorted by name. */
  gathered(): Omit<ComponentsObject, 'securitySchemes'>
}

/** An empty {@link Components}. */
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
