import { afterEach, describe, expect, it } from 'vitest'
import { completeLogin } from '../../../support/oidc-login.js'
import { me, SESSION_COOKIE, startSignIn } from '../../../support/sign-in.js'
import type { UserAgent } from '../../../support/user-agent.js'
import { expectAnonymous, expectRefusal, expectRefused, NAVIGATION } from '../refusal.js'
import type { Scene } from '../scene.js'

const withQuery = (url: string, more: Record<string, string | null>): string => {
  const changed = new URL(url)
  for (const [name, value] of Object.entries(more)) changed.searchParams.set(name, value ?? '')
  return changed.href
}
const query = (url: string, name: string): string => new URL(url).searchParams.get(name) ?? ''

/** RFC 9700 sections 4.5 and 4.7: a flow is bound to the browser that started it. */
export const browserBindingCases = (scene: Scene) =>
  describe('an attacker who has a flow of their own', () => {
    afterEach(() => scene.reset())

    /** A callback URL that the attacker obtained at the provider but did not open. */
    const attackerUrl = async (agent: UserAgent = scene.newAgent()): Promise<string> =>
      scene.callbackUrl(agent, 'evil', 'grace')

    const attacks: [
      string,
      Parameters<typeof expectRefused>[1],
      'AUTH_TRANSACTION_MISSING' | 'AUTH_PROVIDER_ERROR',
    ][] = [
      [
        'login CSRF: their callback URL in a browser without a flow',
        async (agent, accept) => agent.fetch(await attackerUrl(), { headers: { accept } }),
        'AUTH_TRANSACTION_MISSING',
      ],
      [
        'login CSRF: their callback URL in a browser with a flow of its own',
        async (agent, accept) => {
          await scene.callbackUrl(agent)
          return agent.fetch(await attackerUrl(), { headers: { accept } })
        },
        'AUTH_TRANSACTION_MISSING',
      ],
      [
        'code injection: their code in the flow of the victim',
        async (agent, accept) => {
          const own = await scene.callbackUrl(agent)
          const url = withQuery(own, { code: query(await attackerUrl(), 'code') })
          return agent.fetch(url, { headers: { accept } })
        },
        'AUTH_PROVIDER_ERROR',
      ],
      [
        'code injection: the code of the same person from another browser',
        async (agent, accept) => {
          const elsewhere = await scene.callbackUrl(scene.newAgent())
          const own = await scene.callbackUrl(agent)
          return agent.fetch(withQuery(own, { code: query(elsewhere, 'code') }), {
            headers: { accept },
          })
        },
        'AUTH_PROVIDER_ERROR',
      ],
      [
        'swapped codes of two flows of one browser',
        async (agent, accept) => {
          const [one, two] = [await scene.callbackUrl(agent), await scene.callbackUrl(agent)]
          const first = await agent.fetch(withQuery(one, { code: query(two, 'code') }))
          await expectRefusal(first, 'AUTH_PROVIDER_ERROR')
          return agent.fetch(withQuery(two, { code: query(one, 'code') }), { headers: { accept } })
        },
        'AUTH_PROVIDER_ERROR',
      ],
      [
        'swapped states of two flows of one browser',
        async (agent, accept) => {
          const [one, two] = [await scene.callbackUrl(agent), await scene.callbackUrl(agent)]
          return agent.fetch(withQuery(one, { state: query(two, 'state') }), {
            headers: { accept },
          })
        },
        'AUTH_PROVIDER_ERROR',
      ],
      [
        'the state of the victim with the transaction of the attacker in the cookie of the victim',
        async (agent, accept) => {
          const attacker = scene.newAgent()
          await attackerUrl(attacker)
          const own = await scene.callbackUrl(agent)
          const [secret] = Object.values(await attacker.cookies('/'))
          const [name] = Object.keys(await agent.cookies('/'))
          return agent.fetch(own, { headers: { accept, cookie: `${name}=${secret}` } })
        },
        'AUTH_TRANSACTION_MISSING',
      ],
      [
        'a transaction cookie that is there twice',
        async (agent, accept) => {
          const own = await scene.callbackUrl(agent)
          const [[name, secret] = []] = Object.entries(await agent.cookies('/'))
          const cookie = `${name}=${secret}; ${name}=${secret}`
          return agent.fetch(own, { headers: { accept, cookie } })
        },
        'AUTH_TRANSACTION_MISSING',
      ],
      [
        'a session token as the transaction',
        async (agent, accept) => {
          const other = scene.newAgent()
          await other.fetch(await attackerUrl(other))
          const session = (await other.cookies('/'))[SESSION_COOKIE] ?? ''
          await other.post('/api/v1/auth/signout')
          const own = await scene.callbackUrl(agent)
          const [name] = Object.keys(await agent.cookies('/'))
          return agent.fetch(own, {
            headers: { accept, cookie: `${name}=${session.split('.')[0]}` },
          })
        },
        'AUTH_TRANSACTION_MISSING',
      ],
    ]
    it.each(attacks)('%s', async (_what, attack, code) => {
      // The user of the legitimate sign-in is known already; no new user may appear.
      const known = scene.newAgent()
      await known.fetch(await attackerUrl(known))
      await known.post('/api/v1/auth/signout')
      const expected = /with the transaction of|session token as/.test(_what)
        ? ('AUTH_TRANSACTION_EXPIRED' as const)
        : code
      await expectRefused(scene, attack, { code: expected, provoked: false })
    })

    it('a replayed callback signs in once', async () => {
      const agent = scene.newAgent()
      const url = await scene.callbackUrl(agent)
      const cookie = await agent.jar.getCookieString(url.replace('http:', 'https:'))
      expect((await agent.fetch(url)).status).toBe(303)
      await agent.post('/api/v1/auth/signout')
      // The browser has dropped the cookie, and a stolen copy is useless too.
      await expectRefusal(await agent.fetch(url), 'AUTH_TRANSACTION_MISSING')
      for (const accept of ['application/json', NAVIGATION]) {
        const replay = await agent.fetch(url, { headers: { accept, cookie } })
        await expectRefusal(replay, 'AUTH_TRANSACTION_EXPIRED', accept)
      }
      await expectAnonymous(agent)
    })

    it('a replayed code is refused in the next flow of the same browser', async () => {
      const agent = scene.newAgent()
      const first = await scene.callbackUrl(agent)
      expect((await agent.fetch(first)).status).toBe(303)
      await agent.post('/api/v1/auth/signout')
      await expectRefused(
        scene,
        async (browser, accept) => {
          const next = await scene.callbackUrl(browser)
          return browser.fetch(withQuery(next, { code: query(first, 'code') }), {
            headers: { accept },
          })
        },
        { provoked: false },
      )
    })

    it('leaves a signed-in victim signed in as themselves', async () => {
      const victim = scene.newAgent()
      await victim.fetch(await scene.callbackUrl(victim))
      const before = await me(victim)
      const url = await attackerUrl()
      const home = await victim.fetch(url, { headers: { accept: NAVIGATION } })
      expect(home.status).toBe(303)
      expect(home.headers.get('location')).toBe(`${scene.service.origin}/`)
      expect(home.headers.getSetCookie()).toEqual([])
      const refused = await victim.fetch(url, { headers: { accept: 'application/json' } })
      await expectRefusal(refused, 'AUTH_TRANSACTION_MISSING')
      expect(await me(victim)).toEqual(before)
      await victim.post('/api/v1/auth/signout')
    })

    it('cannot fix a session: theirs ends when the victim signs in with it', async () => {
      const attacker = scene.newAgent()
      await attacker.fetch(await attackerUrl(attacker))
      const planted = (await attacker.cookies('/'))[SESSION_COOKIE] ?? ''
      const victim = scene.newAgent()
      const { origin } = scene.service
      await victim.jar.setCookie(
        `${SESSION_COOKIE}=${planted}; Path=/; Secure; HttpOnly`,
        origin.replace('http:', 'https:'),
      )
      expect((await victim.fetch(await scene.callbackUrl(victim))).status).toBe(303)
      expect((await victim.cookies('/'))[SESSION_COOKIE]).not.toBe(planted)
      expect((await me(victim)).session.subject).toBe('ada')
      expect(await me(attacker)).toEqual({ authenticated: false })
      expect((await scene.count()).sessions).toBe(1)
    })

    it.each(['planted', 'a.b', '', 'j:{"id":"x"}', 'x'.repeat(3000)])(
      'cannot make the service adopt the session id %#',
      async (planted) => {
        const victim = scene.newAgent()
        const url = await scene.callbackUrl(victim)
        const own = await victim.jar.getCookieString(url.replace('http:', 'https:'))
        const cookie = `${SESSION_COOKIE}=${planted}; ${own}`
        const response = await victim.fetch(url, { headers: { cookie } })
        expect(response.status).toBe(303)
        expect((await victim.cookies('/'))[SESSION_COOKIE]).not.toBe(planted)
        const adopted = await victim.fetch('/api/v1/auth/me', {
          headers: { cookie: `${SESSION_COOKIE}=${planted}` },
        })
        expect(await adopted.text()).toBe('{"authenticated":false}')
      },
    )

    it('cannot use a transaction as a session, nor its state', async () => {
      const agent = scene.newAgent()
      const { state } = await startSignIn(agent, { providerId: 'evil' })
      const [secret = ''] = Object.values(await agent.cookies('/'))
      for (const value of [secret, state, `${secret}.${state}`, `${state}.${secret}`]) {
        const response = await agent.fetch('/api/v1/auth/me', {
          headers: { cookie: `${SESSION_COOKIE}=${value}` },
        })
        expect(await response.text()).toBe('{"authenticated":false}')
      }
    })

    it('always meets S256, a fresh state and a fresh nonce', async () => {
      const seen: string[] = []
      for (let flow = 0; flow < 3; flow += 1) {
        const { redirectUrl } = await startSignIn(scene.newAgent(), { providerId: 'evil' })
        const asked = new URL(redirectUrl).searchParams
        expect(asked.getAll('code_challenge_method')).toEqual(['S256'])
        expect(asked.getAll('response_mode')).toEqual(['query'])
        expect(asked.getAll('response_type')).toEqual(['code'])
        const fresh = ['state', 'nonce', 'code_challenge'].map((name) => asked.get(name) ?? '')
        for (const value of fresh) expect(value).toMatch(/^[\w-]{43}$/)
        seen.push(...fresh)
      }
      expect(new Set(seen).size).toBe(9)
    })

    it('gets no code without the challenge, which the provider requires', async () => {
      const { redirectUrl } = await startSignIn(scene.newAgent(), { providerId: 'evil' })
      const stripped = new URL(redirectUrl)
      stripped.searchParams.delete('code_challenge')
      stripped.searchParams.delete('code_challenge_method')
      expect(await completeLogin(stripped, { login: 'ada' })).toContain('error=invalid_request')
    })
  })
