import { generateKeyPair, SignJWT } from 'jose'
import { sealData } from 'iron-session'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { AuthSession, AuthUser } from '../../contract/session.js'
import type { AuthBackendPort } from '../port.js'
import { createWorkosBackend } from './backend.js'
import { optionsFor, requestWith, withBearer, withCookie } from './testing/requests.js'
import { startWorkosApi, type WorkosApi } from './testing/workos-api.js'

const ADA = {
  id: 'user_01ADA',
  email: 'ada@example.com',
  firstName: 'Ada',
  lastName: 'Lovelace',
  profilePictureUrl: 'https://example.com/ada.png',
}

let api: WorkosApi
let backend: AuthBackendPort
beforeAll(async () => {
  api = await startWorkosApi()
})
beforeEach(async () => {
  api.up()
  backend = await createWorkosBackend(optionsFor(api))
})
afterEach(() => {
  vi.useRealTimers()
})
afterAll(() => api.stop())

const refusal = { ok: false, reason: 'credential-invalid', setCookies: [] }
const unavailable = { code: 'STORE_UNAVAILABLE', status: 503 }

/** The last character of the digest has unused bits: four spellings decode to the same bytes. */
function otherLastCharacters(cookie: string): string[] {
  const last = cookie.length - '~2'.length - 1
  return [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
    .filter((character) => character !== cookie[last])
    .map((character) => cookie.slice(0, last) + character + cookie.slice(last + 1))
}

describe('an access token with an instant out of the range of the contract', () => {
  const LAST = '9999-12-31T23:59:59.999Z'
  it.each([
    ['the year 10000', { exp: 253_402_300_800 }, { expiresAt: LAST }],
    ['the last day of Date', { exp: 8.64e12 }, { expiresAt: LAST }],
    ['beyond the last day of Date', { exp: 1e18 }, { expiresAt: LAST }],
    ['milliseconds for seconds', { iat: 1e15, exp: 2e15 }, { issuedAt: LAST, expiresAt: LAST }],
    ['before 1970', { iat: -1 }, { issuedAt: '1970-01-01T00:00:00.000Z' }],
  ])(
    'gives a session with the nearest instant, by cookie and bearer token: %s',
    async (_, claims, shown) => {
      const { cookie, accessToken } = await api.sealSession(ADA, { claims })
      for (const request of [withCookie(cookie), withBearer(accessToken)]) {
        const result = await backend.authenticate(request)
        if (!result.ok) throw new Error(result.reason)
        expect(AuthSession.parse(result.session)).toMatchObject(shown)
      }
    },
  )
})

describe('a sealed cookie', () => {
  it('gives user, session, scopes and roles, without tokens', async () => {
    const { cookie, accessToken, refreshToken, sessionId } = await api.sealSession(ADA, {
      claims: {
        roles: ['member', 'editor'],
        entitlements: ['audit-logs'],
        feature_flags: ['beta'],
        secret: 'x',
      },
    })
    const result = await backend.authenticate(withCookie(cookie))
    if (!result.ok) throw new Error(result.reason)
    const claims = {
      organizationId: 'org_01TEST',
      entitlements: ['audit-logs'],
      featureFlags: ['beta'],
      authenticationMethod: 'GoogleOAuth',
    }
    expect(result.session).toEqual({
      id: sessionId,
      userId: ADA.id,
      subject: ADA.id,
      providerId: 'workos',
      state: 'active',
      scopes: ['posts:read', 'posts:write'],
      roles: ['member', 'editor'],
      claims,
      issuedAt: expect.any(String),
      expiresAt: expect.any(String),
    })
    expect(Date.parse(result.session.expiresAt) - Date.parse(result.session.issuedAt)).toBe(300_000)
    expect(result.user).toEqual({
      id: ADA.id,
      displayName: 'Ada Lovelace',
      email: ADA.email,
      emailVerified: true,
      imageUrl: ADA.profilePictureUrl,
    })
    expect(result.principal).toEqual({
      subject: ADA.id,
      scopes: ['posts:read', 'posts:write'],
      roles: ['member', 'editor'],
      scheme: 'custom',
      claims: { ...claims, sessionId, providerId: 'workos' },
    })
    expect(AuthSession.parse(result.session)).toEqual(result.session)
    expect(AuthUser.parse(result.user)).toEqual(result.user)
    expect(result.setCookies).toEqual([])
    for (const secret of [accessToken, refreshToken, cookie]) {
      expect(JSON.stringify(result)).not.toContain(secret)
    }
  })

  it('fetches the keys once for any number of requests', async () => {
    const { cookie } = await api.sealSession(ADA)
    const before = api.calls.jwks
    for (let count = 0; count < 5; count += 1) await backend.authenticate(withCookie(cookie))
    expect(api.calls.jwks).toBe(before + 1)
  })

  it('is accepted percent-encoded too', async () => {
    const { cookie } = await api.sealSession(ADA)
    const encoded = cookie.replaceAll('*', '%2A').replaceAll('~', '%7E')
    expect(await backend.authenticate(withCookie(encoded))).toMatchObject({ ok: true })
  })

  it('has a claim for impersonation without the identity of the administrator', async () => {
    const { cookie } = await api.sealSession(ADA, { claims: { act: { sub: 'admin@example.com' } } })
    const result = await backend.authenticate(withCookie(cookie))
    expect(result).toMatchObject({ ok: true, session: { claims: { impersonated: true } } })
    expect(JSON.stringify(result)).not.toContain('admin@example.com')
  })

  it('of a user without a name or an organization is accepted', async () => {
    const { cookie } = await api.sealSession(
      { id: 'user_01BARE' },
      { claims: { org_id: null, role: null, roles: null, permissions: null } },
    )
    expect(await backend.authenticate(withCookie(cookie))).toMatchObject({
      ok: true,
      session: { scopes: [], roles: [], claims: { authenticationMethod: 'GoogleOAuth' } },
      user: { id: 'user_01BARE' },
    })
  })

  it('that is missing, empty or sent twice is no credential', async () => {
    const { cookie } = await api.sealSession(ADA)
    for (const cookies of [[], [''], [cookie, cookie], [cookie, 'x']]) {
      expect(await backend.authenticate(requestWith({ cookies }))).toEqual({
        ok: false,
        reason: 'credential-missing',
        setCookies: [],
      })
    }
  })

  it('with any character changed is refused', async () => {
    const { cookie } = await api.sealSession(ADA)
    const parts = cookie.split('*')
    const forged = parts.flatMap((part, index) => {
      const flipped = `${part.startsWith('A') ? 'B' : 'A'}${part.slice(1)}`
      return [flipped, '', `${part}x`].map((other) => parts.with(index, other).join('*'))
    })
    const candidates = [
      // Without an expiry, one part is already empty.
      ...forged.filter((candidate) => candidate !== cookie),
      ...otherLastCharacters(cookie),
      cookie.slice(0, -10),
      'Fe26.2*',
      cookie.replace(/~2$/, ''),
      cookie.replace(/~2$/, '~1'),
      cookie.replace(/~2$/, '~2~2'),
      'garbage',
      '%',
      '%E0%A4%A',
      '{}',
      'A'.repeat(5000),
    ]
    const results = await Promise.all(
      candidates.map((candidate) => backend.authenticate(withCookie(candidate))),
    )
    expect(results).toEqual(candidates.map(() => refusal))
  })

  it('that was sealed with another password is refused', async () => {
    const { cookie } = await api.sealSession(ADA, { password: 'p'.repeat(32) })
    expect(await backend.authenticate(withCookie(cookie))).toEqual(refusal)
  })

  it.each([
    ['nothing', {}],
    ['no user', { accessToken: 'x' }],
    ['a token that is none', { accessToken: 'x', user: { id: ADA.id } }],
    ['a list', [1, 2]],
    ['a text', 'x'],
    ['null', null],
  ])('that seals %s is refused', async (_what, content) => {
    const seal = { password: api.cookiePassword, ttl: 0 }
    const cookie = await sealData(content, seal)
    expect(await backend.authenticate(withCookie(cookie))).toEqual(refusal)
  })

  it('with another user than the token is refused', async () => {
    const accessToken = await api.accessToken('user_01EVE')
    const { cookie } = await api.sealSession(ADA, { accessToken })
    expect(await backend.authenticate(withCookie(cookie))).toEqual(refusal)
  })
})

/** Tokens that are refused in a cookie and as a bearer token. */
const BAD_TOKENS: [string, (api: WorkosApi) => Promise<string>][] = [
  [
    'of another issuer',
    (at) => at.accessToken(ADA.id, { claims: { iss: 'https://evil.example' } }),
  ],
  [
    'of another client of the same environment',
    (at) => at.accessToken(ADA.id, { claims: { iss: `${at.url}/user_management/client_02` } }),
  ],
  ['without an issuer', (at) => at.accessToken(ADA.id, { claims: { iss: null } })],
  [
    'with another client_id',
    (at) => at.accessToken(ADA.id, { claims: { client_id: 'client_02' } }),
  ],
  ['with another audience', (at) => at.accessToken(ADA.id, { claims: { aud: 'client_02' } })],
  ['with an empty audience', (at) => at.accessToken(ADA.id, { claims: { aud: [] } })],
  ['without a session', (at) => at.accessToken(ADA.id, { claims: { sid: null } })],
  ['without a subject', (at) => at.accessToken(ADA.id, { claims: { sub: null } })],
  ['without an expiry', (at) => at.accessToken(ADA.id, { claims: { exp: null } })],
  ['that is not valid yet', (at) => at.accessToken(ADA.id, { claims: { nbf: 32_503_680_000 } })],
  [
    'signed by another key with the key id of the key set',
    async (at) => {
      const { privateKey } = await generateKeyPair('RS256')
      return at.accessToken(ADA.id, { key: privateKey })
    },
  ],
  [
    'signed by an unknown key',
    async (at) => {
      const { privateKey } = await generateKeyPair('RS256')
      const header = { alg: 'RS256', kid: 'unknown' }
      return at.accessToken(ADA.id, { key: privateKey, header })
    },
  ],
  [
    'signed with the public key as an HMAC secret',
    async (at) => {
      const token = await at.accessToken(ADA.id)
      const { kid } = JSON.parse(decodePart(token, 0)) as { kid: string }
      const secret = await crypto.subtle.exportKey('spki', at.publicKey())
      return at.accessToken(ADA.id, {
        key: new Uint8Array(secret),
        header: { alg: 'HS256', kid },
      })
    },
  ],
  [
    'that is not signed at all',
    async (at) => {
      const [, payload] = (await at.accessToken(ADA.id)).split('.')
      return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
    },
  ],
  [
    'with a changed payload',
    async (at) => {
      const [header, , signature] = (await at.accessToken(ADA.id)).split('.')
      const payload = decodePart(await at.accessToken('user_01EVE'), 1)
      return `${header}.${Buffer.from(payload).toString('base64url')}.${signature}`
    },
  ],
  [
    'with an embedded key',
    async () => {
      const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
      const jwk = await crypto.subtle.exportKey('jwk', publicKey)
      return new SignJWT({ sub: ADA.id, sid: 's', iss: api.issuer })
        .setProtectedHeader({ alg: 'RS256', jwk: jwk })
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey)
    },
  ],
]

const decodePart = (token: string, index: number): string =>
  Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()

describe.each(BAD_TOKENS)('an access token %s', (_what, make) => {
  it('is refused as a bearer token', async () => {
    expect(await backend.authenticate(withBearer(await make(api)))).toEqual(refusal)
  })

  it('is refused in a cookie, and not refreshed', async () => {
    const before = api.calls.authenticate
    const { cookie } = await api.sealSession(ADA, { accessToken: await make(api) })
    expect(await backend.authenticate(withCookie(cookie))).toEqual(refusal)
    expect(api.calls.authenticate).toBe(before)
  })
})

describe('issuers and audiences', () => {
  it('of older environments, without a client id, are accepted', async () => {
    const claims = { iss: api.url, client_id: null }
    const token = await api.accessToken(ADA.id, { claims })
    expect(await backend.authenticate(withBearer(token))).toMatchObject({ ok: true })
  })

  it('are limited to the configured ones', async () => {
    const strict = await createWorkosBackend({
      ...optionsFor(api),
      issuers: ['https://auth.example.com'],
      audiences: ['posts-api'],
    })
    const ours = { iss: 'https://auth.example.com', aud: ['other', 'posts-api'] }
    const outcomes = await Promise.all(
      [ours, { ...ours, aud: null }, { ...ours, aud: api.clientId }, { aud: 'posts-api' }].map(
        async (claims) =>
          (await strict.authenticate(withBearer(await api.accessToken(ADA.id, { claims })))).ok,
      ),
    )
    expect(outcomes).toEqual([true, false, false, false])
  })

  it('are accepted after a rotation of the signing key', async () => {
    const { cookie } = await api.sealSession(ADA)
    await api.rotateKeys()
    // The keys are first fetched after the rotation: only the new key is known.
    expect(await backend.authenticate(withCookie(cookie))).toEqual(refusal)
    const { cookie: fresh } = await api.sealSession(ADA)
    expect(await backend.authenticate(withCookie(fresh))).toMatchObject({ ok: true })
  })
})

describe('a bearer token', () => {
  it('authenticates like a cookie, but the user has only an id', async () => {
    const token = await api.accessToken(ADA.id, { sessionId: 'session_01' })
    const result = await backend.authenticate(withBearer(token))
    expect(result).toMatchObject({
      ok: true,
      principal: { subject: ADA.id, scheme: 'bearer', scopes: ['posts:read', 'posts:write'] },
      session: { id: 'session_01' },
      user: { id: ADA.id },
    })
    expect(JSON.stringify(result)).not.toContain(token)
  })

  it('that has expired is not refreshed', async () => {
    const token = await api.accessToken(ADA.id, { expiresIn: -1 })
    expect(await backend.authenticate(withBearer(token))).toMatchObject({
      ok: false,
      reason: 'session-expired',
    })
  })

  it.each(['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a,b', 'Bearer ü', 'garbage', 'Bearer "a"'])(
    'that is malformed is refused: %s',
    async (authorization) => {
      const { cookie } = await api.sealSession(ADA)
      for (const cookies of [[], [cookie]]) {
        const request = requestWith({ cookies, authorization })
        expect(await backend.authenticate(request)).toEqual(refusal)
      }
    },
  )

  it('that is empty is no credential', async () => {
    const { cookie } = await api.sealSession(ADA)
    const request = requestWith({ cookies: [cookie], authorization: '' })
    expect(await backend.authenticate(request)).toMatchObject({ ok: true })
  })

  it('of another scheme is ignored', async () => {
    const { cookie } = await api.sealSession(ADA)
    const authorization = 'Basic cHJveHk6cHc='
    expect(
      await backend.authenticate(requestWith({ cookies: [cookie], authorization })),
    ).toMatchObject({ ok: true })
    expect(await backend.authenticate(requestWith({ authorization }))).toMatchObject({
      reason: 'credential-missing',
    })
  })

  it('is accepted with a cookie of the same session only', async () => {
    const { cookie, accessToken } = await api.sealSession(ADA)
    const { accessToken: otherSession } = await api.sealSession(ADA)
    const { accessToken: otherUser } = await api.sealSession({ id: 'user_01EVE' })
    const ask = (token: string, sealed = cookie) =>
      backend.authenticate(requestWith({ cookies: [sealed], authorization: `Bearer ${token}` }))
    expect(await ask(accessToken)).toMatchObject({ ok: true, principal: { scheme: 'custom' } })
    expect(await ask(otherSession)).toEqual(refusal)
    expect(await ask(otherUser)).toEqual(refusal)
    expect(await ask(accessToken, 'garbage')).toEqual(refusal)
  })
})

describe('when the keys are unavailable', () => {
  it.each([
    ['the connection breaks', () => api.down({ parts: ['jwks'] })],
    ['nothing answers', () => api.down({ parts: ['jwks'], hang: true })],
    ['there is an error', () => api.fail('jwks', 500, {})],
    ['there is something else', () => api.fail('jwks', 200, { hello: 'world' })],
    ['the address is wrong', () => api.fail('jwks', 404, {})],
  ])('requests fail with STORE_UNAVAILABLE instead of anonymous: %s', async (_how, breakIt) => {
    const { cookie, accessToken } = await api.sealSession(ADA)
    const impatient = await createWorkosBackend({ ...optionsFor(api), jwksTimeoutMs: 750 })
    breakIt()
    for (const request of [withCookie(cookie), withBearer(accessToken)]) {
      await expect(impatient.authenticate(request)).rejects.toMatchObject(unavailable)
    }
    api.up()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1000 })
    expect(await impatient.authenticate(withCookie(cookie))).toMatchObject({ ok: true })
  })

  it('bearer tokens with unknown key ids fetch them at most once a second, and known keys still verify', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    const { cookie, accessToken } = await api.sealSession(ADA)
    expect(await backend.authenticate(withCookie(cookie))).toMatchObject({ ok: true })
    vi.setSystemTime(Date.now() + 30_000)
    api.fail('jwks', 500, {})
    const before = api.calls.jwks
    const [, ...rest] = accessToken.split('.')
    for (let n = 0; n < 5; n += 1) {
      const header = { alg: 'RS256', kid: `invented-${n}` }
      const head = Buffer.from(JSON.stringify(header)).toString('base64url')
      const invented = withBearer([head, ...rest].join('.'))
      await expect(backend.authenticate(invented)).rejects.toMatchObject(unavailable)
      expect(await backend.authenticate(withCookie(cookie))).toMatchObject({ ok: true })
    }
    expect(api.calls.jwks).toBe(before + 1)
  })

  it('cached keys are used', async () => {
    const { cookie } = await api.sealSession(ADA)
    await backend.authenticate(withCookie(cookie))
    api.down()
    expect(await backend.authenticate(withCookie(cookie))).toMatchObject({ ok: true })
  })
})
