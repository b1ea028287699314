import { z } from 'zod'
import type {
  ComponentsObject,
  HeaderObject,
  ReferenceObject,
  ResponseObject,
  SchemaObject,
} from './specification.js'

/** The response headers of the API, by their name in `components/headers`. */
const HEADERS = {
  Allow: {
    description: 'The methods allowed at this address (RFC 9110 section 10.2.1).',
    required: true,
    schema: { type: 'string' },
    example: 'GET, HEAD, OPTIONS',
  },
  CacheControl: {
    description: 'Responses about a user must not be cached.',
    required: true,
    schema: { type: 'string', const: 'no-store', enum: ['no-store'] },
    example: 'no-store',
  },
  Challenge: {
    description: 'How to authenticate (RFC 6750 section 3).',
    required: true,
    schema: { type: 'string' },
    example: 'Bearer realm="https://auth.example.com"',
  },
  Location: {
    description: 'Where the browser continues, with GET.',
    required: true,
    schema: { type: 'string', format: 'uri' },
    example: 'http://localhost:8094/',
  },
  PublicCacheControl: {
    description: 'The response is public and may be cached.',
    required: true,
    schema: {
      type: 'string',
      const: 'public, max-age=300',
      enum: ['public, max-age=300'],
    },
    example: 'public, max-age=300',
  },
  RateLimit: {
    description:
      'The remaining quota of the policy with the same name: `r` requests, `t` seconds until it resets (draft-ietf-httpapi-ratelimit-headers-08).',
    required: true,
    schema: { type: 'string' },
    example: '"signin"; r=0; t=42',
  },
  RateLimitPolicy: {
    description:
      'The quota of this route per client address: `q` requests in `w` seconds; `pk` identifies the address without revealing it.',
    required: true,
    schema: { type: 'string' },
    example: '"signin"; q=120; w=60; pk=:OTZjZGE1NTZkYzg2:',
  },
  RequestId: {
    description:
      'Identifies the request in the log of the service. A valid X-Request-Id of the request is kept.',
    schema: { type: 'string', pattern: '^[\\w-]{1,64}$' },
    example: '5d0c8a0e-6f0b-4a55-9d4e-0c0f3f1f7a52',
  },
  RetryAfter: {
    description: 'Seconds to wait before the next attempt (RFC 9110 section 10.2.3).',
    required: true,
    schema: { type: 'integer', minimum: 0 },
    example: 2,
  },
  ClearedTransaction: {
    description: 'Clears the cookie of a transaction that this failure ended.',
    schema: { type: 'string' },
    example: '__Host-ns_txn_pGm0X1uVhXo=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure',
  },
  Vary: {
    description: 'Contains Cookie: the response depends on the caller.',
    required: true,
    schema: { type: 'string' },
    example: 'Cookie',
  },
} satisfies Record<string, HeaderObject>

/** A key of {@link HEADERS}. */
type HeaderName = keyof typeof HEADERS

/** Requests are described by the input of a schema, responses by its output. */
type Side = 'input' | 'output'

export const SCHEMAS = '#/components/schemas/'

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
  response(name: string, make: () => ResponseObject): ReferenceObject
  header(name: HeaderName): ReferenceObject
  /** All collected components, sorted by name. */
  gathered(): Omit<ComponentsObject, 'securitySchemes'>
}

export function createComponents(): Components {
  const schemas: ComponentsObject['schemas'] = {}
  const responses: ComponentsObject['responses'] = {}
  const headers: ComponentsObject['headers'] = {}
  return {
    schema(zodSchema, side) {
      const { schema, required, definitions } = jsonSchemaOf(zodSchema, side)
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

/** A JSON Schema and the schemas that it references. */
interface Described {
  schema: SchemaObject
  /** Whether the value must be present as a field of an object. */
  required: boolean
  /** All referenced schemas, by id. */
  definitions: Record<string, SchemaObject>
}

/** Converts a zod schema to JSON Schema with references to components. */
function jsonSchemaOf(schema: z.ZodType, side: Side): Described {
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
