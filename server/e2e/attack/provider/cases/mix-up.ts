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

    /** Starts at `provider`, whose response then arrives at another redirect URI. */
    const comingBack =
      (provider: string, path: string): Attack =>
      async (agent, accept) => {
        const url = new URL(await scene.callbackUrl(agent, provider))
        url.searchParams.delete('provider')
        const target = new URL(`/api/v1/auth/${path}`, url)
        for (const [name, value] of url.searchParams) target.searchParams.append(name, value)
        return agent.fetch(target.href, { headers: { accept } })
      }

    it.each([
      ['good', 'callback?provider=evil', 'that of evil'],
      ['good', 'callback/evil', 'that evil would have as a path'],
      ['good', 'callback/missing', 'that of an unknown provider'],
      ['good', 'callback', 'without a provider'],
      ['good', 'callback?provider=good', 'its own with a query instead'],
      ['good', 'callback/good?provider=evil', 'its own with another provider beside it'],
      ['good', 'callback/good?provider=good', 'its own with itself beside it'],
      ['good', 'callback/GOOD', 'its own in capitals'],
      ['good', 'callback/goo%64', 'its own with an escape'],
      ['evil', 'callback/good', 'that of good'],
      ['evil', 'callback?provider=good', 'that good would have with a query'],
      ['evil', 'callback', 'without a provider'],
      ['evil', 'callback/evil', 'its own as a path'],
      ['evil', 'callback/evil?provider=evil', 'its own as a path and a query'],
      ['evil', 'callback?provider=EVIL', 'its own in capitals'],
      ['evil', 'callback?Provider=evil', 'its own with another name'],
    ])('a flow that began at %s is refused at %s: %s', async (began, path) => {
      const asked = tokenRequests()
      const attack = comingBack(began, path)
      await expectRefused(scene, attack, { code: 'AUTH_TRANSACTION_MISSING', provoked: false })
      expect(tokenRequests()).toBe(asked)
    })

    it.each([
      ['good', 'callback/good'],
      ['evil', 'callback?provider=evil'],
    ])('a flow that began at %s completes at its redirect URI, %s', async (began, path) => {
      const agent = scene.newAgent()
      const response = await comingBack(began, path)(agent, NAVIGATION)
      expect(response.status).toBe(303)
      expect((await me(agent)).authenticated).toBe(true)
    })

    it('a flow that ends at the redirect URIs of both is refused', async () => {
      const attack = comingBack('evil', 'callback?provider=evil&provider=good')
      await expectRefused(scene, attack, { code: 'VALIDATION_ERROR', provoked: false })
    })

    it('a response of evil with the iss of good is refused, and its code is not sent', async () => {
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

    it('the same subject at both is two users', async () => {
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
