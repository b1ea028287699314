import fc from 'fast-check'
import * as client from 'openid-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AuthLog, silentLog } from '../log.js'
import { getClientConfiguration } from './configuration.js'
import { encodeSubject, resolveIdentity } from './identity.js'
import { type PresetOptions, providers } from './presets.js'
import type { OAuthProvider } from './provider.js'
import { defineOAuthProvider } from './define-provider.js'
import { type JsonServer, type JsonServerAnswer, startJsonServer } from './testing/json-server.js'
import { startOidcServer } from './testing/oidc-server.js'

const redirectUri = 'http://localhost:8094/api/v1/auth/callback'
const insecure = { allowInsecureRequests: true }
const app = { clientId: 'client', clientSecret: 'secret', redirectUri }

describe('encodeSubject', () => {
  it('does not change ordinary subjects', () => {
    for (const subject of ['248289761001', 'auth0|5f7c', 'ada@example.org', 'é😀 "x"']) {
      expect(encodeSubject(subject)).toBe(subject)
    }
  })

  it('escapes what Postgres rejects', () => {
    expect(encodeSubject('a\0b\\c\ud800d')).toBe('a\\u0000b\\u005cc\\ud800d')
  })

  it('is injective and safe for any text', () => {
    const text = fc
      .array(
        fc.oneof(fc.constantFrom('\0', '\\', 'u0000', '\ud800', '\udc00', '😀'), fc.string()),
        {
          minLength: 1,
        },
      )
      .map((parts) => parts.join(''))
      .filter((raw) => raw !== '' && raw.length <= 255)
    fc.assert(
      fc.property(text, (raw) => {
        const encoded = encodeSubject(raw)
        expect(/[\0\p{Surrogate}]/u.test(encoded)).toBe(false)
        const decoded = encoded.replace(/\\u([0-9a-f]{4})/g, (_, hex: string) =>
          String.fromCharCode(parseInt(hex, 16)),
        )
        expect(decoded).toBe(raw)
      }),
    )
  })

  it.each(['', 'x'.repeat(256), '😀'.repeat(128)])('rejects an invalid length', (raw) => {
    expect(() => encodeSubject(raw, 'test')).toThrow('AUTH_PROVIDER_ERROR')
  })

  it('accepts 255 characters', () => {
    expect(encodeSubject('\0'.repeat(255))).toHaveLength(255 * 6)
  })
})

/** Exchanges a code and resolves the identity, like the callback. */
async function identify(
  provider: OAuthProvider,
  callback: URL,
  nonce?: string,
  log: AuthLog = silentLog,
) {
  const configuration = await getClientConfiguration(provider, { ...insecure, timeoutSeconds: 1 })
  const tokens = await client.authorizationCodeGrant(configuration, callback, {
    pkceCodeVerifier: 'v'.repeat(43),
    expectedState: 'state',
    ...(nonce !== undefined && { expectedNonce: nonce }),
  })
  return resolveIdentity(provider, configuration, tokens, log)
}

describe('plain OAuth 2.0', () => {
  let server: JsonServer
  let routes: Record<string, JsonServerAnswer>
  beforeEach(async () => {
    routes = { '/token': { json: { access_token: 'at', token_type: 'bearer', scope: '' } } }
    server = await startJsonServer(({ path }) => routes[path] ?? { status: 404, json: {} })
  })
  afterEach(() => server.close())

  const signIn = (preset: (options: PresetOptions) => OAuthProvider) =>
    identify(
      preset({
        ...app,
        tokenEndpoint: `${server.origin}/token`,
        userInfoEndpoint: `${server.origin}/user`,
      }),
      new URL(`${redirectUri}?code=c&state=state`),
    )

  const octocat = {
    login: 'octocat',
    id: 583231,
    node_id: 'MDQ6VXNlcjU4MzIzMQ==',
    avatar_url: 'https://avatars.githubusercontent.com/u/583231?v=4',
    type: 'User',
    site_admin: false,
    name: null,
    email: 'public@github.example',
    roles: ['admin'],
  }

  it('reads GitHub: a numeric id and the primary verified address', async () => {
    routes['/user'] = { json: octocat }
    routes['/user/emails'] = {
      json: [
        { email: 'old@github.example', primary: false, verified: true, visibility: null },
        { email: 'octocat@github.example', primary: true, verified: true, visibility: 'private' },
      ],
    }
    expect(await signIn(providers.github)).toEqual({
      issuer: 'github',
      subject: '583231',
      claims: {
        sub: '583231',
        name: 'octocat',
        preferred_username: 'octocat',
        picture: octocat.avatar_url,
        email: 'octocat@github.example',
        email_verified: true,
      },
      profile: {
        displayName: 'octocat',
        email: 'octocat@github.example',
        emailVerified: true,
        imageUrl: octocat.avatar_url,
      },
    })
    const [, user] = server.requests
    expect(user?.headers).toMatchObject({
      authorization: 'Bearer at',
      'user-agent': expect.stringContaining('openid-client') as unknown,
    })
  })

  it.each([
    ['is not granted', { status: 404, json: { message: 'Not Found' } }],
    ['is refused', { status: 403, json: { message: 'Forbidden' } }],
    ['is empty', { json: [] }],
    ['has no verified one', { json: [{ email: 'a@b.c', primary: true, verified: false }] }],
  ])('signs in at GitHub without an address if the list %s', async (_, emails) => {
    routes['/user'] = { json: octocat }
    routes['/user/emails'] = emails
    const { profile } = await signIn(providers.github)
    expect(profile).toEqual({ displayName: 'octocat', imageUrl: octocat.avatar_url })
  })

  it('fails if the address list of GitHub is unavailable, instead of signing in without an address', async () => {
    routes['/user'] = { json: octocat }
    routes['/user/emails'] = { status: 502, text: '<html>' }
    await expect(signIn(providers.github)).rejects.toMatchObject({ code: 'AUTH_PROVIDER_ERROR' })
  })

  const discordUser = {
    id: '80351110224678912',
    username: 'nelly',
    global_name: 'Nelly',
    avatar: '8342729096ea3675442027381ff50dfe',
    verified: false,
    email: 'nelly@discord.example',
  }

  it('reads Discord: email_verified and the picture', async () => {
    routes['/user'] = { json: discordUser }
    expect(await signIn(providers.discord)).toMatchObject({
      issuer: 'discord',
      subject: '80351110224678912',
      profile: {
        displayName: 'Nelly',
        email: 'nelly@discord.example',
        emailVerified: false,
        imageUrl:
          'https://cdn.discordapp.com/avatars/80351110224678912/8342729096ea3675442027381ff50dfe.png',
      },
    })
  })

  it('reads Discord without picture, address and display name', async () => {
    routes['/user'] = { json: { ...discordUser, global_name: null, avatar: null, email: null } }
    expect((await signIn(providers.discord)).profile).toEqual({ displayName: 'nelly' })
  })

  it('reads X', async () => {
    routes['/user'] = {
      json: { data: { id: '2244994945', name: 'X Dev', username: 'XDevelopers' } },
    }
    expect(await signIn(providers.twitter)).toMatchObject({
      issuer: 'twitter',
      subject: '2244994945',
      claims: { sub: '2244994945', name: 'X Dev', preferred_username: 'XDevelopers' },
      profile: { displayName: 'X Dev' },
    })
  })

  it('reads the confirmed address of X', async () => {
    routes['/user'] = { json: { data: { id: '1', name: 'X', confirmed_email: 'x@x.example' } } }
    expect((await signIn(providers.twitter)).profile).toEqual({
      displayName: 'X',
      email: 'x@x.example',
      emailVerified: true,
    })
  })

  it('reads Spotify, without email_verified', async () => {
    routes['/user'] = {
      json: {
        id: 'wizzler',
        display_name: 'JM Wizzler',
        email: 'email@spotify.example',
        images: [{ url: 'https://i.scdn.co/image/ab67', height: 300, width: 300 }],
      },
    }
    expect((await signIn(providers.spotify)).profile).toEqual({
      displayName: 'JM Wizzler',
      email: 'email@spotify.example',
      imageUrl: 'https://i.scdn.co/image/ab67',
    })
  })

  it('reads Facebook', async () => {
    routes['/user'] = {
      json: {
        id: '10158',
        name: 'Ada',
        email: 'ada@facebook.example',
        picture: { data: { url: 'https://platform.fbsbx.com/p.jpg', is_silhouette: false } },
      },
    }
    expect(await signIn(providers.facebook)).toMatchObject({
      subject: '10158',
      profile: {
        displayName: 'Ada',
        email: 'ada@facebook.example',
        imageUrl: 'https://platform.fbsbx.com/p.jpg',
      },
    })
  })

  it.each([
    ['no id', { login: 'octocat' }],
    ['an empty id', { id: '' }],
    ['an id that is an object', { id: { $oid: 'x' } }],
    ['an id that is not a safe integer', { id: 2 ** 53 }],
    ['a list', [octocat]],
  ])('refuses %s', async (_, json) => {
    routes['/user'] = { json }
    routes['/user/emails'] = { json: [] }
    await expect(signIn(providers.github)).rejects.toMatchObject({
      code: 'AUTH_PROVIDER_ERROR',
      data: { providerId: 'github' },
    })
  })

  it.each([
    ['an error', { status: 401, json: { message: 'Bad credentials' } }],
    ['an HTML page', { text: '<html>' }],
    ['a redirect', { status: 302, headers: { location: '/elsewhere' }, json: octocat }],
    ['a body over 1 MiB', { text: ' '.repeat(1024 * 1024 + 1) }],
  ])('refuses %s', async (_, user) => {
    routes['/user'] = user
    await expect(signIn(providers.github)).rejects.toMatchObject({
      code: 'AUTH_PROVIDER_ERROR',
      detail: 'The provider did not say who signed in. Try again.',
    })
  })

  it('ignores an address that is not a string and a picture that is not an http URL', async () => {
    routes['/user'] = {
      json: { id: 'x', email: ['a@b.c'], images: [{ url: 'javascript:alert(1)' }] },
    }
    expect((await signIn(providers.spotify)).profile).toEqual({})
  })
})

describe('OpenID Connect', () => {
  const nonce = 'nonce-of-this-sign-in'
  const authorize = async (provider: OAuthProvider) =>
    client.buildAuthorizationUrl(await getClientConfiguration(provider, insecure), {
      redirect_uri: redirectUri,
      scope: provider.scopes.join(' '),
      state: 'state',
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge('v'.repeat(43)),
      code_challenge_method: 'S256',
    })
  const identity = (issuer: string) => ({
    issuer,
    subject: 'ada',
    claims: {
      sub: 'ada',
      name: 'Name of ada',
      email: 'ada@example.org',
      email_verified: true,
      locale: 'en',
    },
    profile: { displayName: 'Name of ada', email: 'ada@example.org', emailVerified: true },
  })

  it('reads the id_token, and the user info only for missing claims', async () => {
    for (const claimsInIdToken of [true, false]) {
      const server = await startOidcServer({ redirectUri, claimsInIdToken })
      try {
        const provider = defineOAuthProvider({ ...app, id: 'local', issuer: server.issuer })
        const callback = await server.signIn(await authorize(provider), 'ada')
        expect(await identify(provider, callback, nonce)).toMatchObject(identity(server.issuer))
        expect(server.userInfos()).toBe(claimsInIdToken ? 0 : 1)
      } finally {
        await server.close()
      }
    }
  })

  it('works as plain OAuth 2.0 with explicit endpoints', async () => {
    const server = await startOidcServer({ redirectUri, claimsInIdToken: true })
    try {
      const provider = defineOAuthProvider({
        ...app,
        id: 'my-idp',
        authorizationEndpoint: `${server.issuer}/auth`,
        tokenEndpoint: `${server.issuer}/token`,
        userInfoEndpoint: `${server.issuer}/me`,
      })
      const callback = await server.signIn(await authorize(provider), 'ada')
      callback.searchParams.delete('iss')
      expect(await identify(provider, callback)).toEqual(identity('my-idp'))
    } finally {
      await server.close()
    }
  })

  const elsewhere = async (answer: JsonServerAnswer, run: (userInfo: string) => Promise<void>) => {
    const other = await startJsonServer(() => answer)
    try {
      await run(`${other.origin}/userinfo`)
    } finally {
      await other.close()
    }
  }

  it.each([
    ['names another subject', { json: { sub: 'mallory', email: 'mallory@example.org' } }],
    ['names no subject', { json: { email: 'mallory@example.org' } }],
    ['is a page', { text: '<html>' }],
    ['is a redirect', { status: 302, headers: { location: '/elsewhere' }, json: {} }],
  ])('fails if the user info %s', async (_, answer) => {
    const server = await startOidcServer({ redirectUri, claimsInIdToken: false })
    try {
      await elsewhere(answer, async (userInfoEndpoint) => {
        const provider = defineOAuthProvider({
          ...app,
          id: 'local',
          issuer: server.issuer,
          userInfoEndpoint,
        })
        const callback = await server.signIn(await authorize(provider), 'ada')
        await expect(identify(provider, callback, nonce)).rejects.toMatchObject({
          code: 'AUTH_PROVIDER_ERROR',
          detail: 'The answer of the provider could not be verified. Start the sign-in again.',
        })
      })
    } finally {
      await server.close()
    }
  })

  it.each<[string, JsonServerAnswer | 'silence' | 'no server']>([
    ...[400, 401, 403, 404, 405, 429, 500, 502, 503].map((status): [string, JsonServerAnswer] => [
      `${status}`,
      { status, json: { sub: 'mallory', email: 'mallory@example.org', email_verified: true } },
    ]),
    [
      '401 with a challenge',
      { status: 401, json: {}, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
    ],
    ['500 with a page', { status: 500, text: '<html>', headers: { 'content-type': 'text/html' } }],
    ['nothing in time', 'silence'],
    ['nothing, because there is no server', 'no server'],
  ])('signs in with the id_token if the user info responds with %s', async (_what, answer) => {
    const server = await startOidcServer({ redirectUri, claimsInIdToken: false })
    const other = await startJsonServer(() =>
      typeof answer === 'object' ? answer : new Promise<never>(() => undefined),
    )
    if (answer === 'no server') await other.close()
    try {
      const provider = defineOAuthProvider({
        ...app,
        id: 'local',
        issuer: server.issuer,
        userInfoEndpoint: `${other.origin}/userinfo`,
      })
      const callback = await server.signIn(await authorize(provider), 'ada')
      const warnings: object[] = []
      const log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) }
      const { subject, profile } = await identify(provider, callback, nonce, log)
      expect({ subject, profile }).toEqual({ subject: 'ada', profile: {} })
      expect(warnings).toEqual([expect.objectContaining({ provider: 'local' })])
    } finally {
      await other.close()
      await server.close()
    }
  })

  it('takes email_verified from the source of the address', async () => {
    const provider = defineOAuthProvider({
      ...app,
      id: 'local',
      issuer: 'https://idp.example',
      userInfoEndpoint: 'https://idp.example/userinfo',
    })
    const resolve = async (idToken: object, userInfo: object) => {
      const configuration = new client.Configuration(
        { issuer: 'https://idp.example', userinfo_endpoint: provider.userInfoEndpoint ?? '' },
        'client',
      )
      configuration[client.customFetch] = () =>
        Promise.resolve(Response.json({ sub: 'ada', ...userInfo }))
      const claims = { iss: 'https://idp.example', sub: 'ada', aud: 'client', iat: 0, exp: 0 }
      const { profile } = await resolveIdentity(provider, configuration, {
        access_token: 'at',
        token_type: 'bearer',
        claims: () => ({ ...claims, ...idToken }),
        expiresIn: () => undefined,
      } as unknown as Parameters<typeof resolveIdentity>[2])
      return [profile.email, profile.emailVerified]
    }
    const [mine, other] = ['ada@example.org', 'other@example.org']
    const verified = { email_verified: true }
    expect(await resolve({ email: mine }, { email: other, ...verified })).toEqual([mine, undefined])
    expect(await resolve({ email: mine }, { email: mine, ...verified })).toEqual([mine, true])
    expect(await resolve(verified, { email: other })).toEqual([other, undefined])
    expect(await resolve(verified, {})).toEqual([undefined, undefined])
  })
})
