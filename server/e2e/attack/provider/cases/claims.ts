import { afterEach, describe, expect, it } from 'vitest'
import { type Me, me } from '../../../support/sign-in.js'
import type { UserAgent } from '../../../support/user-agent.js'
import type { Tamper, Tampering } from '../hostile-provider.js'
import { expectHealthy, expectQuietLog, expectRefused, NAVIGATION, signInAt } from '../refusal.js'
import type { Scene } from '../scene.js'
import { DEEP, MARKER, VENOM, withClaims, withMembers, withText } from '../tampering.js'

/** RFC 6749 section 3.3, with the maximum length of a requested scope. */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/
const MAX_ENTRY_BYTES = 8 * 1024
const POLLUTION =
  '"__proto__":{"polluted":true,"roles":["admin"]},"constructor":{"prototype":{"polluted":true}},"prototype":{"polluted":true}'

/** Adds members as JSON text, which can name a prototype. */
const withJson = (members: string): Tamper =>
  withClaims((claims) => JSON.stringify(claims).replace(/^\{/, `{${members},`))

/** Claims and tokens that verify but are excessively large. */
export const claimsCases = (scene: Scene) =>
  describe('claims that are valid and hostile', () => {
    let from = { request: 0, line: 0 }
    afterEach(() => scene.reset())

    async function signedIn(tampering: Tampering): Promise<Me & { agent: UserAgent }> {
      from = { request: scene.evil.requests.length, line: scene.service.log.length }
      scene.evil.tamper(tampering)
      const agent = scene.newAgent()
      const response = await signInAt(scene)(agent, NAVIGATION)
      expect({ status: response.status, text: await response.text() }).toMatchObject({
        status: 303,
      })
      return { ...(await me(agent)), agent }
    }
    /** The stored session stays small, the log clean, and the session can be ended. */
    async function expectBounded(agent: UserAgent): Promise<void> {
      const grants = scene.evil.requests
        .slice(from.request)
        .map(({ form }) => form.get('grant_type'))
      expect(grants).not.toContain('refresh_token')
      const rows = await scene.query<{ bytes: number }>(
        'SELECT max(octet_length(value))::int AS bytes FROM auth_keyv WHERE user_id IS NOT NULL',
      )
      expect(rows[0]?.bytes).toBeLessThanOrEqual(MAX_ENTRY_BYTES)
      scene.evil.tamper({})
      expect((await agent.post('/api/v1/auth/signout')).status).toBe(200)
      expect((await scene.count()).sessions).toBe(0)
      await expectHealthy(scene)
      expectQuietLog(scene, from.line)
    }

    const kept: [string, Tampering][] = [
      [
        'half a megabyte of name',
        { token: withClaims((c) => ({ ...c, name: 'x'.repeat(500_000) })) },
      ],
      [
        'ten thousand roles and groups',
        {
          token: withClaims((c) => {
            const list = Array.from({ length: 10_000 }, (_, n) => `role-${n}`)
            return { ...c, roles: list, groups: list }
          }),
        },
      ],
      [
        'a thousand claims',
        {
          token: withClaims((c) =>
            Object.assign(
              Object.fromEntries(
                Array.from({ length: 1000 }, (_, n) => [`c${n}`, 'x'.repeat(100)]),
              ),
              c,
            ),
          ),
        },
      ],
      ['lists in lists', { token: withJson(`"groups":${DEEP}`) }],
      ['lists in lists where we do not look', { token: withJson(`"x":${DEEP}`) }],
      ['lists in lists beside the tokens', { token: withText(/^\{/, `{"x":${DEEP},`) }],
      [
        'a scope of half a megabyte',
        { token: withMembers({ scope: `openid ${'x'.repeat(500_000)}` }) },
      ],
      [
        'fifty thousand scopes',
        {
          token: withMembers({
            scope: Array.from({ length: 50_000 }, (_, n) => `s${n}`).join(' '),
          }),
        },
      ],
      ['a scope with a NUL', { token: withMembers({ scope: 'openid a\u0000b' }) }],
      ['a scope with half a character', { token: withMembers({ scope: 'openid a\ud800b' }) }],
      ['an empty scope', { token: withMembers({ scope: '' }) }],
      ['a lifetime of a million years', { token: withMembers({ expires_in: 3e13 }) }],
      ['a lifetime that overflows', { token: withMembers({ expires_in: 1e308 }) }],
      [
        'an access token of half a megabyte',
        { token: withMembers({ access_token: 'x'.repeat(500_000) }) },
      ],
      [
        'text that Postgres cannot store',
        { token: withClaims((c) => ({ ...c, name: 'a\u0000\ud800b', groups: ['\u0000'] })) },
      ],
      [
        'a session id that is an object',
        { token: withClaims((c) => ({ ...c, sid: { $ne: null } })) },
      ],
      [
        'a session id of half a megabyte',
        { token: withClaims((c) => ({ ...c, sid: 'x'.repeat(500_000) })) },
      ],
    ]
    it.each(kept)('%s sign in, and are truncated', async (_what, tampering) => {
      const { session, agent } = await signedIn(tampering)
      expect(session.subject).toBe('ada')
      const { scopes } = session as unknown as { scopes: string[] }
      const odd = scopes.filter((scope) => !SCOPE_TOKEN.test(scope))
      expect(odd.map((scope) => scope.slice(0, 40))).toEqual([])
      await expectBounded(agent)
    })

    it('are truncated when all of them have the maximum length', async () => {
      const wide = '\u754c'
      const { agent } = await signedIn({
        token: async (answer, provider) =>
          withMembers({ scope: Array.from({ length: 500 }, (_, n) => `scope-${n}`).join(' ') })(
            await withClaims((c) => ({
              ...c,
              sub: 's'.repeat(255),
              sid: 's'.repeat(255),
              name: wide.repeat(255),
              email: wide.repeat(320),
              picture: `https://pictures.test/${'p'.repeat(2000)}`,
              profile: wide.repeat(1024),
              groups: Array.from({ length: 100 }, () => wide.repeat(9)),
              roles: Array.from({ length: 100 }, (_, n) => `role-${n}`),
            }))(answer, provider),
            provider,
          ),
      })
      await expectBounded(agent)
    })

    it('a mebibyte of them is refused', async () => {
      scene.evil.tamper({ token: withClaims((c) => ({ ...c, name: 'x'.repeat(1024 * 1024) })) })
      await expectRefused(scene, signInAt(scene))
    })

    it.each([
      ['the id_token', { token: withJson(POLLUTION) }],
      ['a claim of it', { token: withJson(`"groups":{${POLLUTION}}`) }],
      ['the token response', { token: withText(/^\{/, `{${POLLUTION},`) }],
    ] satisfies [string, Tampering][])(
      'pollute no prototype from %s',
      async (_where, tampering) => {
        const { session, user, agent } = await signedIn(tampering)
        expect({}).not.toHaveProperty('polluted')
        expect(JSON.stringify({ session, user })).not.toMatch(/polluted|admin/)
        expect(session).toMatchObject({ roles: [] })
        await expectBounded(agent)
      },
    )

    it('show as text on the page', async () => {
      const { agent, user } = await signedIn({
        token: withClaims((c) => ({
          ...c,
          name: VENOM,
          picture: `javascript:alert('${MARKER}')`,
          email: `"><script>${MARKER}</script>@example.test`,
          email_verified: 'yes',
        })),
      })
      expect(user).not.toHaveProperty('imageUrl')
      expect(user.emailVerified).not.toBe(true)
      const page = await agent.fetch('/', { headers: { accept: NAVIGATION } })
      const text = await page.text()
      expect(text).toContain(MARKER)
      expect(text).not.toMatch(/<script>(?:alert|hostile)|javascript:/)
      await expectBounded(agent)
    })

    it('leave the logout URL short enough for every proxy', async () => {
      const { agent } = await signedIn({
        token: withClaims((c) => ({ ...c, x: 'x'.repeat(20_000) })),
      })
      scene.evil.tamper({})
      const signout = await agent.post('/api/v1/auth/signout')
      const { logoutUrl } = (await signout.json()) as { logoutUrl: string }
      const logout = await agent.fetch(logoutUrl)
      expect(logout.status).toBe(303)
      expect(logout.headers.get('location')?.length).toBeLessThanOrEqual(MAX_ENTRY_BYTES)
    })
  })
