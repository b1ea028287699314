import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyring, decodeBase64url, parseKeyring, seal, unseal } from './keyring.js'

const key = (): string => randomBytes(32).toString('base64url')

describe('parseKeyring', () => {
  it('reads one key or several', () => {
    expect(parseKeyring(key()).secrets).toHaveLength(1)
    expect(parseKeyring(` ${key()} , ${key()},`).secrets).toHaveLength(2)
  })

  it.each([undefined, '', ' , '])('says that it is missing: %j', (value) => {
    expect(() => parseKeyring(value)).toThrow(
      /NETSCRIPT_AUTH_KV_OAUTH_KEY is not set.*Make one with/,
    )
  })

  it.each([
    'short',
    randomBytes(31).toString('base64url'),
    randomBytes(33).toString('base64url'),
    `${key()}=`,
    randomBytes(32).toString('hex'),
    `${'A'.repeat(42)}B`,
  ])('refuses %s without repeating it', (value) => {
    expect(() => parseKeyring(value)).toThrow(/NETSCRIPT_AUTH_KV_OAUTH_KEY must be 32 bytes/)
    expect(() => parseKeyring(value)).not.toThrow(new RegExp(value.slice(0, 12)))
  })

  it('names the key that is wrong by its place', () => {
    expect(() => parseKeyring(`${key()},wrong`)).toThrow(/key 2 of NETSCRIPT_AUTH_KV_OAUTH_KEY/)
  })
})

describe('seal', () => {
  const ring = createKeyring([randomBytes(32)])

  it('opens to what was sealed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, boundTo) => {
        const sealed = seal(ring, 'provider-tokens', boundTo, text)
        expect(unseal(ring, 'provider-tokens', boundTo, sealed)).toBe(text)
      }),
    )
  })

  it('opens nowhere else: not for another id, purpose or key', () => {
    const sealed = seal(ring, 'provider-tokens', 'id', 'text')
    expect(unseal(ring, 'provider-tokens', 'other', sealed)).toBeUndefined()
    expect(unseal(ring, 'sign-in-transaction', 'id', sealed)).toBeUndefined()
    expect(
      unseal(createKeyring([randomBytes(32)]), 'provider-tokens', 'id', sealed),
    ).toBeUndefined()
  })

  it('does not open when any byte is changed, cut or added', () => {
    const bytes = Buffer.from(seal(ring, 'provider-tokens', 'id', 'text'), 'base64url')
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes)
      changed[at] = changed[at]! ^ 1
      expect(unseal(ring, 'provider-tokens', 'id', changed.toString('base64url'))).toBeUndefined()
      const cut = bytes.subarray(0, at).toString('base64url')
      expect(unseal(ring, 'provider-tokens', 'id', cut)).toBeUndefined()
    }
    const longer = Buffer.concat([bytes, Buffer.of(0)]).toString('base64url')
    expect(unseal(ring, 'provider-tokens', 'id', longer)).toBeUndefined()
  })

  it('opens with any key of the ring, and seals with the first', () => {
    const [old, fresh] = [randomBytes(32), randomBytes(32)]
    const sealed = seal(createKeyring([old]), 'provider-tokens', 'id', 'text')
    const rotated = createKeyring([fresh, old])
    expect(unseal(rotated, 'provider-tokens', 'id', sealed)).toBe('text')
    const resealed = seal(rotated, 'provider-tokens', 'id', 'text')
    expect(unseal(createKeyring([fresh]), 'provider-tokens', 'id', resealed)).toBe('text')
  })
})

describe('decodeBase64url', () => {
  it('takes canonical, unpadded text only', () => {
    expect(decodeBase64url('AAA')).toHaveLength(2)
    for (const text of ['AAB', 'AA=', 'A', 'AA+A', 'AA/A', ' AAA', 'AAA\n']) {
      expect(decodeBase64url(text), text).toBeUndefined()
    }
  })
})
