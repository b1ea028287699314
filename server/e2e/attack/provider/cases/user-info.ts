import { afterEach, describe, expect, it } from 'vitest'
import { me } from '../../../support/sign-in.js'
import type { Tamper } from '../hostile-provider.js'
import { expectQuietLog, expectRefused, NAVIGATION, signInAt } from '../refusal.js'
import type { Scene } from '../scene.js'
import { createSigningKey, sign, unsigned } from '../signing.js'
import {
  DEEP,
  huge,
  instead,
  json,
  MARKER,
  redirectLoop,
  VENOM,
  withMembers,
} from '../tampering.js'

const jwt = (make: (claims: Record<string, unknown>) => string | Promise<string>): Tamper => {
  return async (answer, { issuer, client }) => ({
    ...answer,
    headers: { ...answer.headers, 'content-type': 'application/jwt' },
    body: await make({ iss: issuer, aud: client.clientId, sub: 'ada', name: MARKER }),
  })
}

/**
 * Responses of a hostile userinfo endpoint in place of the user's claims (OpenID Connect Core section
 * 5.3).
 */
export const userInfoCases = (scene: Scene) =>
  describe('a hostile answer of the user info endpoint', () => {
    afterEach(() => scene.reset())

    const refused: [string, Tamper][] = [
      ['about another subject', json(() => ({ sub: 'grace', name: 'Grace Hopper' }))],
      ['about no subject', withMembers({ sub: undefined })],
      ['about a number', withMembers({ sub: 1 })],
      ['about a list with the person', withMembers({ sub: ['ada'] })],
      ['about the person in capital letters', withMembers({ sub: 'ADA' })],
      ['about the person with a NUL', withMembers({ sub: 'ada\u0000' })],
      ['about the prototype', instead(200, '{"__proto__":{"sub":"ada"},"name":"x"}')],
      ['a page', instead(200, `<h1>${MARKER}</h1>`, { 'content-type': 'text/html' })],
      ['a page that says it is JSON', instead(200, `<h1>${MARKER}</h1>`)],
      ['nothing', instead(200, '')],
      ['a list', instead(200, '[{"sub":"ada"}]')],
      ['null', instead(200, 'null')],
      ['control characters', instead(200, VENOM)],
      ['an address that breaks off', instead(200, '{"email":"ada@example.test')],
      ['lists in lists, not of JSON', instead(200, DEEP.slice(1))],
      ['two mebibytes', huge],
      ['a redirect to itself', redirectLoop('/me')],
      ['a JWT of algorithm none', jwt((claims) => unsigned(claims))],
      [
        'a JWT of a stranger',
        jwt(async (claims) =>
          sign({ alg: 'RS256' }, claims, (await createSigningKey()).privateKey),
        ),
      ],
    ]
    it.each(refused)('%s is refused', async (_what, userinfo) => {
      scene.evil.tamper({ userinfo })
      await expectRefused(scene, signInAt(scene))
    })

    it('is not followed elsewhere with the access token', async () => {
      const before = scene.evil.requests.length
      scene.evil.tamper({ userinfo: redirectLoop('/me') })
      await expectRefused(scene, signInAt(scene))
      const requests = scene.evil.requests.slice(before)
      expect(requests.filter(({ endpoint }) => endpoint === 'userinfo')).toHaveLength(2)
    })

    it.each<[number, string]>([
      ...[400, 401, 403, 404, 429, 500, 502, 503, 504].map((status): [number, string] => [
        status,
        'application/json',
      ]),
      [404, 'text/html'],
      [503, 'text/html'],
    ])('%i as %s signs in with what the id_token says', async (status, type) => {
      const line = scene.service.log.length
      const body = `{"name":"${MARKER}","sub":"grace","roles":["admin"],"email_verified":true}`
      scene.evil.tamper({ userinfo: instead(status, body, { 'content-type': type }) })
      const agent = scene.newAgent()
      expect((await signInAt(scene)(agent, NAVIGATION)).status).toBe(303)
      expectQuietLog(scene, line)
      const { user, session } = await me(agent)
      expect(session).toMatchObject({ subject: 'ada', roles: [] })
      expect(user).toEqual({ id: user.id })
      await agent.post('/api/v1/auth/signout')
    })

    it('cannot change the user, only their profile', async () => {
      scene.evil.tamper({
        userinfo: withMembers({
          iss: 'http://localhost:1',
          aud: 'x',
          nonce: 'x',
          name: 'New Name',
        }),
      })
      const agent = scene.newAgent()
      await signInAt(scene)(agent, NAVIGATION)
      const { user, session } = await me(agent)
      expect({ subject: session.subject, name: user.displayName }).toEqual({
        subject: 'ada',
        name: 'New Name',
      })
      expect(JSON.stringify(session)).not.toContain('localhost:1')
      await agent.post('/api/v1/auth/signout')
    })
  })
