import { randomUUID } from 'node:crypto'
import {
  calculateJwkThumbprint,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { GuardUnavailableError } from './authenticator.js'
import { createTokenAuthenticator } from './token-authenticator.js'

const ISSUER = 'https://auth.example'
const AUDIENCE = 'https://orders.example'
const now = () => Math.floor(Date.now() / 1000)

interface Key {
  kid: string
  private: CryptoKey
  public: CryptoKey
  jwk: JWK
}
async function makeKey(alg = 'ES256'): Promise<Key> {
  const pair = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(pair.publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  return {
    kid,
    private: pair.privateKey,
    public: pair.publicKey,
    jwk: { ...jwk, kid, alg, use: 'sig' },
  }
}

let key: Key
let other: Key
beforeAll(async () => {
  ;[key, other] = [await makeKey(), await makeKey()]
})

const CLAIMS = { sub: 'ada', sid: 'session', scope: 'a b', roles: ['clerk'], jti: '1' }
const claims = (): JWTPayload => ({
  ...CLAIMS,
  iss: ISSUER,
  aud: AUDIENCE,
  iat: now(),
  exp: now() + 300,
})
const header = () => ({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
const sign = (
  over: Record<string, unknown> = {},
  head: object = {},
  by: CryptoKey | Uint8Array = key.private,
) => new SignJWT({ ...claims(), ...over }).setProtectedHeader({ ...header(), ...head }).sign(by)

/** A service that verifies tokens, and records its fetches of the keys. */
function service(
  keys: () => Response | Promise<Response> = () => Response.json({ keys: [key.jwk] }),
) {
  const fetched: string[] = []
  const authenticator = createTokenAuthenticator({
    issuer: ISSUER,
    audience: AUDIENCE,
    fetch: async (url) => {
      fetched.push(url)
      return keys()
    },
  })
  return { fetched, ...authenticator }
}

describe('a token', () => {
  it.each([
    [
      { auth_time: 1000, acr: 'mfa' },
      { auth_time: 1000, acr: 'mfa' },
    ],
    [{ auth_time: '1000', acr: ['mfa'] }, {}],
  ])(
    'passes on when and how the user authenticated, if they are claims: %j',
    async (over, expected) => {
      const found = await service().verifyToken(await sign(over))
      if (!found.ok) throw new Error(found.reason)
      expect(found.principal.claims).toEqual({ sessionId: 'session', ...expected })
    },
  )

  it('authenticates the caller; the keys are fetched once', async () => {
    const orders = service()
    const headers = { authorization: `Bearer ${await sign()}` }
    for (let n = 0; n < 3; n += 1) {
      expect(await orders.authenticate({ headers })).toEqual({
        ok: true,
        setCookies: [],
        principal: {
          subject: 'ada',
          scopes: ['a', 'b'],
          roles: ['clerk'],
          scheme: 'bearer',
          claims: { sessionId: 'session' },
        },
      })
    }
    expect(orders.fetched).toEqual([`${ISSUER}/.well-known/jwks.json`])
    expect(orders.realm).toBe(AUDIENCE)
  })

  it('is accepted without scopes and roles, and within the clock tolerance', async () => {
    const orders = service()
    const token = await sign({ scope: '', roles: [], iat: now() + 3, exp: now() - 3 })
    expect(await orders.verifyToken(token)).toMatchObject({ principal: { scopes: [], roles: [] } })
  })

  it('is accepted when the issuer option ends in a slash', async () => {
    const orders = createTokenAuthenticator({
      issuer: `${ISSUER}/`,
      audience: AUDIENCE,
      fetch: async () => Response.json({ keys: [key.jwk] }),
    })
    expect(await orders.verifyToken(await sign())).toMatchObject({ ok: true })
  })

  it.each<[string, () => string | Promise<string>]>([
    ['an empty string', () => ''],
    ['not a JWT', () => 'abc'],
    ['alg none', () => new UnsecuredJWT(claims()).encode()],
    [
      'alg none with the type of an access token',
      async () => {
        const [, payload] = (await sign()).split('.')
        const head = Buffer.from(JSON.stringify({ ...header(), alg: 'none' })).toString('base64url')
        return `${head}.${payload}.`
      },
    ],
    [
      'HS256 with the public key as PEM',
      async () => sign({}, { alg: 'HS256' }, Buffer.from(await exportSPKI(key.public))),
    ],
    [
      'HS256 with the public key as JWK',
      () => sign({}, { alg: 'HS256' }, Buffer.from(JSON.stringify(key.jwk))),
    ],
    ['another algorithm', async () => sign({}, { alg: 'ES384' }, (await makeKey('ES384')).private)],
    ['a key of another issuer', () => sign({}, {}, other.private)],
    ['a key that is not published', () => sign({}, { kid: other.kid }, other.private)],
    [
      'a key embedded in its header (jwk)',
      () => sign({}, { kid: undefined, jwk: other.jwk }, other.private),
    ],
    ['another audience', () => sign({ aud: 'https://billing.example' })],
    ['an audience with the same prefix', () => sign({ aud: `${AUDIENCE}.evil.example` })],
    ['no audience', () => sign({ aud: undefined })],
    ['another issuer', () => sign({ iss: 'https://evil.example' })],
    ['an issuer with a slash', () => sign({ iss: `${ISSUER}/` })],
    ['an id token', () => sign({}, { typ: 'JWT' })],
    ['a logout token', () => sign({}, { typ: 'logout+jwt' })],
    ['no type', () => sign({}, { typ: undefined })],
    ['expired', () => sign({ exp: now() - 30 })],
    ['no exp', () => sign({ exp: undefined })],
    ['nbf in the future', () => sign({ nbf: now() + 300 })],
    ['no subject', () => sign({ sub: undefined })],
    ['an empty subject', () => sign({ sub: '' })],
    ['no sid', () => sign({ sid: undefined })],
    ['roles that are not a list', () => sign({ roles: 'admin' })],
    ['scopes that are a list', () => sign({ scope: ['a'] })],
    [
      'another payload',
      async () => {
        const [head, , signature] = (await sign()).split('.')
        const payload = Buffer.from(JSON.stringify({ ...claims(), sub: 'root' }))
        return `${head}.${payload.toString('base64url')}.${signature}`
      },
    ],
  ])('is rejected: %s', async (_what, make) => {
    expect(await service().verifyToken(await make())).toEqual({
      ok: false,
      reason: 'credential-invalid',
      setCookies: [],
    })
  })

  it('is rejected without a kid when several keys are published', async () => {
    const orders = service(() => Response.json({ keys: [key.jwk, other.jwk] }))
    const token = await sign({}, { kid: undefined })
    expect(await orders.verifyToken(token)).toMatchObject({ reason: 'credential-invalid' })
  })

  it('is read from the Authorization header only', async () => {
    const orders = service()
    const token = await sign()
    for (const headers of [
      {},
      { cookie: `__Host-ns_session=${token}` },
      { 'x-api-key': token },
      { authorization: `Basic ${token}` },
    ]) {
      expect(await orders.authenticate({ headers })).toMatchObject({
        reason: 'credential-missing',
      })
    }
    const scheme = { headers: { authorization: 'Bearer' } }
    expect(await orders.authenticate(scheme)).toMatchObject({ reason: 'credential-invalid' })
  })
})

describe('the keys', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each<[string, () => Response | Promise<Response>]>([
    ['an unreachable service', () => Promise.reject(new TypeError('fetch failed'))],
    ['a 500', () => Response.json({}, { status: 500 })],
    ['a redirect', () => Response.redirect('https://evil.example', 302)],
    ['an HTML page', () => new Response('<html>')],
    ['no keys', () => Response.json({})],
  ])(
    'that cannot be fetched are GuardUnavailableError, not an invalid token: %s',
    async (_what, keys) => {
      const asking = service(keys).verifyToken(await sign())
      await expect(asking).rejects.toBeInstanceOf(GuardUnavailableError)
    },
  )

  it('are fetched again after a failure', async () => {
    let up = false
    const orders = service(() =>
      up ? Response.json({ keys: [key.jwk] }) : Response.json({}, { status: 503 }),
    )
    await expect(orders.verifyToken(await sign())).rejects.toBeInstanceOf(GuardUnavailableError)
    up = true
    vi.setSystemTime(Date.now() + 1000)
    expect((await orders.verifyToken(await sign())).ok).toBe(true)
  })

  it('are fetched at most every 30 seconds for unknown key ids', async () => {
    const orders = service()
    const invented = async () => orders.verifyToken(await sign({}, { kid: randomUUID() }))
    for (let n = 0; n < 20; n += 1) await invented()
    expect(orders.fetched).toHaveLength(1)
    vi.setSystemTime(Date.now() + 30_000)
    for (let n = 0; n < 20; n += 1) await invented()
    expect(orders.fetched).toHaveLength(2)
  })

  it('are fetched at most once a second while the issuer fails, and known keys still verify', async () => {
    let up = true
    const orders = service(() =>
      up ? Response.json({ keys: [key.jwk] }) : Response.json({}, { status: 503 }),
    )
    expect((await orders.verifyToken(await sign())).ok).toBe(true)
    up = false
    vi.setSystemTime(Date.now() + 30_000)
    for (let n = 0; n < 20; n += 1) {
      const invented = await sign({}, { kid: randomUUID() })
      await expect(orders.verifyToken(invented)).rejects.toBeInstanceOf(GuardUnavailableError)
      expect((await orders.verifyToken(await sign())).ok).toBe(true)
    }
    expect(orders.fetched).toHaveLength(2)
  })
})
