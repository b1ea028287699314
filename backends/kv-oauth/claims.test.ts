import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ALLOWED_CLAIMS, cleanText, cutClaims } from './claims.js'

/** Characters that Postgres rejects in jsonb, in keys and values. */
const REFUSED = /[\0\p{Surrogate}]/u

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => [key, ...texts(item)])
}

const anyText = fc.string({ unit: 'binary' })
const badText = fc
  .array(fc.oneof(fc.constantFrom('\0', '\ud800', '\udc00', '😀', 'a'), anyText))
  .map((parts) => parts.join(''))
const anyClaims = fc.dictionary(
  fc.oneof(
    fc.constantFrom<string>(...ALLOWED_CLAIMS),
    fc.constantFrom('nonce', 'at_hash'),
    badText,
  ),
  fc.anything({ key: badText, values: [badText, fc.double(), fc.boolean(), fc.constant(null)] }),
)

describe('cutClaims', () => {
  it('keeps only claims of the allow-list', () => {
    const raw = {
      sub: 'ada',
      email: 'ada@example.org',
      nonce: 'n',
      at_hash: 'h',
      access_token: 't',
    }
    expect(cutClaims(raw).claims).toEqual({ sub: 'ada', email: 'ada@example.org' })
  })

  it('does not read inherited members', () => {
    expect(
      cutClaims(Object.create({ name: 'inherited' }) as Record<string, unknown>).claims,
    ).toEqual({})
  })

  it('cleans text deeply, keys too', () => {
    const raw = { name: 'A\0d\ud800a 😀', roles: [{ 'k\0': ['\udc00x'] }] }
    expect(cutClaims(raw).claims).toEqual({ name: 'Ada 😀', roles: [{ k: ['x'] }] })
  })

  it('keeps a claim that is not a list completely or not at all', () => {
    const raw = {
      name: 'x'.repeat(1025),
      roles: { a: { b: { c: { d: 1 } } } },
      nickname: 'x'.repeat(1024),
      amr: ['pwd', 'otp'],
      locale: null,
    }
    expect(cutClaims(raw)).toEqual({
      claims: { nickname: 'x'.repeat(1024), amr: ['pwd', 'otp'] },
      cut: ['name', 'roles'],
    })
  })

  it.each<[string, unknown[], unknown[] | undefined]>([
    [
      'the first 100 of 101',
      Array.from({ length: 101 }, (_, n) => `${n}`),
      Array.from({ length: 100 }, (_, n) => `${n}`),
    ],
    ['no text that is too long', ['a', 'x'.repeat(1025), 'b'], ['a', 'b']],
    ['no list in lists in lists', [[[['a']]], 'b'], ['b']],
    [
      'as many as fit',
      Array.from({ length: 100 }, () => 'x'.repeat(90)),
      Array.from({ length: 43 }, () => 'x'.repeat(90)),
    ],
    ['nothing of a list without an item that fits', ['x'.repeat(1025)], undefined],
  ])('keeps of a list %s', (_what, groups, kept) => {
    expect(cutClaims({ sub: 'ada', groups })).toEqual({
      claims: { sub: 'ada', ...(kept && { groups: kept }) },
      cut: ['groups'],
    })
  })

  it('cuts nothing that fits, and keeps empty lists', () => {
    const raw = { sub: 'ada', groups: [], roles: ['a'], name: undefined, locale: null }
    expect(cutClaims(raw)).toEqual({
      claims: { sub: 'ada', groups: [], roles: ['a'] },
      cut: [],
    })
  })

  it('drops email_verified together with a dropped e-mail address', () => {
    const raw = { sub: 'ada', email: `${'a'.repeat(60)}@example.org`, email_verified: true }
    expect(cutClaims(raw, 60).claims).toEqual({ sub: 'ada' })
  })

  it('does not set a prototype through a key', () => {
    const raw = JSON.parse('{"roles":{"__proto__":{"admin":true}},"name":"Ada"}') as object
    expect(cutClaims({ ...raw }).claims).toEqual({ name: 'Ada' })
  })

  it('drops the largest claims first', () => {
    const raw = { sub: 'ada', name: 'n'.repeat(40), groups: ['g'.repeat(60)], email: 'a@b.c' }
    expect(cutClaims(raw, 100).claims).toEqual({ sub: 'ada', name: 'n'.repeat(40), email: 'a@b.c' })
    expect(cutClaims(raw, 60).claims).toEqual({ sub: 'ada', email: 'a@b.c' })
    expect(cutClaims(raw, 2).claims).toEqual({})
  })

  it('uses the byte limit exactly', () => {
    const raw = { sub: 'ada', name: 'Ada 😀' }
    const bytes = Buffer.byteLength(JSON.stringify(raw))
    expect(cutClaims(raw, bytes).claims).toEqual(raw)
    expect(cutClaims(raw, bytes - 1).claims).toEqual({ sub: 'ada' })
  })

  it('always fits the limit and is always valid jsonb', () => {
    fc.assert(
      fc.property(anyClaims, fc.integer({ min: 2, max: 300 }), (raw, maxBytes) => {
        const { claims } = cutClaims(raw, maxBytes)
        const json = JSON.stringify(claims)
        expect(Buffer.byteLength(json)).toBeLessThanOrEqual(maxBytes)
        expect(texts(claims).filter((text) => REFUSED.test(text))).toEqual([])
        expect(Object.keys(claims).every((name) => Object.hasOwn(raw, name))).toBe(true)
        expect(cutClaims(JSON.parse(json) as Record<string, unknown>, maxBytes)).toEqual({
          claims: JSON.parse(json) as unknown,
          cut: [],
        })
      }),
    )
  })
})

describe('cleanText', () => {
  it('removes only what Postgres rejects', () => {
    fc.assert(
      fc.property(badText, (text) => {
        const cleaned = cleanText(text)
        expect(REFUSED.test(cleaned)).toBe(false)
        expect(cleaned).toBe([...text].filter((char) => !REFUSED.test(char)).join(''))
      }),
    )
  })
})
