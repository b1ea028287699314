import { afterEach, describe, expect, it } from 'vitest'
import { me } from '../../../support/sign-in.js'
import type { Tamper, Tampering } from '../hostile-provider.js'
import { expectRefused, NAVIGATION, signInAt } from '../refusal.js'
import type { Scene } from '../scene.js'
import { createSigningKey, sign, unsigned } from '../signing.js'
import { json, SHORT_SECRET, withClaims, withIdToken, withMembers } from '../tampering.js'

const now = (): number => Math.floor(Date.now() / 1000)
const HOUR = 3600
const CLIENT = 'test-client'

/** A function for time-dependent claims: the table is built long before its last case runs. */
const claims = (more: Record<string, unknown> | (() => Record<string, unknown>)): Tamper =>
  withClaims((given) => ({ ...given, ...(typeof more === 'function' ? more() : more) }))

/** Algorithm confusion: an HMAC with the public key as its secret. */
const hmac = (secretOf: (key: Awaited<ReturnType<typeof createSigningKey>>) => string): Tamper =>
  withIdToken(({ header, claims: given }, { key }) =>
    sign({ ...header, alg: 'HS256' }, given, Buffer.from(secretOf(key))),
  )

const header = (more: Record<string, unknown>): Tamper =>
  withIdToken(({ header: given, claims: body }, { key }) =>
    sign({ ...given, ...more }, body, key.privateKey),
  )

const cut = (edit: (parts: string[]) => string[]): Tamper =>
  json((body) => ({ ...body, id_token: edit(String(body.id_token).split('.')).join('.') }))

/** OpenID Connect Core section 3.1.3.7 and RFC 8725, rule by rule. */
export const idTokenCases = (scene: Scene) =>
  describe('a hostile id_token', () => {
    afterEach(() => scene.reset())

    const refused: [string, Tamper][] = [
      ['that expired an hour ago', claims(() => ({ exp: now() - HOUR }))],
      ['that never expires', claims({ exp: undefined })],
      ['that expires at a text', claims(() => ({ exp: String(now() + HOUR) }))],
      ['that was issued in an hour', claims(() => ({ iat: now() + HOUR }))],
      ['that was issued in a thousand years', claims(() => ({ iat: now() * 20, exp: now() * 21 }))],
      ['that was issued at a text', claims(() => ({ iat: String(now()) }))],
      ['that is not valid before an hour', claims(() => ({ nbf: now() + HOUR }))],
      ['for us and a stranger, without azp', claims({ aud: [CLIENT, 'stranger'] })],
      [
        'for us and a stranger, to the stranger',
        claims({ aud: [CLIENT, 'stranger'], azp: 'stranger' }),
      ],
      ['for us, but handed to a stranger', claims({ azp: 'stranger' })],
      ['for no audience', claims({ aud: [] })],
      ['without an audience', claims({ aud: undefined })],
      ['for an object', claims({ aud: { [CLIENT]: true } })],
      ['for a client whose id begins like ours', claims({ aud: `${CLIENT}-2` })],
      ['for us in capital letters', claims({ aud: CLIENT.toUpperCase() })],
      ['about an empty subject', claims({ sub: '' })],
      ['about a number', claims({ sub: 1 })],
      ['about null', claims({ sub: null })],
      ['about a list', claims({ sub: ['ada'] })],
      ['about an object', claims({ sub: { toString: 'ada' } })],
      ['about a subject of 256 characters', claims({ sub: 'a'.repeat(256) })],
      ['about a subject of 100,000 characters', claims({ sub: 'a'.repeat(100_000) })],
      ['from no issuer', claims({ iss: undefined })],
      [
        'from our issuer with a slash more',
        withClaims((given) => ({ ...given, iss: `${String(given.iss)}/` })),
      ],
      ['from a list with our issuer', withClaims((given) => ({ ...given, iss: [given.iss] }))],
      ['without a nonce', claims({ nonce: undefined })],
      ['with an empty nonce', claims({ nonce: '' })],
      ['with a list of nonces', withClaims((given) => ({ ...given, nonce: [given.nonce] }))],
      ['that is null inside', withClaims(() => 'null')],
      ['that is a list inside', withClaims(() => '[]')],
      ['that is a text inside', withClaims(() => '"ada"')],
      ['that is not JSON inside', withClaims(() => SHORT_SECRET)],
      [
        'signed HS256 with the public key as PEM',
        hmac(({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' }).toString()),
      ],
      [
        'signed HS256 with the public key as JWK',
        hmac(({ publicJwk }) => JSON.stringify(publicJwk)),
      ],
      ['signed HS256 with the modulus', hmac(({ publicJwk }) => String(publicJwk.n))],
      [
        'signed HS256 with the client secret',
        withIdToken(({ header: given, claims: body }, { client }) =>
          sign({ ...given, alg: 'HS256' }, body, Buffer.from(client.clientSecret)),
        ),
      ],
      ['with alg None', withIdToken(({ claims: body }) => unsigned(body, 'None'))],
      ['with alg NONE', withIdToken(({ claims: body }) => unsigned(body, 'NONE'))],
      ['with an empty alg', withIdToken(({ claims: body }) => unsigned(body, ''))],
      ['with an empty signature', cut(([head = '', body = '']) => [head, body, ''])],
      ['without a signature', cut((parts) => parts.slice(0, 2))],
      [
        'with a signature of another token',
        cut(([head = '', , end = '']) => [head, Buffer.from('{}').toString('base64url'), end]),
      ],
      ['in five parts', cut((parts) => [...parts, 'e30', 'e30'])],
      [
        'signed by a key that it carries itself',
        withIdToken(async ({ header: given, claims: body }) => {
          const key = await createSigningKey()
          return sign({ ...given, jwk: key.publicJwk }, body, key.privateKey)
        }),
      ],
      [
        'signed by a key that it has an address of',
        withIdToken(async ({ header: given, claims: body }, { issuer }) =>
          sign({ ...given, jku: `${issuer}/jwks` }, body, (await createSigningKey()).privateKey),
        ),
      ],
      ['with an unknown key id', header({ kid: 'unknown' })],
      ['with a path as key id', header({ kid: '../../../../dev/null' })],
      ['with a key id that is no text', header({ kid: { $ne: null } })],
      ['with another RSA algorithm than the key is for', header({ alg: 'RS512' })],
      ['that is empty', withMembers({ id_token: '' })],
      ['that is no JWT', withMembers({ id_token: 'no token' })],
      ['that is three dots', withMembers({ id_token: '...' })],
      ['that is a number', withMembers({ id_token: 1 })],
      ['that is null', withMembers({ id_token: null })],
      ['that is not there', withMembers({ id_token: undefined })],
    ]
    it.each(refused)('%s is refused', async (_what, token) => {
      scene.evil.tamper({ token })
      await expectRefused(scene, signInAt(scene))
    })

    it('with an unknown critical extension is refused', async () => {
      scene.evil.tamper({
        token: cut(([head = '', body = '', signature = '']) => {
          const given = JSON.parse(Buffer.from(head, 'base64url').toString('utf8')) as object
          const more = JSON.stringify({ ...given, crit: ['exp'], exp: 1 })
          return [Buffer.from(more).toString('base64url'), body, signature]
        }),
      })
      await expectRefused(scene, signInAt(scene))
    })

    it('of the previous sign-in is refused in the next one', async () => {
      let first: unknown
      scene.evil.tamper({
        token: json((body) => ({ ...body, id_token: first ?? (first = body.id_token) })),
      })
      const agent = scene.newAgent()
      expect((await signInAt(scene)(agent, NAVIGATION)).status).toBe(303)
      await agent.post('/api/v1/auth/signout')
      await expectRefused(scene, signInAt(scene))
    })

    describe('of an algorithm that the metadata allows and the service does not', () => {
      afterEach(() => scene.service.restart())
      const supported = (algorithms: string[]): Tamper =>
        withMembers({ id_token_signing_alg_values_supported: algorithms })
      const allowed: [string, Tampering][] = [
        [
          'oidcc-client-test-idtoken-sig-none',
          {
            metadata: supported(['RS256', 'none']),
            token: withIdToken(({ claims: body }) => unsigned(body)),
          },
        ],
        [
          'HS256 with the client secret',
          {
            metadata: supported(['RS256', 'HS256']),
            token: withIdToken(({ header: given, claims: body }, { client }) =>
              sign({ ...given, alg: 'HS256' }, body, Buffer.from(client.clientSecret)),
            ),
          },
        ],
        [
          'HS256 with the public key',
          {
            metadata: supported(['RS256', 'HS256']),
            token: hmac(({ publicKey }) =>
              publicKey.export({ type: 'spki', format: 'pem' }).toString(),
            ),
          },
        ],
      ]
      it.each(allowed)('%s is refused', async (_what, tampering) => {
        await scene.service.restart()
        scene.evil.tamper(tampering)
        await expectRefused(scene, signInAt(scene))
      })
    })

    // Controls: valid tokens sign in, which proves that the claims above caused the rejections.
    const accepted: [string, Tamper, string][] = [
      ['signed again, unchanged', claims({}), 'ada'],
      ['for a list of us alone', claims({ aud: [CLIENT] }), 'ada'],
      ['to us', claims({ azp: CLIENT }), 'ada'],
      ['that expired within the tolerance', claims(() => ({ exp: now() - 1 })), 'ada'],
      ['issued within the tolerance', claims(() => ({ iat: now() + 5 })), 'ada'],
      ['about a subject of 255 characters', claims({ sub: 'a'.repeat(255) }), 'a'.repeat(255)],
    ]
    it.each(accepted)('%s signs in', async (_what, token, subject) => {
      scene.evil.tamper({ token })
      const agent = scene.newAgent()
      const response = await signInAt(scene)(agent, NAVIGATION)
      expect(response.status).toBe(303)
      expect((await me(agent)).session.subject).toBe(subject)
      scene.evil.tamper({})
      await agent.post('/api/v1/auth/signout')
    })
  })
