import { afterEach, describe, expect, it } from 'vitest'
import { me } from '../../../support/sign-in.js'
import type { Tampering } from '../hostile-provider.js'
import { expectHealthy, expectQuietLog, expectRefused, NAVIGATION, signInAt } from '../refusal.js'
import type { Scene } from '../scene.js'
import { createSigningKey, sign, unsigned } from '../signing.js'
import { json, withClaims, withIdToken } from '../tampering.js'

/**
 * Modelled on the Basic Relying Party plan of the OpenID Foundation's conformance suite, whose names
 * the cases carry. It is not that suite, and passing it certifies nothing.
 */
export const basicRpCases = (scene: Scene) =>
  describe('OpenID Connect, Basic RP', () => {
    afterEach(() => scene.reset())

    const refused: [string, Tampering][] = [
      [
        'oidcc-client-test-invalid-iss',
        { token: withClaims((claims) => ({ ...claims, iss: 'http://localhost:1/other' })) },
      ],
      ['oidcc-client-test-missing-sub', { token: withClaims(({ sub: _, ...claims }) => claims) }],
      [
        'oidcc-client-test-invalid-aud',
        { token: withClaims((claims) => ({ ...claims, aud: 'another-client' })) },
      ],
      ['oidcc-client-test-missing-iat', { token: withClaims(({ iat: _, ...claims }) => claims) }],
      [
        'oidcc-client-test-idtoken-sig-none',
        { token: withIdToken(({ claims }) => unsigned(claims)) },
      ],
      [
        'oidcc-client-test-invalid-sig-rs256',
        {
          token: withIdToken(async ({ header, claims }) =>
            sign(header, claims, (await createSigningKey()).privateKey),
          ),
        },
      ],
      [
        'oidcc-client-test-userinfo-invalid-sub',
        { userinfo: json((claims) => ({ ...claims, sub: 'grace' })) },
      ],
      [
        'oidcc-client-test-nonce-invalid',
        { token: withClaims((claims) => ({ ...claims, nonce: 'another-nonce' })) },
      ],
    ]
    it.each(refused)('%s is refused', async (_id, tampering) => {
      scene.evil.tamper(tampering)
      await expectRefused(scene, signInAt(scene))
    })

    it('oidcc-client-test-kid-absent-multiple-jwks is refused', async () => {
      const other = await createSigningKey()
      await scene.service.restart()
      scene.evil.tamper({
        jwks: json((_, { key }) => ({ keys: [other.publicJwk, key.publicJwk] })),
        token: withIdToken(({ claims }, { key }) => sign({ alg: 'RS256' }, claims, key.privateKey)),
      })
      await expectRefused(scene, signInAt(scene))
      await scene.service.restart()
    })

    const accepted: [string, Tampering][] = [
      ['oidcc-client-test', {}],
      ['oidcc-client-test-idtoken-sig-rs256', {}],
      [
        'oidcc-client-test-kid-absent-single-jwks',
        {
          token: withIdToken(({ claims }, { key }) =>
            sign({ alg: 'RS256' }, claims, key.privateKey),
          ),
        },
      ],
    ]
    it.each(accepted)('%s signs in', async (_id, tampering) => {
      const line = scene.service.log.length
      scene.evil.tamper(tampering)
      for (const accept of ['application/json', NAVIGATION]) {
        const agent = scene.newAgent()
        const response = await signInAt(scene)(agent, accept)
        expect(response.status).toBe(accept === NAVIGATION ? 303 : 200)
        expect(await me(agent)).toMatchObject({ session: { subject: 'ada', providerId: 'evil' } })
        await agent.post('/api/v1/auth/signout')
      }
      expect((await scene.count()).sessions).toBe(0)
      expectQuietLog(scene, line)
    })

    it('oidcc-client-test-scope-userinfo-claims takes the claims from the user info', async () => {
      const agent = scene.newAgent()
      await signInAt(scene)(agent, NAVIGATION)
      expect((await me(agent)).user).toMatchObject({
        displayName: 'Ada Lovelace',
        email: 'ada@example.test',
        emailVerified: true,
      })
      await agent.post('/api/v1/auth/signout')
    })

    it('oidcc-client-test-client-secret-basic sends the secret in the header only', async () => {
      const before = scene.evil.requests.length
      await signInAt(scene)(scene.newAgent(), NAVIGATION)
      const { clientId, clientSecret } = scene.evil.client
      const request = scene.evil.requests.slice(before).find(({ endpoint }) => endpoint === 'token')
      const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
      expect(request?.headers.authorization).toBe(`Basic ${basic}`)
      expect(request?.form.has('client_secret')).toBe(false)
      await expectHealthy(scene)
    })
  })
