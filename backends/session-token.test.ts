import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createKeyring } from './keyring.js'
import { createHmacSessionTokenCrypto, createKeyringSessionTokenCrypto } from './session-token.js'

const KEY = 'a'.repeat(43)
const OTHER = 'b'.repeat(43)

describe('createHmacSessionTokenCrypto', () => {
  const crypto = createHmacSessionTokenCrypto(KEY)

  it('opens what it issued to the public id, which is the hash of the secret', () => {
    const { token, sessionId } = crypto.issueSessionToken()
    expect(crypto.openSessionToken(token)).toBe(sessionId)
    const [secret = ''] = token.split('.')
    expect(sessionId).toBe(createHash('sha256').update(secret).digest('base64url'))
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
  })

  it('issues no token twice', () => {
    const tokens = Array.from({ length: 1000 }, () => crypto.issueSessionToken().token)
    expect(new Set(tokens).size).toBe(1000)
  })

  it('opens no token of which any character is changed', () => {
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

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(crypto.openSessionToken(text)).toBeUndefined()
      }),
    )
  })

  it('cannot be opened with the id, or with the id and the key of another', () => {
    const { sessionId } = crypto.issueSessionToken()
    expect(crypto.openSessionToken(sessionId)).toBeUndefined()
    expect(crypto.openSessionToken(`${sessionId}.${sessionId}`)).toBeUndefined()
  })

  it('rotates: the first secret signs, all of them open', () => {
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

  it.each(['', 'short', [], ['a'.repeat(31)], [KEY, '']])('refuses the secret %j', (secret) => {
    expect(() => createHmacSessionTokenCrypto(secret)).toThrow(/at least 32 characters/)
  })

  it('shares no token between keyrings', () => {
    const one = createKeyringSessionTokenCrypto(createKeyring([Buffer.alloc(32, 1)]))
    const two = createKeyringSessionTokenCrypto(createKeyring([Buffer.alloc(32, 2)]))
    expect(two.openSessionToken(one.issueSessionToken().token)).toBeUndefined()
  })
})
