import { expect, describe, it } from 'vitest'
import type { AuthnRequest } from '../request.js'
import type { KvOAuthBackend } from './backend.js'
import { providers as presets } from './presets.js'
import { signInAt } from './testing/scripted-provider.js'
import { describeOnEveryStore, KINDS } from './testing/scripted-scene.js'

const CONFIGURED = { oidc: ['openid', 'profile', 'email'], oauth: ['user'] }

describeOnEveryStore('the scopes of a session', (scene) => {
  /** `scope` of the token response; omitted if `undefined`. */
  const answer = (scope?: unknown): void => {
    scene.idp.token = (honest) => ({ json: { ...honest, scope } })
  }
  const scopesOf = async (
    backend: KvOAuthBackend,
    request: AuthnRequest,
  ): Promise<readonly string[]> => {
    const result = await backend.authenticate(request)
    if (!result.ok) throw new Error(result.reason)
    expect(result.principal.scopes).toEqual(result.session.scopes)
    return result.session.scopes
  }

  describe.each(KINDS)('at an %s provider', (kind) => {
    const configured = CONFIGURED[kind]

    it.each([
      ['a scope that is not configured', ['orders:admin']],
      ['one beside configured scopes', [...configured, 'orders:admin']],
      ['a configured scope in capital letters', [configured[0]!.toUpperCase()]],
      ['the name of an inherited member', ['__proto__', 'constructor']],
    ])('refuses a sign-in that requests %s', async (_what, scopes) => {
      const backend = await scene.create(kind)
      const before = scene.idp.requests.length
      await expect(signInAt(backend, { scopes })).rejects.toMatchObject({
        code: 'VALIDATION_ERROR',
        data: {
          formErrors: [],
          fieldErrors: { scopes: [`must be among: ${configured.join(', ')}`] },
        },
      })
      expect(scene.idp.requests).toHaveLength(before)
      expect(scene.log).toContainEqual(expect.objectContaining({ event: 'sign-in.scope-refused' }))
    })

    it.each([undefined, []])(
      'requests the configured scopes if a sign-in requests %j',
      async (scopes) => {
        answer()
        const backend = await scene.create(kind)
        const request = await signInAt(backend, { ...(scopes && { scopes }) })
        expect(await scopesOf(backend, request)).toEqual(configured)
      },
    )

    it('requests fewer scopes than are configured', async () => {
      answer()
      const scopes = ['openid', 'email']
      const backend = await scene.create(kind, { scopes: [...scopes, 'orders:read'] })
      expect(await scopesOf(backend, await signInAt(backend, { scopes }))).toEqual(scopes)
    })

    it('grants an additional scope if the token response contains it', async () => {
      const scopes = [...configured, 'orders:read']
      answer(scopes.join(' '))
      const backend = await scene.create(kind, { additionalScopes: 'orders:read orders:list' })
      expect(await scopesOf(backend, await signInAt(backend, { scopes }))).toEqual(scopes)
    })

    it.each([undefined, null, ''])(
      'grants no additional scope if the scope of the token response is %j',
      async (scope) => {
        answer(scope)
        const backend = await scene.create(kind, { additionalScopes: ['orders:read'] })
        const request = await signInAt(backend, { scopes: [...configured, 'orders:read'] })
        expect(await scopesOf(backend, request)).toEqual(configured)
      },
    )

    it('grants exactly the scopes of the token response', async () => {
      answer(configured[0])
      const backend = await scene.create(kind, { scopes: [...configured, 'orders:read'] })
      expect(await scopesOf(backend, await signInAt(backend))).toEqual([configured[0]])
    })

    it.each([
      ['names fewer', 'orders:read', ['orders:read']],
      ['names none', undefined, [...configured, 'orders:read']],
      ['names an empty one', '', [...configured, 'orders:read']],
      [
        'names more',
        `${configured.join(' ')} orders:read orders:admin`,
        [...configured, 'orders:read'],
      ],
      ['names others', 'orders:admin', []],
      ['is a list', ['orders:read', 'orders:admin'], ['orders:read']],
    ])('never adds scopes when a refresh %s', async (_what, scope, expected) => {
      answer([...configured, 'orders:read'].join(' '))
      const backend = await scene.create(kind, { additionalScopes: ['orders:read'] })
      const request = await signInAt(backend, { scopes: [...configured, 'orders:read'] })
      answer(scope)
      scene.renewalsDue()
      expect(await scopesOf(backend, request)).toEqual(expected)
      expect(scene.idp.requests.at(-1)?.form.get('grant_type')).toBe('refresh_token')
    })
  })

  it.each([
    ['a string', 'a  b'],
    ['a list', ['a', 'b']],
  ])('accepts additional scopes as %s', (_what, additionalScopes) => {
    expect(scene.idp.oidc({ additionalScopes }).additionalScopes).toEqual(['a', 'b'])
    const { github } = presets
    const client = { clientId: 'id', redirectUri: 'https://auth.example/api/v1/auth/callback' }
    expect(github({ ...client, additionalScopes }).additionalScopes).toEqual(['a', 'b'])
    expect(github(client).additionalScopes).toEqual([])
  })

  it('rejects additional scopes that are not scope tokens', () => {
    expect(() => scene.idp.oidc({ additionalScopes: ['a"b'] })).toThrow(
      /additionalScopes must hold/,
    )
  })
})
