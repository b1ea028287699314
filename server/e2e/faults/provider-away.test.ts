import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type Endpoint,
  type HostileProvider,
  startHostileProvider,
  type Tamper,
  type Tampering,
} from '../attack/provider/hostile-provider.js'
import { instead, silence, withMembers } from '../attack/provider/tampering.js'
import { completeLogin } from '../support/oidc-login.js'
import { me, SESSION_COOKIE, signIn, startSignIn } from '../support/sign-in.js'
import { createUserAgent, type UserAgent } from '../support/user-agent.js'
import { type Load, startLoad } from './load.js'
import { type Scene, startScene } from './scene.js'
import type { ServiceProcess } from './service-process.js'

const ENDPOINTS: readonly Endpoint[] = ['metadata', 'jwks', 'token', 'userinfo', 'revocation']
const everywhere = (tamper: Tamper): Tampering =>
  Object.fromEntries(ENDPOINTS.map((endpoint) => [endpoint, tamper]))

const TROUBLES: [string, Tampering][] = [
  ['answers 500', everywhere(instead(500, '{"error":"server_error"}'))],
  ['answers garbage', everywhere(instead(200, '\u0000\u0001{"access_token":'))],
  ['answers what is not an answer', everywhere(instead(200, '{}'))],
  ['says nothing', everywhere(silence)],
]
/** An access token that must be refreshed at once. */
const SHORT: Tampering = { token: withMembers({ expires_in: 30 }) }

describe('the provider is in trouble', () => {
  let provider: HostileProvider
  let scene: Scene
  let service: ServiceProcess
  let load: Load
  beforeAll(async () => {
    scene = await startScene({
      async provider(origin) {
        provider = await startHostileProvider({
          redirectUri: `${origin}/api/v1/auth/callback`,
          postLogoutRedirectUri: `${origin}/api/v1/auth/logged-out`,
          claimsOnlyAtUserInfo: true,
        })
        return provider
      },
    })
    service = scene.services[0]!
  })
  afterAll(() => scene.close())

  beforeEach(() => {
    load = startLoad(service.origin, scene.people, 2)
  })
  // Signed-in users who need nothing from the provider are unaffected.
  afterEach(async () => {
    await load.more('right', 20)
    await load.finish(['right'])
    service.expectUnharmed()
  })

  const newAgent = (): UserAgent => createUserAgent(scene.settings.origin)
  const signedIn = async (tampering: Tampering = {}): Promise<UserAgent> => {
    provider.tamper(tampering)
    const agent = newAgent()
    expect((await signIn(agent)).status).toBe(303)
    return agent
  }
  /** Just before the callback: the provider has approved, and no code has been exchanged. */
  const atCallback = async (): Promise<() => Promise<Response>> => {
    const agent = newAgent()
    const { redirectUrl } = await startSignIn(agent)
    const url = await completeLogin(redirectUrl, { login: 'grace' })
    return () => agent.fetch(url)
  }
  const expectRefused = async (response: Response): Promise<void> => {
    expect(response.status).toBe(502)
    expect(response.headers.getSetCookie().join()).not.toContain(SESSION_COOKIE)
    expect(await response.json()).toMatchObject({ code: 'AUTH_PROVIDER_ERROR' })
  }
  const expectSignedOut = async (agent: UserAgent): Promise<void> => {
    const cookie = await agent.jar.getCookieString('https://localhost/')
    expect((await agent.post('/api/v1/auth/signout')).status).toBe(200)
    // A copied cookie is worthless too.
    const stolen = await agent.fetch('/api/v1/auth/me', { headers: { cookie } })
    expect(await stolen.json()).toEqual({ authenticated: false })
  }

  it.each(TROUBLES)(
    '%s: sign-in is 502, renewal costs no user the session, sign-out works',
    async (_what, trouble) => {
      const [renewing, leaving] = [await signedIn(SHORT), await signedIn()]
      const callback = await atCallback()
      provider.tamper(trouble)
      await Promise.all([
        callback().then(expectRefused),
        me(renewing).then((answer) => expect(answer.session.subject).toBe('ada')),
        expectSignedOut(leaving),
      ])
      expect(provider.tampered()).toBeGreaterThan(2)
      expect((await me(renewing)).session.subject).toBe('ada')
      expect(await service.readiness()).toBe(200)
      // Sign-out works again at once.
      await expectSignedOut(await signedIn())
      await expectSignedOut(renewing)
    },
  )

  it('a process that starts meanwhile is ready, knows all users, and signs in afterwards', async () => {
    const renewing = await signedIn(SHORT)
    await load.stop()
    await service.end('SIGKILL')
    provider.tamper(everywhere(instead(500, '{}')))
    service = await scene.startService(Number(new URL(service.origin).port))
    load = startLoad(service.origin, scene.people, 2)
    expect(await service.readiness()).toBe(200)
    expect((await me(renewing)).session.subject).toBe('ada')
    await expectRefused(await newAgent().post('/api/v1/auth/signin'))
    provider.tamper({})
    await expectSignedOut(await signedIn())
  })

  it('is gone: sign-in is 502, renewal costs no user the session, sign-out works', async () => {
    const [renewing, leaving] = [await signedIn(SHORT), await signedIn()]
    const callback = await atCallback()
    await provider.stop()
    await expectRefused(await callback())
    expect((await me(renewing)).session.subject).toBe('ada')
    await expectSignedOut(leaving)
    expect((await me(renewing)).session.subject).toBe('ada')
    expect(await service.readiness()).toBe(200)
  })
})
