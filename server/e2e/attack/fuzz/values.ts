import fc, { type Arbitrary } from 'fast-check'
import { EVIL } from '../../../attack/target.js'
import type { Schema } from './document.js'

const NASTY = [
  '',
  ' ',
  '0',
  'null',
  'true',
  '\0',
  '\r\n',
  '\ufeff',
  '\ud800',
  '\u202e',
  '🧨',
  '%',
  '%00',
  '%2f',
  '%E0%A4%A',
  "' OR 1=1 --",
  '$(id)',
  '{{7*7}}',
  '<script>attack(1)</script>',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  '/',
  '//',
  `//${EVIL}`,
  `https://${EVIL}`,
  'javascript:attack(1)',
  '/\\',
  '/welcome',
  'openid',
  'local',
  '9007199254740993',
  'a'.repeat(300),
  'a'.repeat(2_100),
]

/** Text that parsers and stores often mishandle. */
export const wildText: Arbitrary<string> = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'binary', maxLength: 24 }),
  fc.string({ unit: 'grapheme', maxLength: 24 }),
  fc.string({ maxLength: 64 }),
)

/** A value that mostly matches a schema, and sometimes does not. */
export function valueFor(schema: Schema): Arbitrary<unknown> {
  return fc.oneof(
    { weight: 6, arbitrary: rightValue(schema) },
    { weight: 2, arbitrary: edgeValue(schema) },
    { weight: 1, arbitrary: wildText },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  )
}

function rightValue(schema: Schema): Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  switch (schema.type) {
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer()
    case 'number':
      return fc.double()
    case 'array':
      return fc.array(valueFor(schema.items ?? {}), {
        maxLength: Math.min(schema.maxItems ?? 5, 5),
      })
    case 'object':
      return objectFor(schema)
    case 'string':
      return rightText(schema)
    default:
      return fc.jsonValue({ maxDepth: 1 })
  }
}

function rightText({ pattern, minLength = 0, maxLength = 64 }: Schema): Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { size: 'small' })
  return fc.oneof(
    fc.string({ minLength, maxLength: Math.min(maxLength, 64) }),
    wildText.filter(({ length }) => length >= minLength && length <= maxLength),
  )
}

/** Boundary values: just below, at and above what a schema allows. */
function edgeValue({
  type,
  minLength = 0,
  maxLength,
  maxItems,
  items,
}: Schema): Arbitrary<unknown> {
  if (type === 'array') {
    const lengths = maxItems === undefined ? [0, 1] : [0, maxItems, maxItems + 1]
    return fc
      .tuple(fc.constantFrom(...lengths), rightValue(items ?? {}))
      .map(([length, item]) => Array.from({ length }, () => item))
  }
  if (type !== 'string') return fc.constantFrom(null, -1, 1e21, '', [], {})
  const lengths = [minLength - 1, minLength, ...(maxLength ? [maxLength, maxLength + 1] : [])]
  return fc
    .tuple(fc.constantFrom(...lengths), fc.constantFrom('a', '/', '%', '\u00e9'))
    .map(([length, char]) => char.repeat(Math.max(length, 0)))
}

/** Some of the members of a schema, and some that it does not have. */
export function objectFor({ properties = {} }: Schema): Arbitrary<Record<string, unknown>> {
  const declared = fc.record(
    Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name, valueFor(schema)]),
    ),
    { requiredKeys: [] },
  )
  const others = fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.dictionary(wildText, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }),
    },
  )
  return fc.tuple(others, declared).map(([extra, known]) => ({ ...extra, ...known }))
}

/**
 * At most two members of a schema, all of them valid. The more members a schema has, the fewer of the
 * objects of {@link objectFor} are accepted.
 */
export function acceptableObjectFor({
  properties = {},
}: Schema): Arbitrary<Record<string, unknown>> {
  return fc
    .subarray(Object.entries(properties), {
      maxLength: Math.min(2, Object.keys(properties).length),
    })
    .chain((members) =>
      fc.record(Object.fromEntries(members.map(([name, schema]) => [name, rightValue(schema)]))),
    )
}
