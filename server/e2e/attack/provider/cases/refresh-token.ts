import { RENEWALS_DUE } from '../../../support/renewals-due.js'
import { afterEach, describe, expect, it } from 'vitest'
import { me } from '../../../support/sign-in.js'
import type { UserAgent } from '../../../support/user-agent.js'
import type { Tamper } from '../hostile-provider.js'
import { expectHealthy, expectQuietLog, NAVIGATION, signInAt } from '../refusal.js'
import type { Scene } from '../scene.js'
import { createSigningKey, sign, unsigned } from '../signing.js'
import {
  DEEP,
  huge,
  instead,
  MARKER,
  redirectLoop,
  VENOM,
  withClaims,
  withIdToken,
  withMembers,
  withText,
} from '../tampering.js'

const now = (): number => Math.floor(Date.now() / 1000)
/** A function for time-dependent claims: the table is built long before its last case runs. */
const claims = (more: Record<string, unknown> | (() => Record<string, unknown>)): Tamper =>
  withClaims((given) => ({ ...given, ...(typeof more === 'function' ? more() : more) }))

/**
 * OpenID Connect Core section 12.2, modelled on the refresh token plan of the OpenID Foundation. An
 * invalid refresh response changes nothing or ends the session; it never turns it into another user's.
 */
export const refreshTokenCases = (scene: Scene) =>
  describe('a hostile answer to a refresh token', () => {
    afterEach(() => scene.reset())

    /** Signs in with an access token that is due for refresh at the first read. */
    async function due(): Promise<UserAgent> {
      const agent = scene.newAgent()
      const response = await signInAt(scene)(agent, NAVIGATION)
      expect(response.status).toBe(303)
      await scene.query(RENEWALS_DUE)
      return agent
    }
    const tokens = (): Promise<unknown[]> =>
      scene.query('SELECT access_token, refresh_token, id_token FROM auth_provider_tokens')

    const ignored: [string, Tamper][] = [
      ['oidcc-client-test-refresh-token-invalid-iss', claims({ iss: 'http://localhost:1' })],
      ['oidcc-client-test-refresh-token-invalid-aud', claims({ aud: 'stranger' })],
      ['oidcc-client-test-refresh-token-invalid-azp', claims({ azp: 'stranger' })],
      ['an audience more', claims({ aud: ['test-client', 'stranger'] })],
      ['an id_token of algorithm none', withIdToken(({ claims: body }) => unsigned(body))],
      [
        'an id_token of a stranger',
        withIdToken(async ({ header, claims: body }) =>
          sign(header, { ...body, sub: 'grace' }, (await createSigningKey()).privateKey),
        ),
      ],
      ['an id_token that has expired', claims(() => ({ exp: now() - 3600 }))],
      ['an id_token from the future', claims(() => ({ iat: now() + 3600 }))],
      ['an id_token without a subject', claims({ sub: undefined })],
      ['an id_token about an empty subject', claims({ sub: '' })],
      ['an id_token about a number', claims({ sub: 1 })],
      ['an id_token about 256 characters', claims({ sub: 'a'.repeat(256) })],
      ['an id_token that is no JWT', withMembers({ id_token: MARKER })],
      ['an id_token that is a number', withMembers({ id_token: 1 })],
      ['no access token', withMembers({ access_token: undefined })],
      ['a page', instead(200, `<h1>${MARKER}</h1>`, { 'content-type': 'text/html' })],
      ['an error with markup', instead(400, JSON.stringify({ error: VENOM }))],
      ['server_error', instead(500, JSON.stringify({ error: 'server_error' }))],
      ['invalid_client', instead(401, JSON.stringify({ error: 'invalid_client' }))],
      ['two mebibytes', huge],
      ['lists in lists, broken off', instead(200, DEEP.slice(1))],
      ['a redirect to itself', redirectLoop('/token')],
    ]
    it.each(ignored)('%s changes nothing', async (_what, token) => {
      const agent = await due()
      const [before, person] = [await tokens(), scene.service.log.length]
      expect(before).toHaveLength(1)
      const tampered = scene.evil.tampered()
      scene.evil.tamper({ token })
      const first = await me(agent)
      expect(scene.evil.tampered()).toBe(tampered + 1)
      expect(first).toMatchObject({ authenticated: true, session: { subject: 'ada' } })
      expect(await tokens()).toEqual(before)
      // Back-off: the provider is not asked again at once.
      expect(await me(agent)).toEqual(first)
      expect(scene.evil.tampered()).toBe(tampered + 1)
      expectQuietLog(scene, person)
      await expectHealthy(scene)
    })

    const ended: [string, Tamper][] = [
      ['oidcc-client-test-refresh-token-invalid-sub', claims({ sub: 'grace' })],
      ['a subject in capital letters', claims({ sub: 'ADA' })],
      ['a subject with a NUL', claims({ sub: 'ada\u0000' })],
      ['invalid_grant', instead(400, JSON.stringify({ error: 'invalid_grant', x: VENOM }))],
      ['invalid_grant with status 200', instead(200, JSON.stringify({ error: 'invalid_grant' }))],
    ]
    it.each(ended)('%s ends the session', async (_what, token) => {
      const agent = await due()
      const line = scene.service.log.length
      scene.evil.tamper({ token })
      expect(await me(agent)).toEqual({ authenticated: false })
      expect((await scene.count()).sessions).toBe(0)
      expect(await tokens()).toEqual([])
      expectQuietLog(scene, line)
      await expectHealthy(scene)
    })

    const renewed: [string, Tamper][] = [
      ['oidcc-client-test-refresh-token', claims({})],
      ['an answer without an id_token', withMembers({ id_token: undefined })],
      ['an answer without a refresh token', withMembers({ refresh_token: undefined })],
      ['lists in lists beside the tokens', withText(/^\{/, `{"x":${DEEP},`)],
      [
        'another name and address in the id_token',
        claims({ name: 'Grace Hopper', email: 'grace@example.test' }),
      ],
    ]
    it.each(renewed)('%s renews the tokens and nothing else', async (_what, token) => {
      const agent = await due()
      const before = await tokens()
      scene.evil.tamper({ token })
      const { user, session } = await me(agent)
      expect(session.subject).toBe('ada')
      expect(user).toMatchObject({ displayName: 'Ada Lovelace', email: 'ada@example.test' })
      expect(session).toMatchObject({ roles: [] })
      const after = await tokens()
      expect(after).toHaveLength(1)
      expect(after).not.toEqual(before)
    })
  })
