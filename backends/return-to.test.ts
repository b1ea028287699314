import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createReturnToPolicy } from './return-to.js'

const OWN = 'http://localhost:8094'
const APP = 'https://app.example.com'
const policy = createReturnToPolicy(OWN, [APP])

describe('createReturnToPolicy', () => {
  it.each([
    [undefined, `${OWN}/`],
    ['/', `${OWN}/`],
    ['/a/b?c=d#e', `${OWN}/a/b?c=d#e`],
    [`${OWN}/welcome`, `${OWN}/welcome`],
    [APP, `${APP}/`],
    [`${APP}/x?next=https%3A%2F%2Fevil.example`, `${APP}/x?next=https%3A%2F%2Fevil.example`],
    ['/caf%C3%A9', `${OWN}/caf%C3%A9`],
    ['/a//', `${OWN}/a//`],
    ['HTTPS://APP.example.com/x', `${APP}/x`],
    ['/%252561', `${OWN}/%252561`],
  ])('allows %s', (target, url) => {
    expect(policy.resolve(target)).toBe(url)
  })

  it.each([
    '',
    ' /',
    'home',
    'home/at',
    'home?of=https://app.example.com',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\tevil',
    '/\n/evil.example',
    'https:evil.example',
    'http:evil.example',
    'https://evil.example',
    `${APP}.evil.example`,
    `${APP}@evil.example`,
    'https://user@app.example.com/',
    'https://:password@app.example.com/',
    'https://',
    'http://[',
    'http://app.example.com/',
    `${APP}:8443/`,
    'javascript:alert(1)',
    'data:text/html,x',
    'ftp://localhost:8094/',
    '/..//evil.example',
    '/%2F/evil.example',
    '/..%2F%2Fevil.example',
    '/%252e%252e//evil.example',
    '/%2Fevil.example/..//evil.example',
    '/%5Cevil.example',
    '/%252F%252Fevil.example',
    '/%255Cevil.example',
    '/%00',
    '/%',
    '/a%E0%A4%A',
    '/%25252561',
  ])('refuses %j', (target) => {
    expect(() => policy.resolve(target)).toThrow(
      /^RETURN_TO_NOT_ALLOWED: Use a path .* or a URL on an allowed origin/,
    )
  })

  it.each([
    ['/', 'a', 1],
    ['/', '"', 3],
    ['/', '\u20ac', 9],
    ['/?', '\u20ac', 9],
    ['/#', '\u20ac', 9],
    ['/', '\u{1f600}', 12],
    [`${APP}/`, 'a', 1],
  ])('limits %s%s to 2048 characters after encoding', (start, text, encoded) => {
    const base = new URL(start, OWN).href.length
    const fits = Math.floor((2048 - base) / encoded)
    expect(policy.resolve(start + text.repeat(fits)).length).toBeLessThanOrEqual(2048)
    expect(() => policy.resolve(start + text.repeat(fits + 1))).toThrow(/^RETURN_TO_NOT_ALLOWED/)
  })

  it('allows only its own origin by default', () => {
    const own = createReturnToPolicy(OWN)
    expect(own.default).toBe(`${OWN}/`)
    expect(own.resolve('/a')).toBe(`${OWN}/a`)
    expect(() => own.resolve(APP)).toThrow(/^RETURN_TO_NOT_ALLOWED/)
  })

  it('never resolves to another origin, however often the path is decoded', () => {
    const piece = fc.constantFrom(
      ...'/ \\ // %2f %5c %252f @ : . .. ? # \t \n evil.example localhost:8094 https: http:// %00 a'.split(
        ' ',
      ),
      '\u3002',
      '\uff0f',
      '\u0000',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        let url: string
        try {
          url = policy.resolve(pieces.join(''))
        } catch {
          return
        }
        expect([OWN, APP]).toContain(new URL(url).origin)
        let { pathname } = new URL(url)
        for (let round = 0; round < 3; round += 1) {
          expect([OWN, APP]).toContain(new URL(pathname, OWN).origin)
          pathname = decodeURIComponent(pathname)
        }
      }),
      { numRuns: 5_000 },
    )
  })
})
