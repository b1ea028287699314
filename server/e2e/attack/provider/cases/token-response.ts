import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import type { Tamper } from '../hostile-provider.js'
import { expectRefused, signInAt } from '../refusal.js'
import type { Scene } from '../scene.js'
import {
  DEEP,
  huge,
  instead,
  json,
  MARKER,
  redirectLoop,
  SHORT_SECRET,
  VENOM,
  withMembers,
  withText,
} from '../tampering.js'

const failed = (status: number, body: unknown, headers: Record<string, string> = {}): Tamper =>
  instead(status, JSON.stringify(body), headers)

/** Hostile responses of the token endpoint (RFC 6749 section 5). */
export const tokenResponseCases = (scene: Scene) =>
  describe('a hostile answer of the token endpoint', () => {
    afterEach(() => scene.reset())

    const refused: [string, Tamper][] = [
      ...['invalid_request', 'invalid_grant', 'unauthorized_client', 'invalid_scope'].map(
        (error): [string, Tamper] => [error, failed(400, { error, error_description: VENOM })],
      ),
      [
        'invalid_client with a challenge',
        failed(
          401,
          { error: 'invalid_client' },
          { 'www-authenticate': `Basic realm="${MARKER}", error="<script>"` },
        ),
      ],
      ['server_error', failed(500, { error: 'server_error', error_description: VENOM })],
      ['temporarily_unavailable', failed(503, { error: 'temporarily_unavailable' })],
      ['an error with status 200', failed(200, { error: VENOM, error_description: VENOM })],
      ['an error that is markup', failed(400, { error: VENOM, error_uri: `javascript:${MARKER}` })],
      ['an error that is a number', failed(400, { error: 1 })],
      ['an error that is an object', failed(400, { error: { toString: MARKER } })],
      ['an error beside tokens', withMembers({ error: 'invalid_grant', access_token: undefined })],
      ['a page, 200', instead(200, `<h1>${MARKER}</h1>`, { 'content-type': 'text/html' })],
      ['a page that says it is JSON', instead(200, `<h1>${MARKER}</h1>`)],
      ['a page, 502', instead(502, `<h1>${MARKER}</h1>`, { 'content-type': 'text/html' })],
      ['nothing', instead(200, '')],
      ['no content', instead(204, '')],
      ['a form that says it is JSON', instead(200, `access_token=${MARKER}&token_type=bearer`)],
      ['a token and no more', instead(200, SHORT_SECRET)],
      ['JSON that breaks off after the token', instead(200, `{"access_token":"${MARKER}"`)],
      ['control characters', instead(200, VENOM)],
      ['a list', failed(200, [{ access_token: MARKER }])],
      ['null', failed(200, null)],
      ['a text', failed(200, MARKER)],
      ['lists in lists', instead(200, DEEP)],
      ['lists in lists in an error', instead(400, `{"error":"invalid_grant","x":${DEEP}}`)],
      ['two mebibytes', huge],
      [
        'half a gibibyte in a small parcel',
        instead(200, gzipSync(Buffer.alloc(64 * 1024 * 1024, ' ')), { 'content-encoding': 'gzip' }),
      ],
      ['a parcel that is none', instead(200, MARKER, { 'content-encoding': 'gzip' })],
      ['a redirect to itself', redirectLoop('/token')],
      ['a redirect that keeps the method', instead(307, '', { location: '/token' })],
      ['another token type', withMembers({ token_type: 'mac' })],
      ['a token type that is a number', withMembers({ token_type: 1 })],
      ['no access token', withMembers({ access_token: undefined })],
      ['an empty access token', withMembers({ access_token: '' })],
      ['an access token that is a number', withMembers({ access_token: 1 })],
      ['an access token that is a list', withMembers({ access_token: [MARKER] })],
      ['a refresh token that is an object', withMembers({ refresh_token: { x: MARKER } })],
      ['a scope that is a list of lists', withMembers({ scope: [['openid']] })],
      ['a scope that is a number', withMembers({ scope: 1 })],
      ['a scope that is an object', withMembers({ scope: { openid: true } })],
      ['an id_token that is empty', withMembers({ id_token: '' })],
      ['an id_token that is null', withMembers({ id_token: null })],
      ['a lifetime that is negative', withMembers({ expires_in: -1 })],
      ['a lifetime that is no number', withMembers({ expires_in: 'soon' })],
      ['a lifetime that is infinite', withText(/"expires_in":\d+/, '"expires_in":1e400')],
    ]
    it.each(refused)('%s is refused', async (_what, token) => {
      scene.evil.tamper({ token })
      await expectRefused(scene, signInAt(scene))
    })

    it('is not followed elsewhere with the secret of the client', async () => {
      const before = scene.evil.requests.length
      scene.evil.tamper({ token: redirectLoop('/token') })
      await expectRefused(scene, signInAt(scene))
      const requests = scene.evil.requests.slice(before)
      // Two sign-ins, one as a JSON caller and one as a browser.
      expect(requests.filter(({ endpoint }) => endpoint === 'token')).toHaveLength(2)
    })

    it('does not pass its cookies on to the browser', async () => {
      scene.evil.tamper({
        token: (answer) => ({
          ...answer,
          headers: { ...answer.headers, 'set-cookie': [`__Host-ns_session=${MARKER}`] },
        }),
      })
      const agent = scene.newAgent()
      const response = await signInAt(scene)(agent, 'text/html')
      expect(response.status).toBe(303)
      expect(response.headers.getSetCookie().join()).not.toContain(MARKER)
      await agent.post('/api/v1/auth/signout')
    })

    it('may omit optional members', async () => {
      scene.evil.tamper({
        token: json(({ access_token, id_token }) => ({
          access_token,
          id_token,
          token_type: '',
          expires_in: null,
          refresh_token: '',
          scope: null,
        })),
      })
      const agent = scene.newAgent()
      expect((await signInAt(scene)(agent, 'text/html')).status).toBe(303)
      await agent.post('/api/v1/auth/signout')
    })
  })
