import { afterEach, describe, expect, it } from 'vitest'
import { me } from '../../../support/sign-in.js'
import { type Attack, expectRefused, NAVIGATION, signInAt, startAt } from '../refusal.js'
import type { Scene } from '../scene.js'
import { withClaims, withMembers, withParameters } from '../tampering.js'

/** RFC 9700 section 4.4: two providers at once, one of them hostile. */
export const mixUpCases = (scene: Scene) =>
  describe('a provider that mixes itself up with another', () => {
    afterEach(() => scene.reset())

    const tokenRequests = (): number =>
      scene.evil.requests.filter(({ endpoint }) => endpoint === 'token').length

    /** Begins at `provider`, and comes back with these parameters changed. */
    const comingBack =
      (provider: string, change: (parameters: URLSearchParams) => void): Attack =>
      async (agent, accept) => {
        const url = new URL(await scene.callbackUrl(agent, provider))
        change(url.searchParams)
        return agent.fetch(url.href, { headers: { accept } })
      }

    it.each([
      ['began at good, ends at the redirect URI of evil', 'good', 'evil'],
      ['began at evil, ends at the redirect URI of good', 'evil', 'good'],
      ['began at good, ends at the redirect URI of nobody', 'good', 'nobody'],
    ])('a flow that %s is refused', async (_what, began, ended) => {
      const asked = tokenRequests()
      const attack = comingBack(began, (parameters) => parameters.set('provider', ended))
      await expectRefused(scene, attack, { code: 'AUTH_TRANSACTION_MISSING', provoked: false })
      expect(tokenRequests()).toBe(asked)
    })

    it('a flow that ends at a redirect URI without a provider is refused', async () => {
      const attack = comingBack('good', (parameters) => parameters.delete('provider'))
      await expectRefused(scene, attack, { code: 'AUTH_TRANSACTION_MISSING', provoked: false })
    })

    it('a flow that ends at the redirect URIs of both is refused', async () => {
      const attack = comingBack('good', (parameters) => parameters.append('provider', 'evil'))
      await expectRefused(scene, attack, { code: 'VALIDATION_ERROR', provoked: false })
    })

    it('an answer of evil with the iss of good is refused, and its code goes nowhere', async () => {
      const asked = tokenRequests()
      scene.evil.tamper({
        authorization: withParameters((parameters) => parameters.set('iss', scene.good.issuer)),
      })
      await expectRefused(scene, signInAt(scene))
      expect(tokenRequests()).toBe(asked)
    })

    it('a code of good never reaches the token endpoint of evil', async () => {
      const asked = tokenRequests()
      const attack: Attack = async (agent, accept) => {
        const good = new URL(await scene.callbackUrl(agent, 'good'))
        const evil = new URL(await scene.callbackUrl(agent, 'evil'))
        evil.searchParams.set('code', good.searchParams.get('code') ?? '')
        evil.searchParams.set('iss', good.searchParams.get('iss') ?? '')
        return agent.fetch(evil.href, { headers: { accept } })
      }
      await expectRefused(scene, attack, { provoked: false })
      const attackByRedirect: Attack = async (agent, accept) => {
        const good = new URL(await scene.callbackUrl(agent, 'good'))
        const evil = new URL(await scene.callbackUrl(agent, 'evil'))
        good.searchParams.set('state', evil.searchParams.get('state') ?? '')
        return agent.fetch(good.href, { headers: { accept } })
      }
      await expectRefused(scene, attackByRedirect, {
        code: 'AUTH_TRANSACTION_MISSING',
        provoked: false,
      })
      expect(tokenRequests()).toBe(asked)
    })

    it('an id_token of evil that says it is from good is refused', async () => {
      scene.evil.tamper({ token: withClaims((claims) => ({ ...claims, iss: scene.good.issuer })) })
      await expectRefused(scene, signInAt(scene))
    })

    it('metadata of evil that says it is good is refused', async () => {
      await scene.service.restart()
      scene.evil.tamper({ metadata: withMembers({ issuer: scene.good.issuer }) })
      await expectRefused(scene, startAt())
    })

    it('the same subject at both is two people', async () => {
      const ids: string[] = []
      for (const provider of ['good', 'evil']) {
        const agent = scene.newAgent()
        const response = await signInAt(scene, provider)(agent, NAVIGATION)
        expect(response.status).toBe(303)
        const { user, session } = await me(agent)
        expect(session.subject).toBe('ada')
        expect(user.email).toBe('ada@example.test')
        ids.push(user.id)
      }
      expect(new Set(ids).size).toBe(2)
    })
  })
