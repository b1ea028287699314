import { expect, it } from 'vitest'
import { AuthError } from '../../backends/errors.js'
import type { AuthBackendPort } from '../../backends/port.js'
import { type AuthnRequest, toAuthnRequest } from '../../backends/request.js'
import { createReturnToPolicy } from '../../backends/return-to.js'
import type { TokenIssuer } from '../tokens/token-issuer.js'
import { forwardAuth } from './forward-auth.js'

const ORIGIN = 'https://auth.example'
const AUDIENCE = 'https://orders.example'
const SESSION = { id: 'id', userId: 'user', roles: [], scopes: [] }
const RENEWED = ['wos-session=renewed; Path=/']

const requestWith = (headers: Record<string, string>) => ({
  ...toAuthnRequest({ headers: { host: 'auth.example', ...headers } }),
  query: '',
  isFromTrustedProxy: () => false,
})

function contextOf(authenticate: (request: AuthnRequest) => object, tokens?: Partial<TokenIssuer>) {
  return {
    backend: { authenticate: async (request: AuthnRequest) => authenticate(request) },
    origin: ORIGIN,
    allowedOrigins: new Set([ORIGIN]),
    returnTo: createReturnToPolicy(ORIGIN),
    tokens: { checkAudience() {}, ...tokens },
  } as unknown as Parameters<typeof forwardAuth>[0] & { backend: AuthBackendPort }
}

const signedIn = () => ({
  ...{ ok: true, session: SESSION, user: { id: 'user' }, setCookies: RENEWED },
  principal: { scopes: [], roles: [] },
})

it.each([
  ['a bearer token', { authorization: 'Bearer secret' }],
  ['an API key', { 'x-api-key': 'secret' }],
  ['a header of a proxy', { 'x-forwarded-user': 'secret' }],
  ['an identity header', { 'x-auth-user': 'secret' }],
])('passes no request with %s, whatever the backend returns', async (_what, headers) => {
  const context = contextOf((request) =>
    Object.keys(headers).some((name) => request.header(name) !== undefined)
      ? signedIn()
      : { ok: false, setCookies: [] },
  )
  await expect(forwardAuth(context, requestWith(headers), {})).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
  })
})

it('records no token in the audit trail, since every request has one', async () => {
  const asked: unknown[] = []
  const issue: TokenIssuer['issue'] = async (...given) => {
    asked.push(given)
    return { token: 'token', tokenType: 'Bearer', expiresAt: '' }
  }
  const reply = await forwardAuth(contextOf(signedIn, { issue }), requestWith({}), {
    audience: AUDIENCE,
  })
  expect(asked).toEqual([[SESSION, AUDIENCE, { isRecorded: false }]])
  expect(reply.headers).toContainEqual(['Authorization', 'Bearer token'])
})

it('keeps the cookie of a session that was renewed when the token cannot be issued', async () => {
  const issue = () => Promise.reject(new AuthError('STORE_UNAVAILABLE', 'Away.'))
  const asking = forwardAuth(contextOf(signedIn, { issue }), requestWith({}), {
    audience: AUDIENCE,
  })
  await expect(asking).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', setCookies: RENEWED })
})
