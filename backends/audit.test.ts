import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSubjectHash } from './audit.js'
import { createKeyring, seal, unseal } from './keyring.js'
import { createRateLimitKeys } from './rate-limit-store.js'
import { openTokens, sealTokens } from './kv-oauth/storage/sealed-tokens.js'

const keyring = createKeyring([randomBytes(32)])
// A fixed secret, since different texts share a bucket with a probability of one in a million.
const rateLimitKey = createRateLimitKeys(Buffer.alloc(32, 1))
const bucketOf = (key: string): string => key.slice(key.lastIndexOf(':') + 1)

/** Pairs whose concatenation is the same. */
const DIVIDED: [[string, string], [string, string]][] = [
  [
    ['https://idp.example', '1ada'],
    ['https://idp.example1', 'ada'],
  ],
  [
    ['a', 'b:c'],
    ['a:b', 'c'],
  ],
  [
    ['', 'ab'],
    ['ab', ''],
  ],
  [
    ['a/b', 'c'],
    ['a', '/bc'],
  ],
]

describe('values that are hashed or bound together', () => {
  it.each(DIVIDED)('give another subject hash when split elsewhere: %j, %j', (one, other) => {
    for (const salt of [undefined, 'x'.repeat(32)]) {
      const hash = createSubjectHash(keyring, salt)
      expect(hash(...one)).not.toBe(hash(...other))
      expect(hash(...one)).toBe(hash(...one))
    }
  })

  it.each(DIVIDED)('give another rate limit key when split elsewhere: %j, %j', (one, other) => {
    expect(rateLimitKey(...one)).not.toBe(rateLimitKey(...other))
    // The scope is part of the key, but the bucket must not say where the two are divided.
    expect(bucketOf(rateLimitKey(...one))).not.toBe(bucketOf(rateLimitKey(...other)))
  })

  it('do not open tokens sealed for another session, provider or field', () => {
    const owner = { sessionId: 'session-1' }
    const given = { accessToken: 'a', refreshToken: 'b' }
    const sealed = { ...sealTokens(keyring, owner, given), expires_at: null, scopes: null }
    expect(openTokens(keyring, owner, sealed)).toEqual(given)
    // Processes of every version must agree on this, during an upgrade too.
    const bound = 'session-1:access_token'
    expect(unseal(keyring, 'provider-tokens', bound, sealed.access_token!)).toBe('a')
    for (const [other, tokens] of [
      [{ sessionId: 'session-' }, sealed],
      [{ sessionId: 'session-11' }, sealed],
      [{ sessionId: 'session-1', linked: 'idp' }, sealed],
      [owner, { ...sealed, access_token: sealed.refresh_token }],
    ] as const) {
      expect(Object.values(openTokens(keyring, other, tokens))).not.toContain('a')
    }
  })

  it('do not open values sealed for another purpose or entry', () => {
    const sealed = seal(keyring, 'sign-in-transaction', 'key', 'text')
    expect(unseal(keyring, 'sign-in-transaction', 'key', sealed)).toBe('text')
    expect(unseal(keyring, 'log-out-transaction', 'key', sealed)).toBeUndefined()
    expect(unseal(keyring, 'sign-in-transaction', 'key2', sealed)).toBeUndefined()
  })
})
