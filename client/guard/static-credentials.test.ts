import { describe, expect, it } from 'vitest'
import { createStaticCredentialAuthenticator } from './static-credentials.js'

const known = createStaticCredentialAuthenticator({
  credentials: {
    'secret-one': { subject: 'reports', scopes: ['orders:read'], claims: { team: 'sales' } },
    'secret-two': { subject: 'billing', roles: ['clerk'] },
  },
})
const with_ = (headers: Record<string, string>) => known.authenticate({ headers })
const missing = { ok: false, reason: 'credential-missing', setCookies: [] }
const invalid = { ok: false, reason: 'credential-invalid', setCookies: [] }

describe('createStaticCredentialAuthenticator', () => {
  it('authenticates a token as its identity', async () => {
    expect(await with_({ authorization: 'Bearer secret-one' })).toEqual({
      ok: true,
      setCookies: [],
      principal: {
        subject: 'reports',
        scopes: ['orders:read'],
        roles: [],
        scheme: 'bearer',
        claims: { team: 'sales' },
      },
    })
    expect(await with_({ 'x-api-key': 'secret-two' })).toMatchObject({
      principal: { subject: 'billing', roles: ['clerk'], scheme: 'api-key' },
    })
    expect(await with_({ authorization: 'bearer  secret-two' })).toMatchObject({ ok: true })
  })

  it.each([
    ['nothing', {}],
    ['an empty key', { 'x-api-key': ' ' }],
    ['another scheme, whatever the key', { authorization: 'Basic x', 'x-api-key': 'secret-one' }],
    ['a scheme alone, whatever the key', { authorization: 'Bearer', 'x-api-key': 'secret-one' }],
    ['two tokens', { authorization: 'Bearer secret-one secret-two' }],
  ])('finds no credential: %s', async (_what, headers) => {
    expect(await with_(headers as Record<string, string>)).toEqual(missing)
  })

  it.each(['secret-on', 'secret-one1', 'SECRET-ONE', 'constructor', '__proto__'])(
    'rejects %s',
    async (token) => {
      expect(await with_({ authorization: `Bearer ${token}` })).toEqual(invalid)
      expect(await with_({ 'x-api-key': token })).toEqual(invalid)
    },
  )

  it('uses the configured scheme and throws for an empty token', async () => {
    const credentials = { token: { subject: 's' } }
    const custom = createStaticCredentialAuthenticator({ credentials, scheme: 'custom' })
    const found = await custom.authenticate({ headers: { 'x-api-key': 'token' } })
    expect(found).toMatchObject({ principal: { scheme: 'custom' } })
    expect(() =>
      createStaticCredentialAuthenticator({ credentials: { '': { subject: 's' } } }),
    ).toThrow(/empty/)
  })
})
