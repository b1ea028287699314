import { SCHEMAS } from '../components.js'
import type { SchemaObject } from '../specification.js'

/** Schemas by their name in `components/schemas`. */
type Schemas = Readonly<Record<string, SchemaObject>>

/** A request is sent by a client of the released document, a response by the current service. */
export type Direction = 'request' | 'response'

/** The context of a comparison. */
interface Comparison {
  direction: Direction
  /** The place in the document, for the report: `status 200`. */
  place: string
  released: Schemas
  current: Schemas
}

/** Keywords that do not affect which values are valid. */
const ANNOTATIONS = ['title', 'description', 'examples', 'example', 'deprecated', 'discriminator']
const LOWER_BOUNDS = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const UPPER_BOUNDS = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']
const OTHERS = ['type', 'const', 'enum', 'properties', 'required', 'additionalProperties', 'items']
const COMPARED = new Set([...ANNOTATIONS, ...LOWER_BOUNDS, ...UPPER_BOUNDS, ...OTHERS])

/** The schema of the sender must be a subset of the schema of the receiver. */
interface Pair {
  sent: SchemaObject
  expected: SchemaObject
}

/**
 * The reasons why a sent value could be invalid for the receiver. For requests the client sends by
 * the released schema and the service expects the current one; for responses it is the reverse.
 * Released fields must stay. A response may gain fields unless the released schema forbids them.
 * Keywords that this comparison does not know must not change.
 *
 * @returns sentences that start with the place and the path to the field.
 */
export function schemaChanges(
  released: SchemaObject,
  current: SchemaObject,
  comparison: Comparison,
): string[] {
  const { direction, place } = comparison
  const isRequest = direction === 'request'
  const sentSchemas = isRequest ? comparison.released : comparison.current
  const expectedSchemas = isRequest ? comparison.current : comparison.released
  const visited = new Set<string>()

  function compare(sent: SchemaObject, expected: SchemaObject, at: string): string[] {
    // Ends the recursion of schemas that contain themselves.
    const key = JSON.stringify([sent, expected])
    if (visited.has(key)) return []
    visited.add(key)
    try {
      const pair = {
        sent: resolve(sent, sentSchemas),
        expected: resolve(expected, expectedSchemas),
      }
      const [sentUnion, expectedUnion] = [unionOf(pair.sent), unionOf(pair.expected)]
      if (sentUnion) {
        const members = expectedUnion ?? [expected]
        return sentUnion.flatMap((member) => compareWithUnion(member, members, at))
      }
      if (expectedUnion) return compareWithUnion(sent, expectedUnion, at)
      const changes = valueChanges(pair, at)
      if (changes.length > 0) return changes
      return [
        ...boundChanges(pair, at),
        ...fieldChanges(pair, at),
        ...itemChanges(pair, at),
        ...otherChanges(pair, at),
      ]
    } finally {
      visited.delete(key)
    }
  }

  function compareWithUnion(sent: SchemaObject, members: SchemaObject[], at: string): string[] {
    const attempts = members.map((member) => ({ member, changes: compare(sent, member, at) }))
    if (attempts.some(({ changes }) => changes.length === 0)) return []
    const name = nameOf(sent)
    const counterpart =
      name === undefined
        ? attempts.sort((one, other) => one.changes.length - other.changes.length)[0]
        : attempts.find(({ member }) => nameOf(member) === name)
    if (counterpart) return counterpart.changes
    return [`${at}: ${name} is ${isRequest ? 'no longer taken' : 'a new kind of answer'}`]
  }

  /** A change as "was ..., is ...", in the order of the documents. */
  function moved(at: string, what: string, sent: unknown, expected: unknown): string {
    const [was, is] = isRequest ? [sent, expected] : [expected, sent]
    const say = (value: unknown): string =>
      value === undefined ? 'anything' : JSON.stringify(value)
    return `${at}: ${what} was ${say(was)}, is ${say(is)}`
  }

  function valueChanges({ sent, expected }: Pair, at: string): string[] {
    const [sentValues, expectedValues] = [valuesOf(sent), valuesOf(expected)]
    if (expectedValues) {
      const others = sentValues?.filter((value) => !expectedValues.includes(value))
      if (others?.length === 0) return []
      return [moved(at, 'the value', sentValues?.map(parse), expectedValues.map(parse))]
    }
    const [sentTypes, expectedTypes] = [typesOf(sent), typesOf(expected)]
    const isTaken = (type: string): boolean =>
      expectedTypes?.includes(type) || (type === 'integer' && !!expectedTypes?.includes('number'))
    if (!expectedTypes || sentTypes?.every(isTaken)) return []
    return [moved(at, 'the type', sent.type, expected.type)]
  }

  function boundChanges({ sent, expected }: Pair, at: string): string[] {
    if (valuesOf(sent)) return []
    const isInside = (keyword: string): boolean => {
      const [inner, outer] = [sent[keyword], expected[keyword]]
      if (outer === undefined) return true
      if (typeof inner !== 'number' || typeof outer !== 'number') return false
      return LOWER_BOUNDS.includes(keyword) ? inner >= outer : inner <= outer
    }
    return [...LOWER_BOUNDS, ...UPPER_BOUNDS]
      .filter((keyword) => !isInside(keyword))
      .map((keyword) => moved(at, keyword, sent[keyword], expected[keyword]))
  }

  function fieldChanges({ sent, expected }: Pair, at: string): string[] {
    const [sentFields, expectedFields] = [fieldsOf(sent), fieldsOf(expected)]
    const [before, now] = isRequest ? [sentFields, expectedFields] : [expectedFields, sentFields]
    const path = (name: string): string => (at === place ? `${at}, ${name}` : `${at}.${name}`)
    const gone = Object.keys(before).filter((name) => !(name in now))
    const missing = requiredOf(expected).filter(
      (name) => !requiredOf(sent).includes(name) && !gone.includes(name),
    )
    return [
      ...gone.map((name) => `${path(name)}: the field is gone`),
      ...missing.map((name) =>
        !isRequest
          ? `${path(name)}: the field may be missing now`
          : name in before
            ? `${path(name)}: the field is required now`
            : `${path(name)}: the field is new and required`,
      ),
      ...Object.entries(sentFields).flatMap(([name, field]) => {
        const counterpart = expectedFields[name]
        if (counterpart) return compare(field, counterpart, path(name))
        return name in before ? [] : furtherChanges(field, expected, path(name))
      }),
      ...furtherChanges(sent.additionalProperties ?? true, expected, path('*')),
    ]
  }

  /** Fields that the receiver's schema does not name. */
  function furtherChanges(sent: unknown, expected: SchemaObject, at: string): string[] {
    const allowed = expected.additionalProperties ?? true
    if (sent === false || allowed === true) return []
    if (allowed === false) {
      return [
        isRequest ? `${at}: the field is refused now` : `${at}: no new field was allowed here`,
      ]
    }
    return compare(sent === true ? {} : (sent as SchemaObject), allowed as SchemaObject, at)
  }

  function itemChanges({ sent, expected }: Pair, at: string): string[] {
    if (expected.items === undefined || !typesOf(sent)?.includes('array')) return []
    return compare((sent.items ?? {}) as SchemaObject, expected.items as SchemaObject, `${at}[]`)
  }

  function otherChanges({ sent, expected }: Pair, at: string): string[] {
    const isMet = (keyword: string): boolean =>
      same(sent[keyword], expected[keyword]) ||
      // A receiver without the pattern or format accepts more.
      (['pattern', 'format'].includes(keyword) &&
        (expected[keyword] === undefined || valuesOf(sent) !== undefined))
    return [...new Set([...Object.keys(sent), ...Object.keys(expected)])]
      .filter((keyword) => !COMPARED.has(keyword) && !isMet(keyword))
      .map((keyword) => moved(at, keyword, sent[keyword], expected[keyword]))
  }

  return isRequest ? compare(released, current, place) : compare(current, released, place)
}

/** Resolves a reference to a component; keywords beside `$ref` are merged. */
function resolve(schema: SchemaObject, schemas: Schemas): SchemaObject {
  const name = nameOf(schema)
  if (name === undefined) return schema
  const target = schemas[name]
  if (!target) throw new Error(`components/schemas/${name} does not exist.`)
  const { $ref: _, ...beside } = schema
  return { ...resolve(target, schemas), ...beside }
}

const nameOf = ({ $ref }: SchemaObject): string | undefined =>
  typeof $ref === 'string' ? $ref.slice(SCHEMAS.length) : undefined

const unionOf = ({ oneOf, anyOf }: SchemaObject): SchemaObject[] | undefined =>
  (oneOf ?? anyOf) as SchemaObject[] | undefined

const fieldsOf = ({ properties }: SchemaObject): Schemas => (properties ?? {}) as Schemas

const requiredOf = ({ required }: SchemaObject): string[] => (required ?? []) as string[]

/** The values of a `const` or `enum`, as JSON. */
function valuesOf(schema: SchemaObject): string[] | undefined {
  if ('const' in schema) return [JSON.stringify(schema.const)]
  return (schema.enum as unknown[] | undefined)?.map((value) => JSON.stringify(value))
}

const parse = (text: string): unknown => JSON.parse(text)

const typesOf = ({ type }: SchemaObject): string[] | undefined =>
  type === undefined ? undefined : ([type].flat() as string[])

const same = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other)
