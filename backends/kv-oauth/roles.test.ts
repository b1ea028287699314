import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { OAuthProviderOptions } from './provider.js'
import { defineOAuthProvider } from './define-provider.js'
import { providers as presets } from './presets.js'
import { claimAt, readRoles, rolesFrom } from './roles.js'
import { signInAt } from './testing/scripted-provider.js'
import { describeOnEveryStore, KINDS, scriptedScene } from './testing/scripted-scene.js'

const app = { clientId: 'client', redirectUri: 'https://app.example/api/v1/auth/callback' }
const KEY = randomBytes(32).toString('base64url')
const named = (count: number): string[] => Array.from({ length: count }, (_, n) => `role-${n}`)

describe('readRoles', () => {
  it.each<[string, string, object]>([
    ['a member of a claim', 'realm_access.roles', { realm_access: { roles: ['admin'] } }],
    ['a claim', 'groups', { groups: ['admin'] }],
    ['a claim with a colon', 'cognito:groups', { 'cognito:groups': ['admin'] }],
    [
      'a claim whose name is a URL',
      'https://example.com/roles',
      { 'https://example.com/roles': ['admin'] },
    ],
    [
      'a member of a claim whose name is a URL',
      'https://example.com/app.roles',
      { 'https://example.com/app': { roles: ['admin'] } },
    ],
    ['a claim that has the whole path as its name', 'a.b', { 'a.b': ['admin'], a: { b: ['x'] } }],
    [
      'a member whose name has a dot',
      'resource_access.my.app.roles',
      { resource_access: { my: { app: { roles: 1 } }, 'my.app': { roles: ['admin'] } } },
    ],
    ['a path, if a longer name leads nowhere', 'a.b.c', { 'a.b': 1, a: { b: { c: 'admin' } } }],
    ['an item of a list', 'orgs.0.role', { orgs: [{ role: 'admin' }] }],
  ])('reads %s', (_what, path, claims) => {
    expect(readRoles(claims, path)).toEqual({ roles: ['admin'], refused: 0 })
  })

  it.each<[string, unknown, readonly string[], number]>([
    ['a list', ['b', 'a', 'b'], ['b', 'a'], 0],
    ['an empty list', [], [], 0],
    ['a string, as one role', 'admin', ['admin'], 0],
    ['a string with a comma, as one role', 'CN=admin,OU=eu', ['CN=admin,OU=eu'], 0],
    ['a string with a space, as one role', 'not admin', ['not admin'], 0],
    ['no role from an empty string', '', [], 1],
    ['no role from a blank string', ' ', [], 1],
    ['no role from a number', 7, [], 1],
    ['no role from a boolean', true, [], 1],
    ['no role from an object', { admin: true }, [], 1],
    ['only the strings of a mixed list', [1, null, {}, ['admin'], true, 'user'], ['user'], 5],
    ['no role of 257 characters', ['x'.repeat(257), 'x'.repeat(256)], ['x'.repeat(256)], 1],
    ['control characters, which are not taken out', ['admin\0', 'adm\nin', '\ud800admin'], [], 3],
  ])('takes %s', (_what, value, roles, refused) => {
    expect(readRoles({ roles: value })).toEqual({ roles, refused })
  })

  it.each([{}, { roles: null }, { roles: undefined }, [], null, 'roles', 1])(
    'returns undefined for %j',
    (claims) => {
      expect(readRoles(claims)).toBeUndefined()
    },
  )

  it.each([
    ['__proto__.roles', '{"__proto__":{"roles":["admin"]}}'],
    ['constructor.name', '{}'],
    ['constructor.roles', '{"constructor":{"roles":["admin"]}}'],
    ['a.__proto__.roles', '{"a":{"__proto__":{"roles":["admin"]}}}'],
    ['a.prototype', '{"a":{"prototype":["admin"]}}'],
    ['toString', '{}'],
    ['a.length', '{"a":"text"}'],
  ])('finds nothing at the path %s in %s', (path, json) => {
    expect(claimAt(JSON.parse(json), path)).toBeUndefined()
  })
})

describe('rolesClaim', () => {
  it.each([
    '',
    ' ',
    'a b ',
    '.a',
    'a.',
    '__proto__',
    'a.constructor.b',
    'prototype.x',
    'x'.repeat(257),
  ])('cannot be %j', (rolesClaim) => {
    const make = () =>
      defineOAuthProvider({ ...app, id: 'x', issuer: 'https://x.example', rolesClaim })
    expect(make).toThrow(/rolesClaim must be the name of a claim/)
  })

  it.each([
    ['okta', presets.okta({ ...app, domain: 'x.okta.com' }), 'groups'],
    [
      'aws-cognito',
      presets.awsCognito({ ...app, region: 'r', userPoolId: 'r_1' }),
      'cognito:groups',
    ],
    ['azure-ad', presets.azureAd(app), undefined],
    // Everyone can create groups at this provider.
    ['gitlab', presets.gitlab(app), undefined],
    [
      'gitlab with one of its own',
      presets.gitlab({ ...app, rolesClaim: 'groups_direct' }),
      'groups_direct',
    ],
  ])('of the preset %s', (_id, provider, rolesClaim) => {
    expect(provider.rolesClaim).toBe(rolesClaim)
  })
})

describe('rolesMap', () => {
  const rolesMap = { 'id-1': 'admin', 'id-2': ['editor', 'admin'] }
  const define = (map: Record<string, string | string[]>) =>
    defineOAuthProvider({ ...app, id: 'x', issuer: 'https://x.example', rolesMap: map })

  it.each([
    [{ roles: ['id-1', 'id-2', 'id-3', 'admin'] }, ['admin', 'editor']],
    [{ roles: ['constructor', '__proto__', 'toString'] }, []],
    [{ roles: [] }, []],
    [{}, undefined],
  ])('gives for %j the roles %j', (claims, roles) => {
    expect(rolesFrom(define(rolesMap), claims)?.roles).toEqual(roles)
  })

  it.each([{ id: '' }, { id: ['ok', 'a\nb'] }])('cannot be %j', (map) => {
    expect(() => define(map)).toThrow(/rolesMap has a role that is blank/)
  })
})

describe('roles where there are several providers', () => {
  const scene = scriptedScene()
  const signInWith = async (
    providers: Record<string, Partial<OAuthProviderOptions>>,
  ): Promise<readonly string[]> => {
    scene.idp.claims = { roles: ['admin'], groups: ['staff'] }
    const backend = await scene.create('oidc', undefined, {
      providers: Object.entries(providers).map(([id, options]) =>
        scene.idp.oidc({ id, ...options }),
      ),
    })
    await signInAt(backend, { providerId: 'one' })
    const result = await backend.authenticate(await signInAt(backend, { providerId: 'one' }))
    if (!result.ok) throw new Error(result.reason)
    return result.session.roles
  }
  it.each<[string, Record<string, Partial<OAuthProviderOptions>>, readonly string[], boolean]>([
    ['one provider', { one: {} }, ['admin'], false],
    ['one provider with a claim', { one: { rolesClaim: 'groups' } }, ['staff'], false],
    ['two providers', { one: {}, two: {} }, [], true],
    ['two, the other with a claim', { one: {}, two: { rolesClaim: 'roles' } }, [], true],
    ['two, this one with a claim', { one: { rolesClaim: 'roles' }, two: {} }, ['admin'], false],
    [
      'two, this one with a map',
      { one: { rolesMap: { admin: 'owner' } }, two: {} },
      ['owner'],
      false,
    ],
  ])(
    'are, with %s, those that count, with one warning of others',
    async (_what, providers, roles, isIgnored) => {
      expect(await signInWith(providers)).toEqual(roles)
      const ignored = scene.log.filter(({ event }) => event === 'roles.ignored')
      expect(ignored.map(({ provider }) => provider)).toEqual(isIgnored ? ['one'] : [])
    },
  )

  it('of a plain OAuth 2.0 provider come from a configured claim only', async () => {
    scene.idp.userInfo = () => ({ json: { sub: 'ada', roles: ['admin'] } })
    const options = { scopes: ['openid'] }
    for (const [rolesClaim, roles] of [
      [undefined, []],
      ['roles', ['admin']],
    ] as const) {
      const backend = await scene.create('oauth', undefined, {
        providers: [scene.idp.oauth({ ...options, rolesClaim }), scene.idp.oidc()],
      })
      const result = await backend.authenticate(await signInAt(backend, { providerId: 'oauth' }))
      expect(result).toMatchObject({ session: { roles } })
    }
  })

  it('end at the next refresh when a second provider is added', async () => {
    scene.idp.claims = { roles: ['admin'] }
    const one = await scene.create('oidc', undefined, { key: KEY })
    const request = await signInAt(one)
    const two = await scene.create('oidc', undefined, {
      key: KEY,
      providers: [scene.idp.oidc(), scene.idp.oauth()],
    })
    expect(await two.authenticate(request)).toMatchObject({ session: { roles: ['admin'] } })
    scene.renewalsDue()
    expect(await two.authenticate(request)).toMatchObject({ session: { roles: [] } })
  })
})

describeOnEveryStore('the roles of a session', (scene) => {
  const roles = (list: unknown): void => {
    scene.idp.claims = { name: 'Ada', email: 'ada@example.test', roles: list }
  }

  it.each([101, 250])('include all of %i short roles, while the claim is cut', async (count) => {
    roles(named(count))
    const backend = await scene.create('oidc')
    const result = await backend.authenticate(await signInAt(backend))
    expect(result).toMatchObject({ ok: true, session: { roles: named(count) } })
    expect(result).toMatchObject({ principal: { roles: named(count) } })
    expect(result.ok && result.session.claims.roles).toEqual(named(100))
    expect(scene.log).toContainEqual(
      expect.objectContaining({ event: 'session.claims-cut', claims: ['roles'] }),
    )
  })

  it.each(['groups', 'cognito:groups'])('include more than 100 %s', async (rolesClaim) => {
    scene.idp.claims = { name: 'Ada', email: 'ada@example.test', [rolesClaim]: named(150) }
    const backend = await scene.create('oidc', { rolesClaim })
    const result = await backend.authenticate(await signInAt(backend))
    expect(result).toMatchObject({
      session: { roles: named(150), claims: { [rolesClaim]: named(100) } },
    })
  })

  it('are cut to those that fit, and the rest is logged', async () => {
    const long = named(100).map((role) => `${role}-${'x'.repeat(90)}`)
    roles([...long, 'admin'])
    const backend = await scene.create('oidc')
    const result = await backend.authenticate(await signInAt(backend))
    const kept = result.ok ? result.session.roles : []
    expect(kept).toEqual([...long.slice(0, kept.length - 1), 'admin'])
    expect(kept.length).toBeGreaterThan(30)
    expect(scene.log).toContainEqual(
      expect.objectContaining({
        event: 'session.roles-cut',
        dropped: 101 - kept.length,
        names: long.slice(kept.length - 1, kept.length + 9),
      }),
    )
  })

  it('exclude invalid values, which are logged', async () => {
    roles(['user', 7])
    const backend = await scene.create('oidc')
    expect(await backend.authenticate(await signInAt(backend))).toMatchObject({
      session: { roles: ['user'] },
    })
    expect(scene.log).toContainEqual(
      expect.objectContaining({ event: 'session.roles-cut', dropped: 0, refused: 1 }),
    )
  })

  it('can come from a claim that the session does not store', async () => {
    scene.idp.claims = { name: 'A', email: 'a@b.c', realm_access: { roles: ['admin'] } }
    const backend = await scene.create('oidc', { rolesClaim: 'realm_access.roles' })
    const result = await backend.authenticate(await signInAt(backend))
    expect(result).toMatchObject({ session: { roles: ['admin'] } })
    expect(result.ok && result.session.claims).not.toHaveProperty('realm_access')
  })

  it('come from the user info if the id_token has no roles claim', async () => {
    scene.idp.userInfo = () => ({ json: { sub: 'ada', groups: ['admin'] } })
    const backend = await scene.create('oidc', { rolesClaim: 'groups' })
    expect(await backend.authenticate(await signInAt(backend))).toMatchObject({
      session: { roles: ['admin'] },
    })
  })

  it('come from the id_token if both have the claim', async () => {
    scene.idp.claims = { groups: [] }
    scene.idp.userInfo = () => ({ json: { sub: 'ada', groups: ['admin'] } })
    const backend = await scene.create('oidc', { rolesClaim: 'groups' })
    expect(await backend.authenticate(await signInAt(backend))).toMatchObject({
      session: { roles: [] },
    })
  })

  it.each([
    ['no claim is named and its members are its own', {}, []],
    ['no claim is named and its members are standard claims', { scopes: ['openid'] }, ['admin']],
    ['a claim is named', { rolesClaim: 'roles' }, ['admin']],
    ['a path is named', { rolesClaim: 'team.role' }, ['lead']],
  ])('come from the user info of plain OAuth 2.0 when %s', async (_what, options, expected) => {
    scene.idp.userInfo = () => ({
      json: { sub: 'ada', id: 'ada', roles: ['admin'], team: { role: 'lead' } },
    })
    const backend = await scene.create('oauth', options)
    expect(await backend.authenticate(await signInAt(backend))).toMatchObject({
      session: { roles: expected },
    })
  })

  describe('after a refresh', () => {
    const refreshed = async (
      change: () => void,
      options: Parameters<typeof scene.create>[1] = {},
      kind: (typeof KINDS)[number] = 'oidc',
    ): Promise<readonly string[]> => {
      const backend = await scene.create(kind, options)
      const request = await signInAt(backend)
      scene.renewalsDue()
      change()
      const before = scene.idp.requests.length
      const result = await backend.authenticate(request)
      const grants = scene.idp.requests.slice(before).map(({ form }) => form.get('grant_type'))
      expect(grants.filter(Boolean)).toEqual(['refresh_token'])
      // The next read returns the stored roles.
      scene.idp.token = () => ({ status: 503, json: {} })
      const again = await backend.authenticate(request)
      if (!result.ok || !again.ok) throw new Error('The session has ended.')
      expect(again.session.roles).toEqual(result.session.roles)
      return result.session.roles
    }

    it.each<[string, unknown, readonly string[]]>([
      ['other roles', ['editor', 'admin'], ['editor', 'admin']],
      ['a string', 'editor', ['editor']],
      ['no roles', [], []],
      ['no claim', undefined, []],
      ['null', null, []],
      ['something else', { admin: true }, []],
    ])('are those of an id_token with %s', async (_what, list, expected) => {
      roles(['user'])
      expect(await refreshed(() => roles(list))).toEqual(expected)
    })

    it('stay if there is no id_token', async () => {
      roles(['user'])
      const change = (): void => {
        scene.idp.token = ({ id_token: _, ...json }) => ({ json })
      }
      expect(await refreshed(change)).toEqual(['user'])
    })

    it.each<[string, () => object, readonly string[], boolean]>([
      ['other roles', () => ({ json: { sub: 'ada', groups: ['lead'] } }), ['lead'], true],
      ['no roles', () => ({ json: { sub: 'ada', groups: [] } }), [], true],
      ['no claim', () => ({ json: { sub: 'ada' } }), [], true],
      ['an error', () => ({ status: 503, json: {} }), ['user'], false],
      ['another user', () => ({ json: { sub: 'eve', groups: ['admin'] } }), ['user'], false],
      ['no JSON', () => ({ text: '<h1>Oops</h1>' }), ['user'], false],
    ])(
      'come from the user info again, if they did at the sign-in: %s',
      async (_what, userInfo, expected, isRead) => {
        scene.idp.userInfo = () => ({ json: { sub: 'ada', groups: ['user'] } })
        const change = (): void => void (scene.idp.userInfo = userInfo)
        expect(await refreshed(change, { rolesClaim: 'groups' })).toEqual(expected)
        const warnings = scene.log.filter(({ message }) =>
          /gave no user info/.test(String(message)),
        )
        expect(warnings.length > 0).toBe(!isRead)
      },
    )

    it('come from the id_token if it has the claim now, and the user info is not asked', async () => {
      scene.idp.userInfo = () => ({ json: { sub: 'ada', groups: ['user'] } })
      const change = (): void => {
        scene.idp.claims = { groups: ['lead'] }
        scene.idp.userInfo = () => ({ json: { sub: 'ada', groups: ['wrong'] } })
      }
      expect(await refreshed(change, { rolesClaim: 'groups' })).toEqual(['lead'])
      expect(scene.idp.requests.at(-1)?.path).toBe('/token')
    })

    it('come from the user info of plain OAuth 2.0 again', async () => {
      scene.idp.userInfo = () => ({ json: { id: 'ada', team: { role: 'user' } } })
      const change = (): void =>
        void (scene.idp.userInfo = () => ({ json: { id: 'ada', team: { role: 'lead' } } }))
      expect(await refreshed(change, { rolesClaim: 'team.role' }, 'oauth')).toEqual(['lead'])
    })

    it('are added to a user who had none', async () => {
      expect(await refreshed(() => roles(['admin']))).toEqual(['admin'])
    })

    it('are cut to those that fit, and the rest is logged', async () => {
      const long = named(300).map((role) => `${role}-${'x'.repeat(90)}`)
      const kept = await refreshed(() => roles(long))
      expect(kept.length).toBeGreaterThan(30)
      expect(kept).toEqual(long.slice(0, kept.length))
      expect(scene.log).toContainEqual(
        expect.objectContaining({ event: 'session.roles-cut', dropped: 300 - kept.length }),
      )
    })
  })

  it.each(KINDS)('are empty if an %s provider sends none', async (kind) => {
    const backend = await scene.create(kind)
    const result = await backend.authenticate(await signInAt(backend))
    expect(result).toMatchObject({ session: { roles: [] } })
    expect(scene.log.filter(({ event }) => String(event).startsWith('session.'))).toEqual([])
  })
})
