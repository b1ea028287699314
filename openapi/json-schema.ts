import { z } from 'zod'
import type { SchemaObject } from './specification.js'

/** Requests are described by the input of a schema, responses by its output. */
export type Side = 'input' | 'output'

export const SCHEMAS = '#/components/schemas/'

/** A JSON Schema and the schemas that it references. */
export interface Described {
  schema: SchemaObject
  /** Whether the value must be present as a field of an object. */
  required: boolean
  /** All referenced schemas, by id. */
  definitions: Record<string, SchemaObject>
}

/** Converts a zod schema to JSON Schema with references to components. */
export function describe(schema: z.ZodType, side: Side): Described {
  // Wrapped in a field, a schema with an id is always referenced; at the root zod may inline it.
  const { properties, required, $defs } = z.toJSONSchema(z.object({ value: schema }), {
    io: side,
    target: 'draft-2020-12',
    override: ({ zodSchema, jsonSchema }) => tidy(zodSchema, jsonSchema as SchemaObject),
  }) as unknown as {
    properties: { value: SchemaObject }
    required?: string[]
    $defs?: Record<string, SchemaObject>
  }
  const definitions = $defs ?? {}
  return {
    schema: relocate(properties.value, definitions),
    required: required?.includes('value') ?? false,
    definitions: Object.fromEntries(
      Object.entries(definitions).map(([id, node]) => [id, relocate(node, definitions)]),
    ),
  }
}

/** Removes keywords that zod adds but the API does not promise. */
function tidy(zodSchema: z.core.$ZodTypes, node: SchemaObject): void {
  const { def } = zodSchema._zod
  // Only strict objects forbid unknown fields; a later v1 may add fields to the others.
  if (def.type === 'object' && def.catchall === undefined) delete node.additionalProperties
  if (def.type === 'record') delete node.propertyNames
  if (Number.isInteger(node.const)) node.type = 'integer'
  // OpenAPI 3.0 tools ignore const; without enum they could not tell `true` and `false` variants apart.
  if ('const' in node) node.enum = [node.const]
  if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum
  if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum
  // The pattern repeats the format and is very long.
  if (node.format === 'date-time') delete node.pattern
  if (node.format === 'starts_with' || node.format === 'ends_with') delete node.format
}

const VALUES = new Set(['const', 'default', 'enum', 'examples'])

/** Rewrites references to components, and adds discriminators to unions. */
function relocate(node: SchemaObject, definitions: Record<string, SchemaObject>): SchemaObject {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit)
    if (typeof value !== 'object' || value === null) return value
    return relocate(value as SchemaObject, definitions)
  }
  const { anyOf, ...rest } = node
  const discriminator = discriminatorOf(anyOf ?? node.oneOf, definitions)
  const union = discriminator ? { ...rest, oneOf: anyOf ?? node.oneOf } : node
  const entries = Object.entries(union).map(([key, value]): [string, unknown] => {
    if (key === '$ref') return [key, String(value).replace('#/$defs/', SCHEMAS)]
    return [key, VALUES.has(key) ? value : visit(value)]
  })
  return { ...Object.fromEntries(entries), ...(discriminator && { discriminator }) }
}

/**
 * The discriminator of a union of components: a field with a different constant string in each
 * member (OpenAPI Specification 4.8.25). A union on a boolean has none: mapping keys are strings.
 */
function discriminatorOf(
  members: unknown,
  definitions: Record<string, SchemaObject>,
): { propertyName: string; mapping: Record<string, string> } | undefined {
  if (!Array.isArray(members)) return undefined
  const ids = (members as SchemaObject[]).map(({ $ref }) => String($ref).replace('#/$defs/', ''))
  const constants = ids.map((id) => constantsOf(definitions[id] ?? {}))
  const propertyName = Object.keys(constants[0] ?? {})
    .sort((a, b) => Number(b === 'code') - Number(a === 'code'))
    .find(
      (name) =>
        new Set(constants.map((one) => one[name] ?? '')).size === ids.length &&
        constants.every((one) => name in one),
    )
  if (propertyName === undefined) return undefined
  return {
    propertyName,
    mapping: Object.fromEntries(
      ids.map((id, index) => [constants[index]?.[propertyName] ?? '', SCHEMAS + id]),
    ),
  }
}

/** The fields of an object that are constant strings. */
function constantsOf({ properties = {} }: SchemaObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties as Record<string, SchemaObject>).flatMap(([name, field]) =>
      typeof field.const === 'string' ? [[name, field.const]] : [],
    ),
  )
}
