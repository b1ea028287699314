import { afterEach, describe, expect, it } from 'vitest'
import { completeLogin } from '../../../support/oidc-login.js'
import { me, startSignIn } from '../../../support/sign-in.js'
import type { Tampering } from '../hostile-provider.js'
import { expectHealthy, expectRefused, NAVIGATION, signInAt, startAt } from '../refusal.js'
import type { Scene } from '../scene.js'
import { createSigningKey, sign, type SigningKey, unsigned } from '../signing.js'
import { json, withIdToken, withMembers } from '../tampering.js'

/** The provider has rotated: it publishes this key and signs with it. */
const rotatedTo = (next: SigningKey): Tampering => ({
  jwks: json(() => ({ keys: [next.publicJwk] })),
  token: withIdToken(({ header, claims }) =>
    sign({ ...header, kid: next.kid }, claims, next.privateKey),
  ),
})

/** Modelled on the OpenID Foundation's Config RP plan; not a certification. */
export const configRpCases = (scene: Scene) =>
  describe('OpenID Connect, Config RP', () => {
    afterEach(async () => {
      await scene.reset()
      await scene.service.restart()
    })

    const asked = (endpoint: string): number =>
      scene.evil.requests.filter((request) => request.endpoint === endpoint).length

    const signsIn = async (): Promise<void> => {
      const agent = scene.newAgent()
      const response = await signInAt(scene)(agent, NAVIGATION)
      expect(response.status).toBe(303)
      expect((await me(agent)).session.subject).toBe('ada')
      await agent.post('/api/v1/auth/signout')
    }

    it('oidcc-client-test-discovery-openid-configuration finds the endpoints', async () => {
      const before = asked('metadata')
      const { redirectUrl } = await startSignIn(scene.newAgent(), { providerId: 'evil' })
      expect(new URL(redirectUrl).origin).toBe(scene.evil.issuer)
      await signsIn()
      expect(asked('metadata')).toBe(before + 1)
    })

    it('oidcc-client-test-discovery-jwks-uri-keys finds the keys', async () => {
      const before = asked('jwks')
      await signsIn()
      await signsIn()
      expect(asked('jwks')).toBe(before + 1)
    })

    it('oidcc-client-test-discovery-issuer-mismatch is refused', async () => {
      scene.evil.tamper({ metadata: withMembers({ issuer: `${scene.evil.issuer}/other` }) })
      await expectRefused(scene, startAt())
    })

    it('oidcc-client-test-idtoken-sig-none is refused', async () => {
      scene.evil.tamper({
        metadata: withMembers({ id_token_signing_alg_values_supported: ['none', 'RS256'] }),
        token: withIdToken(({ claims }) => unsigned(claims)),
      })
      await expectRefused(scene, signInAt(scene))
    })

    it('oidcc-client-test-signing-key-rotation signs in before and after', async () => {
      await signsIn()
      scene.evil.tamper(rotatedTo(await createSigningKey()))
      await signsIn()
      await expectHealthy(scene)
    })

    it('signs in after each of several rotations within a minute', async () => {
      for (let rotation = 0; rotation < 3; rotation += 1) {
        const before = asked('jwks')
        for (let times = 0; times < 3; times += 1) await signsIn()
        expect(asked('jwks')).toBe(before + 1)
        scene.evil.tamper(rotatedTo(await createSigningKey()))
      }
    })

    it('oidcc-client-test-signing-key-rotation-just-before-signing signs in', async () => {
      const agent = scene.newAgent()
      const { redirectUrl } = await startSignIn(agent, { providerId: 'evil' })
      const url = await completeLogin(redirectUrl, { login: 'ada' })
      scene.evil.tamper(rotatedTo(await createSigningKey()))
      expect((await agent.fetch(url)).status).toBe(303)
      expect((await me(agent)).session.subject).toBe('ada')
    })

    it('a key that is no longer published is rejected', async () => {
      const next = await createSigningKey()
      scene.evil.tamper({ jwks: json(() => ({ keys: [next.publicJwk] })) })
      await expectRefused(scene, signInAt(scene))
    })
  })
