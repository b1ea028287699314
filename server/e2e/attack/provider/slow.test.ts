import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RENEWALS_DUE } from '../../support/renewals-due.js'
import { me, type Me } from '../../support/sign-in.js'
import type { UserAgent } from '../../support/user-agent.js'
import type { Tampering } from './hostile-provider.js'
import {
  expectAnonymous,
  expectHealthy,
  expectQuietLog,
  expectRefusal,
  NAVIGATION,
  signInAt,
  startAt,
} from './refusal.js'
import { type Scene, startScene } from './scene.js'
import { endless, silence, withMembers } from './tampering.js'

/** Each has a provider of its own, so that all of them can be slow at the same time. */
const AT_SIGN_IN: Record<string, Tampering> = {
  'silent-metadata': { metadata: silence },
  'endless-metadata': { metadata: endless },
}
const AT_CALLBACK: Record<string, Tampering> = {
  'silent-keys': { jwks: silence },
  'endless-keys': { jwks: endless },
  'silent-token': { token: silence },
  'endless-token': { token: endless },
}
/** The id_token already identifies the user. */
const AT_USER_INFO: Record<string, Tampering> = {
  'silent-userinfo': { userinfo: silence },
  'endless-userinfo': { userinfo: endless },
}
const REFUSED = [...Object.keys(AT_SIGN_IN), ...Object.keys(AT_CALLBACK)]
const SIGNED_IN = ['silent-renewal', 'silent-revocation', ...Object.keys(AT_USER_INFO)]

describe('a provider that takes its time', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await startScene({ more: [...REFUSED, ...SIGNED_IN], claimsOnlyAtUserInfo: true })
  })
  afterAll(() => scene.close())

  it('times out while other requests are served', async () => {
    const ready = await Promise.all([
      ...Object.entries(AT_SIGN_IN).map(([id, tampering]) => atSignIn(id, tampering)),
      ...Object.entries(AT_CALLBACK).map(([id, tampering]) => atCallback(id, tampering, refused)),
      ...Object.entries(AT_USER_INFO).map(([id, tampering]) => atCallback(id, tampering, signedIn)),
      renewal(),
      revocation(),
    ])
    let waiting = 0
    const attacks = ready.flat().map(async (attack) => {
      waiting += 1
      const check = await attack().finally(() => (waiting -= 1))
      await check()
    })
    const all = Promise.all(attacks)
    // Requests that do not need the slow provider are not delayed.
    const served = expectHealthy(scene).then(() => expect(waiting).toBe(attacks.length))
    await Promise.all([all, served])

    for (const id of [...REFUSED, ...SIGNED_IN]) {
      expect(scene.hostile[id]!.tampered()).toBeGreaterThan(0)
      scene.hostile[id]!.tamper({})
    }
    // Two at each userinfo endpoint, and the refreshed one.
    expect((await scene.count()).sessions).toBe(2 * Object.keys(AT_USER_INFO).length + 1)
    expectQuietLog(scene)
    // The provider recovers, and sign-in works again at once.
    for (const id of REFUSED) {
      const agent = scene.newAgent()
      expect((await signInAt(scene, id)(agent, NAVIGATION)).status).toBe(303)
    }
  })

  /** An operation that waits for the provider, and what must hold afterwards. */
  type Waiting = () => Promise<() => Promise<void>>
  const CALLERS = ['application/json', NAVIGATION]

  type Check = (agent: UserAgent, accept: string, response: Response) => () => Promise<void>
  const refused: Check = (agent, accept, response) => async () => {
    await expectRefusal(response, 'AUTH_PROVIDER_ERROR', accept)
    await expectAnonymous(agent)
  }
  const signedIn: Check = (agent) => async () => {
    const { user, session } = await me(agent)
    expect({ subject: session.subject, user }).toEqual({ subject: 'ada', user: { id: user.id } })
  }

  async function atSignIn(id: string, tampering: Tampering): Promise<Waiting[]> {
    scene.hostile[id]!.tamper(tampering)
    return CALLERS.map((accept) => async () => {
      const agent = scene.newAgent()
      return refused(agent, accept, await startAt(id)(agent, accept))
    })
  }

  async function atCallback(id: string, tampering: Tampering, check: Check): Promise<Waiting[]> {
    const attacks: Waiting[] = []
    for (const accept of CALLERS) {
      const agent = scene.newAgent()
      const url = await scene.callbackUrl(agent, id)
      attacks.push(async () =>
        check(agent, accept, await agent.fetch(url, { headers: { accept } })),
      )
    }
    scene.hostile[id]!.tamper(tampering)
    return attacks
  }

  /** A token refresh that hangs delays the reader by some seconds and ends no session. */
  async function renewal(): Promise<Waiting[]> {
    const { agent, provider } = await startSession('silent-renewal')
    await scene.query(RENEWALS_DUE)
    provider.tamper({ token: silence })
    return [
      async () => {
        const person: Me = await me(agent)
        return async () => expect(person.session.subject).toBe('ada')
      },
    ]
  }

  /** Signing out waits for the revocation; the session has ended before that. */
  async function revocation(): Promise<Waiting[]> {
    const { agent, provider } = await startSession('silent-revocation')
    const { origin } = scene.service
    const cookie = await agent.jar.getCookieString(origin.replace('http:', 'https:'))
    provider.tamper({ revocation: silence })
    return [
      async () => {
        const [signout] = await Promise.all([
          agent.post('/api/v1/auth/signout'),
          expect
            .poll(() => provider.tampered(), { timeout: 30_000 })
            .toBeGreaterThan(1)
            .then(async () => {
              const stolen = await agent.fetch('/api/v1/auth/me', { headers: { cookie } })
              expect(await stolen.text()).toBe('{"authenticated":false}')
            }),
        ])
        return async () => expect(signout.status).toBe(200)
      },
    ]
  }

  async function startSession(id: string) {
    const provider = scene.hostile[id]!
    provider.tamper({ token: withMembers({ expires_in: id === 'silent-renewal' ? 30 : 3600 }) })
    const agent = scene.newAgent()
    expect((await signInAt(scene, id)(agent, NAVIGATION)).status).toBe(303)
    return { agent, provider }
  }
})
