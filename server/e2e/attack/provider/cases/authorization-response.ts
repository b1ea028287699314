import { afterEach, describe, expect, it } from 'vitest'
import type { AuthErrorCode } from '../../../../../contract/errors.js'
import type { Tamper } from '../hostile-provider.js'
import { expectRefusal, expectRefused, signInAt } from '../refusal.js'
import type { Scene } from '../scene.js'
import { MARKER, VENOM, withParameters } from '../tampering.js'

const set = (more: Record<string, string | undefined>): Tamper =>
  withParameters((parameters) => {
    for (const [name, value] of Object.entries(more)) {
      if (value === undefined) parameters.delete(name)
      else parameters.set(name, value)
    }
  })

const twice = (name: string, value?: string): Tamper =>
  withParameters((parameters) => parameters.append(name, value ?? parameters.get(name) ?? ''))

/** An error response of RFC 6749 section 4.1.2.1, without a code. */
const error = (code: string, more: Record<string, string | undefined> = {}): Tamper =>
  set({ code: undefined, error: code, error_description: VENOM, error_uri: VENOM, ...more })

/** What comes back through the browser (RFC 6749 section 4.1.2, RFC 9207), tampered with. */
export const authorizationResponseCases = (scene: Scene) =>
  describe('a hostile authorization response', () => {
    afterEach(() => scene.reset())

    const refused: [string, Tamper, AuthErrorCode?][] = [
      ['without the iss that the metadata promises', set({ iss: undefined })],
      ['with the iss of another provider', set({ iss: 'http://localhost:1' })],
      [
        'with an iss that has a slash more',
        withParameters((p) => p.set('iss', `${p.get('iss')}/`)),
      ],
      [
        'with an iss in capital letters',
        withParameters((p) => p.set('iss', p.get('iss')!.toUpperCase())),
      ],
      ['with an empty iss', set({ iss: '' })],
      ['with two iss', twice('iss'), 'VALIDATION_ERROR'],
      [
        'with two iss, ours last',
        withParameters((p) => {
          const iss = p.get('iss') ?? ''
          p.set('iss', 'http://localhost:1')
          p.append('iss', iss)
        }),
        'VALIDATION_ERROR',
      ],
      ['without a code', set({ code: undefined })],
      ['with an empty code', set({ code: '' })],
      ['with two codes', twice('code', MARKER), 'VALIDATION_ERROR'],
      ['with a code of its own', set({ code: MARKER })],
      ['with a code that is markup', set({ code: VENOM })],
      ['with a code that smuggles a parameter', set({ code: `${MARKER}&grant_type=password` })],
      ['with a code of 5,000 characters', set({ code: 'x'.repeat(5000) }), 'VALIDATION_ERROR'],
      ['without a state', set({ state: undefined }), 'AUTH_TRANSACTION_MISSING'],
      ['with an empty state', set({ state: '' }), 'AUTH_TRANSACTION_MISSING'],
      ['with a state of its own', set({ state: MARKER }), 'AUTH_TRANSACTION_MISSING'],
      ['with two states', twice('state', MARKER), 'VALIDATION_ERROR'],
      ['with a state of 1,000 characters', set({ state: 'x'.repeat(1000) }), 'VALIDATION_ERROR'],
      ['with an id_token beside the code', set({ id_token: `eyJhbGciOiJub25lIn0.e30.${MARKER}` })],
      ['as a JWT (JARM)', set({ response: `eyJhbGciOiJub25lIn0.e30.${MARKER}` })],
      ['with a code and an error', set({ error: 'server_error', error_description: VENOM })],
      ['access_denied', error('access_denied'), 'AUTH_ACCESS_DENIED'],
      ['access_denied of another provider', error('access_denied', { iss: 'http://localhost:1' })],
      // It grants nothing, so the promised issuer may be missing.
      [
        'access_denied of no provider',
        error('access_denied', { iss: undefined }),
        'AUTH_ACCESS_DENIED',
      ],
      ...[
        'user_cancelled_login',
        'user_cancelled_authorize',
        'interaction_required',
        'login_required',
        'account_selection_required',
        'consent_required',
      ].map((code): [string, Tamper, AuthErrorCode] => [code, error(code), 'AUTH_ACCESS_DENIED']),
      ...[
        'invalid_request',
        'unauthorized_client',
        'unsupported_response_type',
        'invalid_scope',
        'server_error',
        'temporarily_unavailable',
        'request_not_supported',
      ].map((code): [string, Tamper] => [code, error(code)]),
      ['an error that is markup', error(VENOM.slice(0, 200))],
      ['an error of 1,000 characters', error('x'.repeat(1000)), 'VALIDATION_ERROR'],
      ['an empty error without a code', error('')],
      [
        'a description of 5,000 characters',
        error('server_error', { error_description: 'x'.repeat(5000) }),
        'VALIDATION_ERROR',
      ],
      ['a prototype', set({ ['__proto__']: MARKER, constructor: MARKER, code: undefined })],
    ]
    it.each(refused)(
      '%s is refused',
      async (_what, authorization, code = 'AUTH_PROVIDER_ERROR') => {
        scene.evil.tamper({ authorization })
        const asked = tokenRequests()
        await expectRefused(scene, signInAt(scene), { code })
        // Only a plausible code is sent to the token endpoint, with the right verifier.
        const mayAsk = /code of its own|code that|id_token beside/.test(_what)
        if (!mayAsk) expect(tokenRequests()).toBe(asked)
      },
    )

    const tokenRequests = (): number =>
      scene.evil.requests.filter(({ endpoint }) => endpoint === 'token').length

    it.each([
      'code=%',
      'code=%E0%A4%A',
      'code=%00',
      'code=%ff%fe',
      'code[]=a',
      'code=a&state[x]=y',
    ])('with %s in the address is refused', async (query) => {
      await expectRefused(
        scene,
        async (agent, accept) => {
          const url = new URL(await scene.callbackUrl(agent))
          return agent.fetch(`${url.pathname}?${query}&provider=evil`, { headers: { accept } })
        },
        { code: 'AUTH_TRANSACTION_MISSING', provoked: false },
      )
    })

    it('consumes the transaction: the valid response comes too late', async () => {
      const agent = scene.newAgent()
      const honest = await scene.callbackUrl(agent)
      const hostile = new URL(honest)
      hostile.searchParams.set('iss', 'http://localhost:1')
      await expectRefusal(await agent.fetch(hostile.href), 'AUTH_PROVIDER_ERROR')
      expect(await agent.cookies('/')).toEqual({})
      await expectRefusal(await agent.fetch(honest), 'AUTH_TRANSACTION_MISSING')
    })

    it('by form_post is 405 and changes nothing', async () => {
      const agent = scene.newAgent()
      const honest = new URL(await scene.callbackUrl(agent))
      const cookies = await agent.cookies('/')
      const asked = tokenRequests()
      for (const accept of ['application/json', 'text/html']) {
        const response = await agent.fetch(`${honest.pathname}${honest.search}`, {
          method: 'POST',
          headers: { accept, origin: scene.evil.issuer, 'sec-fetch-site': 'cross-site' },
          body: honest.searchParams,
        })
        expect(response.status).toBe(405)
        expect(response.headers.get('allow')).toBe('GET, HEAD')
        expect(response.headers.getSetCookie()).toEqual([])
      }
      expect(await agent.cookies('/')).toEqual(cookies)
      expect(tokenRequests()).toBe(asked)
      expect((await agent.fetch(honest.href)).status).toBe(303)
      await agent.post('/api/v1/auth/signout')
    })
  })
