import { afterEach, describe, expect, it } from 'vitest'
import { startSignIn } from '../../../support/sign-in.js'
import type { Tamper, Tampering } from '../hostile-provider.js'
import { expectRefusal, expectRefused, NAVIGATION, signInAt, startAt } from '../refusal.js'
import type { Scene } from '../scene.js'
import { sign } from '../signing.js'
import {
  DEEP,
  huge,
  instead,
  json,
  MARKER,
  redirectLoop,
  VENOM,
  withIdToken,
  withMembers,
  withText,
} from '../tampering.js'

const withIssuer = (change: (issuer: string) => unknown): Tamper =>
  json((body, { issuer }) => ({ ...body, issuer: change(issuer) }))

const DISCOVERY = '/.well-known/openid-configuration'

/** Hostile discovery documents and key sets (OpenID Connect Discovery section 4, RFC 9700 section 2.1.1). */
export const metadataCases = (scene: Scene) =>
  describe('hostile metadata', () => {
    afterEach(async () => {
      await scene.reset()
      // Metadata is cached for an hour.
      await scene.service.restart()
    })

    const refusedAtOnce: [string, Tamper][] = [
      ['PKCE with plain only', withMembers({ code_challenge_methods_supported: ['plain'] })],
      ['PKCE without a method', withMembers({ code_challenge_methods_supported: [] })],
      ['PKCE with another case', withMembers({ code_challenge_methods_supported: ['s256'] })],
      ['PKCE with a text', withMembers({ code_challenge_methods_supported: 'S256' })],
      ['PKCE with null', withMembers({ code_challenge_methods_supported: null })],
      ['PKCE with an object', withMembers({ code_challenge_methods_supported: { S256: true } })],
      ['an issuer that is longer', withIssuer((issuer) => `${issuer}.evil.test`)],
      ['an issuer with a user', withIssuer((issuer) => issuer.replace('http://', 'http://user@'))],
      ['an issuer with a query', withIssuer((issuer) => `${issuer}?x`)],
      ['an issuer in a list', withIssuer((issuer) => [issuer])],
      ['no issuer', withMembers({ issuer: undefined })],
      [
        'an authorization endpoint that is a script',
        withMembers({ authorization_endpoint: `javascript:alert('${MARKER}')//` }),
      ],
      [
        'an authorization endpoint that is data',
        withMembers({ authorization_endpoint: `data:text/html,${MARKER}` }),
      ],
      [
        'an authorization endpoint that is a file',
        withMembers({ authorization_endpoint: 'file:///etc/passwd' }),
      ],
      [
        'an authorization endpoint that is a path',
        withMembers({ authorization_endpoint: '/auth' }),
      ],
      ['an authorization endpoint that is a number', withMembers({ authorization_endpoint: 1 })],
      ['no authorization endpoint', withMembers({ authorization_endpoint: undefined })],
      ['no token endpoint', withMembers({ token_endpoint: undefined })],
      ['no keys', withMembers({ jwks_uri: undefined })],
      ['HMAC alone', withMembers({ id_token_signing_alg_values_supported: ['HS256'] })],
      ['unsigned tokens alone', withMembers({ id_token_signing_alg_values_supported: ['none'] })],
      ['the implicit flow alone', withMembers({ response_types_supported: ['id_token'] })],
      ['posted answers alone', withMembers({ response_modes_supported: ['form_post'] })],
      ['the password grant alone', withMembers({ grant_types_supported: ['password'] })],
      ['a page', instead(200, `<h1>${MARKER}</h1>`, { 'content-type': 'text/html' })],
      ['a page that says it is JSON', instead(200, `<h1>${MARKER}</h1>`)],
      ['control characters', instead(200, VENOM)],
      ['nothing', instead(200, '')],
      ['no content', instead(204, '')],
      ['a list', instead(200, '[]')],
      ['null', instead(200, 'null')],
      ['404', instead(404, `{"error":"${MARKER}"}`)],
      ['500', instead(500, MARKER, { 'content-type': 'text/plain' })],
      ['lists in lists', withText(/^\{/, `{"x":${DEEP},`)],
      ['two mebibytes', huge],
      ['a redirect to itself', redirectLoop(DISCOVERY)],
    ]
    it.each(refusedAtOnce)('%s is refused at once', async (_what, metadata) => {
      const before = scene.evil.requests.length
      scene.evil.tamper({ metadata })
      await expectRefused(scene, startAt())
      // Once for each of the two callers: no redirect was followed, and failures are not cached.
      const asked = scene.evil.requests.length - before
      expect(asked).toBeGreaterThan(0)
      expect(asked).toBeLessThanOrEqual(2)
    })

    it('is asked for again after a failure', async () => {
      scene.evil.tamper({ metadata: instead(500, '') })
      await expectRefused(scene, startAt())
      scene.evil.tamper({})
      const agent = scene.newAgent()
      expect((await signInAt(scene)(agent, NAVIGATION)).status).toBe(303)
    })

    it('that does not mention PKCE is accepted, and S256 is still sent', async () => {
      scene.evil.tamper({ metadata: withMembers({ code_challenge_methods_supported: undefined }) })
      const { redirectUrl } = await startSignIn(scene.newAgent(), { providerId: 'evil' })
      expect(new URL(redirectUrl).searchParams.get('code_challenge_method')).toBe('S256')
      const agent = scene.newAgent()
      expect((await signInAt(scene)(agent, NAVIGATION)).status).toBe(303)
      const { form } = scene.evil.requests.findLast(({ endpoint }) => endpoint === 'token')!
      expect(form.get('code_verifier')).toMatch(/^[\w-]{43}$/)
    })

    it('cannot override parameters of the authorization request', async () => {
      scene.evil.tamper({
        metadata: json((body) => ({
          ...body,
          authorization_endpoint: `${String(body.authorization_endpoint)}?redirect_uri=http://localhost:1/&response_mode=form_post&state=${MARKER}&code_challenge_method=plain`,
        })),
      })
      const { redirectUrl, state } = await startSignIn(scene.newAgent(), { providerId: 'evil' })
      const sent = new URL(redirectUrl).searchParams
      // The endpoint's own query stays, as RFC 6749 section 3.1 requires; the request's parameters are
      // added.
      expect(sent.getAll('state')).toContain(state)
      expect(sent.getAll('code_challenge_method')).toContain('S256')
      expect(sent.getAll('redirect_uri')).toContain(
        `${scene.service.origin}/api/v1/auth/callback?provider=evil`,
      )
    })

    const refusedLater: [string, Tampering][] = [
      [
        'a token endpoint that is a script',
        { metadata: withMembers({ token_endpoint: 'javascript:x' }) },
      ],
      [
        'a token endpoint that is a file',
        { metadata: withMembers({ token_endpoint: 'file:///etc/passwd' }) },
      ],
      [
        'a token endpoint where nothing listens',
        { metadata: withMembers({ token_endpoint: 'http://127.0.0.1:1/token' }) },
      ],
      ['keys at a file', { metadata: withMembers({ jwks_uri: 'file:///etc/passwd' }) }],
      [
        'keys where nothing listens',
        { metadata: withMembers({ jwks_uri: 'http://127.0.0.1:1/jwks' }) },
      ],
      ['keys behind a redirect to itself', { jwks: redirectLoop('/jwks') }],
      [
        'keys in a page',
        { jwks: instead(200, `<h1>${MARKER}</h1>`, { 'content-type': 'text/html' }) },
      ],
      ['keys that are no JSON', { jwks: instead(200, MARKER) }],
      ['keys of two mebibytes', { jwks: huge }],
      ['keys in no list', { jwks: json(() => ({ keys: 1 })) }],
      ['keys that are null', { jwks: json(() => ({ keys: [null] })) }],
      ['keys that are lists in lists', { jwks: instead(200, `{"keys":${DEEP}}`) }],
      ['no key at all', { jwks: json(() => ({ keys: [] })) }],
      [
        'a key without a modulus',
        { jwks: json((_, { key }) => ({ keys: [{ ...key.publicJwk, n: undefined }] })) },
      ],
      [
        'a key for encryption',
        { jwks: json((_, { key }) => ({ keys: [{ ...key.publicJwk, use: 'enc' }] })) },
      ],
      [
        'a secret as a key',
        {
          metadata: withMembers({ id_token_signing_alg_values_supported: ['RS256', 'HS256'] }),
          jwks: json((_, { key }) => ({
            keys: [{ kty: 'oct', k: 'AAAA', kid: key.kid, alg: 'HS256' }],
          })),
          token: withIdToken(({ header, claims }) =>
            sign({ ...header, alg: 'HS256' }, claims, Buffer.from('AAAA', 'base64url')),
          ),
        },
      ],
    ]
    it.each(refusedLater)('%s is refused at the callback', async (_what, tampering) => {
      scene.evil.tamper(tampering)
      await expectRefused(scene, signInAt(scene))
    })

    it.each([
      ['a script', `javascript:alert('${MARKER}')//`],
      ['data', `data:text/html,${MARKER}`],
      ['a path', '/session/end'],
      ['a number', 1],
    ])('%s as the end_session_endpoint leads nowhere', async (_what, end_session_endpoint) => {
      scene.evil.tamper({ metadata: withMembers({ end_session_endpoint }) })
      for (const accept of ['application/json', NAVIGATION]) {
        const agent = scene.newAgent()
        await signInAt(scene)(agent, NAVIGATION)
        const signout = await agent.post('/api/v1/auth/signout')
        expect(signout.status).toBe(200)
        const { logoutUrl } = (await signout.json()) as { logoutUrl?: string }
        if (logoutUrl !== undefined) {
          const logout = await agent.fetch(logoutUrl, { headers: { accept } })
          await expectRefusal(logout, 'AUTH_PROVIDER_ERROR', accept)
        }
        expect((await scene.count()).sessions).toBe(0)
      }
    })
  })
