import { createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AuthConfigurationError } from './errors.js'
import {
  createKeyring,
  decodeBase64url,
  type KeyPurpose,
  parseKeyring,
  seal,
  sign,
  unseal,
  verify,
} from './keyring.js'

const key = (): string => randomBytes(32).toString('base64url')

describe('parseKeyring', () => {
  it('reads one key or several', () => {
    expect(parseKeyring(key()).secrets).toHaveLength(1)
    expect(parseKeyring(` ${key()} , ${key()},`).secrets).toHaveLength(2)
  })

  it.each([undefined, '', ' , '])('throws that the variable is not set: %j', (value) => {
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
  ])('rejects %s without the key in the message', (value) => {
    expect(() => parseKeyring(value)).toThrow(
      /^NETSCRIPT_AUTH_KV_OAUTH_KEY must be 32 bytes.*Make one with/,
    )
    expect(() => parseKeyring(value)).not.toThrow(new RegExp(value.slice(0, 12)))
  })

  it('names the invalid key by its position', () => {
    expect(() => parseKeyring(`${key()},wrong`)).toThrow(/^key 2 of NETSCRIPT_AUTH_KV_OAUTH_KEY/)
    expect(() => parseKeyring('wrong', 'OTHER_KEY')).toThrow(/^OTHER_KEY must be/)
  })
})

describe('createKeyring', () => {
  const PURPOSES: KeyPurpose[] = ['session-token', 'sign-in-transaction', 'provider-tokens']
  const secrets = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]

  it('derives fixed keys by RFC 5869, which every version must agree on', () => {
    const hmac = (key: Buffer, data: string) => createHmac('sha256', key).update(data).digest()
    for (const purpose of PURPOSES) {
      expect(createKeyring(secrets).keys(purpose)).toEqual(
        secrets.map((secret) => {
          const extracted = hmac(Buffer.alloc(32), secret.toString('latin1'))
          return hmac(extracted, `netscript-auth:${purpose}:v1\u0001`)
        }),
      )
    }
  })

  it('derives each key once', () => {
    const ring = createKeyring(secrets)
    expect(ring.keys('session-token')).toBe(ring.keys('session-token'))
  })
})

describe('sign and verify', () => {
  const [one, two] = [randomBytes(32), randomBytes(32)]

  it('is HMAC-SHA-256 (RFC 4231 section 4.3)', () => {
    expect(sign(Buffer.from('Jefe'), 'what do ya want for nothing?')).toBe(
      Buffer.from(
        '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
        'hex',
      ).toString('base64url'),
    )
  })

  it('accepts a signature of any of the keys', () => {
    expect(verify([one, two], 'm', sign(one, 'm'))).toBe(true)
    expect(verify([one, two], 'm', sign(two, 'm'))).toBe(true)
  })

  it.each([
    ['a signature of another message', sign(one, 'n')],
    ['a signature of another key', sign(randomBytes(32), 'm')],
    ['an empty signature', ''],
    ['a signature with one byte too few', randomBytes(31).toString('base64url')],
    ['a signature with one byte too many', randomBytes(33).toString('base64url')],
    ['a signature with padding', `${sign(one, 'm')}=`],
  ])('rejects %s', (_name, signature) => {
    expect(verify([one, two], 'm', signature)).toBe(false)
    expect(verify([], 'm', signature)).toBe(false)
  })
})

describe('seal', () => {
  const ring = createKeyring([randomBytes(32)])

  it('opens to the sealed text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, boundTo) => {
        const sealed = seal(ring, 'provider-tokens', boundTo, text)
        expect(unseal(ring, 'provider-tokens', boundTo, sealed)).toBe(text)
      }),
      { examples: [['', '']] },
    )
  })

  it('binds the purpose and the entry as processes of every version must agree on', () => {
    const bytes = Buffer.from(seal(ring, 'provider-tokens', 'id', 'text'), 'base64url')
    const [key] = ring.keys('provider-tokens')
    const decipher = createDecipheriv('aes-256-gcm', key!, bytes.subarray(0, 12))
    decipher.setAAD(Buffer.from('provider-tokens\0id')).setAuthTag(bytes.subarray(-16))
    const opened = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
    expect(opened.toString()).toBe('text')
  })

  it('gives another ciphertext each time', () => {
    const sealed = Array.from({ length: 100 }, () => seal(ring, 'provider-tokens', 'id', 'text'))
    expect(new Set(sealed).size).toBe(100)
  })

  it.each(['', 'AAAA', 'no base64url', `${'A'.repeat(64)}=`])('does not open %j', (sealed) => {
    expect(unseal(ring, 'provider-tokens', 'id', sealed)).toBeUndefined()
  })

  it('throws for an empty keyring', () => {
    expect(() => seal(createKeyring([]), 'provider-tokens', 'id', 'text')).toThrow(
      new AuthConfigurationError('The keyring is empty.'),
    )
  })

  it('does not open for another id, purpose or key', () => {
    const sealed = seal(ring, 'provider-tokens', 'id', 'text')
    expect(unseal(ring, 'provider-tokens', 'other', sealed)).toBeUndefined()
    expect(unseal(ring, 'sign-in-transaction', 'id', sealed)).toBeUndefined()
    expect(
      unseal(createKeyring([randomBytes(32)]), 'provider-tokens', 'id', sealed),
    ).toBeUndefined()
  })

  it('does not open when any byte is changed, removed or added', () => {
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

  it('seals with the first key and opens with any', () => {
    const [old, fresh] = [randomBytes(32), randomBytes(32)]
    const sealed = seal(createKeyring([old]), 'provider-tokens', 'id', 'text')
    const rotated = createKeyring([fresh, old])
    expect(unseal(rotated, 'provider-tokens', 'id', sealed)).toBe('text')
    const resealed = seal(rotated, 'provider-tokens', 'id', 'text')
    expect(unseal(createKeyring([fresh]), 'provider-tokens', 'id', resealed)).toBe('text')
  })
})

describe('decodeBase64url', () => {
  it('accepts only canonical text without padding', () => {
    expect(decodeBase64url('AAA')).toHaveLength(2)
    for (const text of ['AAB', 'AA=', 'A', 'AA+A', 'AA/A', ' AAA', 'AAA\n']) {
      expect(decodeBase64url(text), text).toBeUndefined()
    }
  })
})
