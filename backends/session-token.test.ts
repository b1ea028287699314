import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { AuthConfigurationError } from './errors.js'
import { createKeyring, sign } from './keyring.js'
import type { AuthSessionCryptoPort } from './port.js'
import { createHmacSessionTokenCrypto, createKeyringSessionTokenCrypto } from './session-token.js'

const KEY = 'a'.repeat(43)
const OTHER = 'b'.repeat(43)

describe('createHmacSessionTokenCrypto', () => {
  let crypto: AuthSessionCryptoPort
  beforeEach(() => {
    crypto = createHmacSessionTokenCrypto(KEY)
  })

  it('opens an issued token to the public id, the hash of the secret', () => {
    const { token, sessionId } = crypto.issueSessionToken()
    expect(crypto.openSessionToken(token)).toBe(sessionId)
    const [secret = ''] = token.split('.')
    expect(sessionId).toBe(createHash('sha256').update(secret).digest('base64url'))
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
  })

  it('issues unique tokens', () => {
    const tokens = Array.from({ length: 1000 }, () => crypto.issueSessionToken().token)
    expect(new Set(tokens).size).toBe(1000)
  })

  it('does not open a token with any character changed', () => {
    const { token } = crypto.issueSessionToken()
    for (let at = 0; at < token.length; at += 1) {
      for (const character of ['A', 'B', '.', '-', '=', '%', ' ']) {
        if (character === token[at]) continue
        const changed = token.slice(0, at) + character + token.slice(at + 1)
        expect(crypto.openSessionToken(changed), changed).toBeUndefined()
      }
      expect(crypto.openSessionToken(token.slice(0, at))).toBeUndefined()
    }
    for (const suffix of ['.', 'A', '=', ' ', `.${token}`]) {
      expect(crypto.openSessionToken(token + suffix)).toBeUndefined()
    }
  })

  it('never throws for any input', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(crypto.openSessionToken(text)).toBeUndefined()
      }),
    )
  })

  it('does not open a session id as a token', () => {
    const { sessionId } = crypto.issueSessionToken()
    expect(crypto.openSessionToken(sessionId)).toBeUndefined()
    expect(crypto.openSessionToken(`${sessionId}.${sessionId}`)).toBeUndefined()
  })

  it('signs with the first secret and opens with all of them', () => {
    const old = crypto.issueSessionToken()
    const rotated = createHmacSessionTokenCrypto([OTHER, KEY])
    const fresh = rotated.issueSessionToken()
    expect(rotated.openSessionToken(old.token)).toBe(old.sessionId)
    expect(crypto.openSessionToken(fresh.token)).toBeUndefined()
    expect(createHmacSessionTokenCrypto(OTHER).openSessionToken(fresh.token)).toBe(fresh.sessionId)
    expect(createHmacSessionTokenCrypto(`${OTHER}, ${KEY}`).openSessionToken(old.token)).toBe(
      old.sessionId,
    )
  })

  it.each(['', 'short', [], ['a'.repeat(31)], [KEY, '']])('rejects the secret %j', (secret) => {
    expect(() => createHmacSessionTokenCrypto(secret)).toThrow(/at least 32 characters/)
  })

  it('accepts a secret of exactly 32 characters', () => {
    const { token, sessionId } = createHmacSessionTokenCrypto('a'.repeat(32)).issueSessionToken()
    expect(createHmacSessionTokenCrypto(['a'.repeat(32)]).openSessionToken(token)).toBe(sessionId)
  })
})

describe('createKeyringSessionTokenCrypto', () => {
  it('does not open a signed token whose secret is not 32 bytes', () => {
    const ring = createKeyring([Buffer.alloc(32, 1)])
    const [key] = ring.keys('session-token')
    const crypto = createKeyringSessionTokenCrypto(ring)
    const signed = (bytes: number) => {
      const secret = Buffer.alloc(bytes, 7).toString('base64url')
      return `${secret}.${sign(key!, secret)}`
    }
    expect(crypto.openSessionToken(signed(32))).toBeDefined()
    for (const bytes of [0, 31, 33]) expect(crypto.openSessionToken(signed(bytes))).toBeUndefined()
  })

  it('signs with the keys of its purpose', () => {
    const ring = createKeyring([Buffer.alloc(32, 1)])
    const crypto = createKeyringSessionTokenCrypto(ring)
    const [secret = ''] = crypto.issueSessionToken().token.split('.')
    const [foreign] = ring.keys('sign-in-transaction')
    expect(crypto.openSessionToken(`${secret}.${sign(foreign!, secret)}`)).toBeUndefined()
    const [own] = ring.keys('session-token')
    expect(crypto.openSessionToken(`${secret}.${sign(own!, secret)}`)).toBeDefined()
  })

  it('throws for an empty keyring', () => {
    const crypto = createKeyringSessionTokenCrypto(createKeyring([]))
    expect(() => crypto.issueSessionToken()).toThrow(
      new AuthConfigurationError('The keyring is empty.'),
    )
  })

  it('does not open a token of another keyring', () => {
    const one = createKeyringSessionTokenCrypto(createKeyring([Buffer.alloc(32, 1)]))
    const two = createKeyringSessionTokenCrypto(createKeyring([Buffer.alloc(32, 2)]))
    expect(two.openSessionToken(one.issueSessionToken().token)).toBeUndefined()
  })
})
