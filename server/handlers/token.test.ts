import { expect, it } from 'vitest'
import { AuthError } from '../../backends/errors.js'
import type { AuthBackendPort } from '../../backends/port.js'
import { type AuthnRequest, toAuthnRequest } from '../../backends/request.js'
import { createReturnToPolicy } from '../../backends/return-to.js'
import { token } from './token.js'

const ORIGIN = 'http://localhost'
const OWN = {
  origin: ORIGIN,
  allowedOrigins: new Set([ORIGIN]),
  returnTo: createReturnToPolicy(ORIGIN),
}
const fail = () => Promise.reject(new Error('must not be called'))
const renewed = ['wos-session=renewed; Path=/']

it.each([
  ['a bearer token', { authorization: 'Bearer secret' }],
  ['an API key', { 'x-api-key': 'secret' }],
  ['a header of a proxy', { 'x-forwarded-user': 'secret' }],
])('issues no token for %s, whatever the backend returns', async (_what, headers) => {
  let asked = 0
  const backend = {
    authenticate: async (request: AuthnRequest) => {
      asked += 1
      const sent = Object.keys(headers).some((name) => request.header(name) !== undefined)
      return sent ? { ok: true, session: { id: 'id' }, setCookies: [] } : { ok: false }
    },
  } as unknown as AuthBackendPort
  const tokens = { checkAudience() {}, issue: fail, verify: fail, publicKeys: fail, maintain: fail }
  const context = { backend, tokens, ...OWN }
  const asking = token(context, toAuthnRequest({ headers }), { audience: 'a' })
  await expect(asking).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  expect(asked).toBe(1)
})

it('keeps the cookie of a session that was renewed when the token cannot be issued', async () => {
  const backend = {
    authenticate: async () => ({ ok: true, session: { id: 'id' }, setCookies: renewed }),
  } as unknown as AuthBackendPort
  const away = () => Promise.reject(new AuthError('STORE_UNAVAILABLE', 'Away.', { cause: 'why' }))
  const tokens = { checkAudience() {}, issue: away, verify: away, publicKeys: away, maintain: away }
  const context = { backend, tokens, ...OWN }
  const asking = token(context, toAuthnRequest({ headers: {} }), { audience: 'a' })
  await expect(asking).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    detail: 'Away.',
    cause: 'why',
    setCookies: renewed,
  })
})
