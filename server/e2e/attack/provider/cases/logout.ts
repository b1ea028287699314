import { afterEach, describe, expect, it } from 'vitest'
import type { UserAgent } from '../../../support/user-agent.js'
import {
  expectAnonymous,
  expectHealthy,
  expectQuietLog,
  expectRefusal,
  NAVIGATION,
  signInAt,
} from '../refusal.js'
import type { Scene } from '../scene.js'
import { instead, MARKER, redirectLoop, VENOM } from '../tampering.js'

/** Modelled on the OpenID Foundation's RP-Initiated Logout tests; not a certification. */
export const logoutCases = (scene: Scene) =>
  describe('RP-initiated logout', () => {
    afterEach(() => scene.reset())

    /** Signs out at the service and returns the URL of the provider. */
    async function leaving(agent: UserAgent): Promise<URL> {
      expect((await signInAt(scene)(agent, NAVIGATION)).status).toBe(303)
      const signout = await agent.post('/api/v1/auth/signout', { redirectTo: '/bye' })
      const { logoutUrl } = (await signout.json()) as { logoutUrl: string }
      const logout = await agent.fetch(logoutUrl)
      expect(logout.status).toBe(303)
      return new URL(logout.headers.get('location') ?? '')
    }
    const back = (state: string | null): string =>
      `/api/v1/auth/logged-out${state === null ? '' : `?state=${encodeURIComponent(state)}`}`

    it('oidcc-client-test-rp-init-logout comes back with its state, once', async () => {
      const agent = scene.newAgent()
      const url = await leaving(agent)
      expect(url.origin).toBe(scene.evil.issuer)
      const state = url.searchParams.get('state') ?? ''
      const returned = await agent.fetch(back(state))
      expect(returned.status).toBe(303)
      expect(returned.headers.get('location')).toBe(`${scene.service.origin}/bye`)
      expectHome(await agent.fetch(back(state)))
    })

    const expectHome = (returned: Response): void => {
      expect(returned.status).toBe(303)
      expect(returned.headers.get('location')).toBe(`${scene.service.origin}/`)
    }
    const notValid: [string, (state: string) => string | null][] = [
      ['oidcc-client-test-rp-init-logout-no-state', () => null],
      ['an empty state', () => ''],
      ['oidcc-client-test-rp-init-logout-invalid-state', () => MARKER],
      ['a state in another case', (state) => swapCase(state)],
      ['a state and a byte more', (state) => `${state}A`],
      ['a state that is markup', () => VENOM],
    ]
    it.each(notValid)(
      '%s redirects to the front page, and the valid state still works',
      async (_what, change) => {
        const agent = scene.newAgent()
        const line = scene.service.log.length
        const state = (await leaving(agent)).searchParams.get('state') ?? ''
        for (const accept of ['application/json', NAVIGATION]) {
          for (const browser of [agent, scene.newAgent()]) {
            expectHome(await browser.fetch(back(change(state)), { headers: { accept } }))
            await expectAnonymous(browser)
          }
        }
        expectHome(await scene.newAgent().fetch(back(state)))
        const later = await agent.fetch(back(state))
        expect(later.headers.get('location')).toBe(`${scene.service.origin}/bye`)
        expectQuietLog(scene, line)
        await expectHealthy(scene)
      },
    )

    it('a state of 1,000 characters is refused', async () => {
      const response = await scene.newAgent().fetch(back('x'.repeat(1000)))
      await expectRefusal(response, 'VALIDATION_ERROR')
    })

    it('the states of sign-ins and sign-outs are not interchangeable', async () => {
      const agent = scene.newAgent()
      const logOut = (await leaving(agent)).searchParams.get('state') ?? ''
      const callback = new URL(await scene.callbackUrl(agent))
      const signIn = callback.searchParams.get('state') ?? ''
      expectHome(await agent.fetch(back(signIn)))
      callback.searchParams.set('state', logOut)
      await expectRefusal(await agent.fetch(callback.href), 'AUTH_TRANSACTION_MISSING')
      await expectAnonymous(agent)
    })

    it.each([
      ['an error', instead(400, JSON.stringify({ error: VENOM }))],
      ['a page', instead(500, `<h1>${MARKER}</h1>`, { 'content-type': 'text/html' })],
      ['a redirect to itself', redirectLoop('/token/revocation')],
    ])('%s from the revocation endpoint keeps no user signed in', async (_what, revocation) => {
      const agent = scene.newAgent()
      await signInAt(scene)(agent, NAVIGATION)
      const [line, tampered] = [scene.service.log.length, scene.evil.tampered()]
      scene.evil.tamper({ revocation })
      expect((await agent.post('/api/v1/auth/signout')).status).toBe(200)
      expect(scene.evil.tampered()).toBe(tampered + 1)
      await expectAnonymous(agent)
      expect((await scene.count()).sessions).toBe(0)
      expectQuietLog(scene, line)
    })
  })

const swapCase = (text: string): string =>
  text.replace(/[a-z]/gi, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()))
