import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { parseKeyring } from '../keyring.js'
import type { SessionRecord, UserStore } from './session-store.js'
import { createPool } from '../../prisma/pool.js'
import { createPostgresProviderTokenStore } from './storage/postgres-provider-token-store.js'
import { createPostgresSessionStore } from './storage/postgres-session-store.js'
import { createPostgresUserStore } from './storage/postgres-user-store.js'
import { sessionRecord } from './storage/session-store-suite.js'
import { withAccounts } from './storage/testing/test-user.js'
import { createKvOAuthBackend, type KvOAuthBackend } from './backend.js'
import { encodeSubject } from './identity.js'
import { isIssuer } from './provider-metadata.js'
import { defineOAuthProvider } from './define-provider.js'
import { type JsonServer, type JsonServerAnswer, startJsonServer } from './testing/json-server.js'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const CLIENT_ID = 'client'
const CLIENT_SECRET = 'a secret of the client that is long enough for HS256'
const KEY = randomBytes(32).toString('base64url')
/** The path of a second issuer at an origin, with the same keys. */
const TENANT = '/tenant'

interface SigningKey {
  alg: string
  privateKey: CryptoKey
  jwk: JWK
}

async function signingKey(alg = 'RS256', kid: string = randomUUID()): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** A provider with only metadata and keys. */
interface Issuer {
  origin: string
  key: SigningKey
  keys: JWK[]
  metadata: Record<string, unknown>
  /** Overrides the response of the keys. */
  jwks: (() => JsonServerAnswer) | undefined
  server: JsonServer
}

async function startIssuer(): Promise<Issuer> {
  const key = await signingKey()
  const server = await startJsonServer(({ path }) => {
    if (path === '/jwks') return issuer.jwks?.() ?? { json: { keys: issuer.keys } }
    if (path.startsWith(`${TENANT}/`)) {
      return { json: { ...issuer.metadata, issuer: `${origin}${TENANT}` } }
    }
    return { json: issuer.metadata }
  })
  const { origin } = server
  const metadata = {
    issuer: origin,
    authorization_endpoint: `${origin}/auth`,
    token_endpoint: `${origin}/token`,
    jwks_uri: `${origin}/jwks`,
    id_token_signing_alg_values_supported: ['RS256', 'ES256', 'HS256', 'none'],
  }
  const issuer: Issuer = { origin, key, server, metadata, keys: [key.jwk], jwks: undefined }
  return issuer
}

describe('OpenID Connect Back-Channel Logout', () => {
  let database: TestDatabase
  let pool: PostgresPool
  let users: UserStore
  let idp: Issuer
  let other: Issuer
  let backend: KvOAuthBackend
  let metadata: Issuer['metadata']
  const log: object[] = []

  const createBackend = (database: PostgresPool = pool): Promise<KvOAuthBackend> =>
    createKvOAuthBackend({
      providers: [
        ['idp', idp.origin, CLIENT_ID],
        ['other', other.origin, CLIENT_ID],
        ['same-issuer', idp.origin, 'second-client'],
        ['tenant', `${idp.origin}${TENANT}`, CLIENT_ID],
      ].map(([id = '', issuer, clientId = '']) =>
        defineOAuthProvider({
          id,
          issuer,
          clientId,
          clientSecret: CLIENT_SECRET,
          redirectUri: 'http://localhost:8094/api/v1/auth/callback',
        }),
      ),
      key: KEY,
      pool: database,
      allowInsecureRequests: true,
      log: {
        info: (fields) => void log.push(fields),
        warn: () => undefined,
        error: () => undefined,
      },
    })

  beforeAll(async () => {
    ;[database, idp, other] = await Promise.all([
      createTestDatabase(),
      startIssuer(),
      startIssuer(),
    ])
    metadata = idp.metadata
    pool = createPool(database.url)
    users = createPostgresUserStore(pool)
    backend = await createBackend()
  })
  afterAll(async () => {
    await pool.end()
    await Promise.all([idp.server.close(), other.server.close()])
    await database.drop()
  })
  afterEach(() => {
    vi.useRealTimers()
    idp.jwks = undefined
    idp.keys = [idp.key.jwk]
    idp.metadata = metadata
  })

  /** A user who signed in at the provider. */
  async function signedIn(over: Partial<SessionRecord> = {}): Promise<SessionRecord> {
    const { userId } = await users.signIn({
      providerId: 'idp',
      issuer: idp.origin,
      subject: randomUUID(),
      profile: {},
    })
    const record = sessionRecord(userId, { issuer: idp.origin, sid: randomUUID(), ...over })
    const sessions = createPostgresSessionStore(pool)
    await withAccounts({ sessions, users }).sessions.create(record)
    return record
  }
  const isAlive = async ({ id }: SessionRecord): Promise<boolean> =>
    (await createPostgresSessionStore(pool).get(id)) !== undefined

  type Claims = Record<string, unknown>
  /** The claims of a valid logout token, with overrides; `undefined` omits one. */
  function claimsOf({ subject, sid }: SessionRecord, over: Claims = {}): JWTPayload {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: idp.origin,
      sub: subject,
      aud: CLIENT_ID,
      iat: now,
      exp: now + 120,
      jti: randomUUID(),
      events: { [EVENT]: {} },
      sid,
      ...over,
    }
    return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
  }

  /** Signs claims, with overrides of the header. */
  function sign(claims: JWTPayload, header: Claims = {}, key = idp.key): Promise<string> {
    const { alg, privateKey } = key
    const protectedHeader = { alg, kid: key.jwk.kid, typ: 'logout+jwt', ...header }
    return new SignJWT(claims)
      .setProtectedHeader(protectedHeader as { alg: string })
      .sign(privateKey)
  }
  const logOut = async (token: string | Promise<string>, at = backend) =>
    at.backChannelLogout!(await token)

  const now = () => Math.floor(Date.now() / 1000)

  async function expectRefused(
    token: (session: SessionRecord) => Promise<string>,
    at = backend,
  ): Promise<void> {
    const session = await signedIn()
    const given = await token(session)
    await expect(logOut(given, at)).rejects.toMatchObject({
      code: 'LOGOUT_TOKEN_INVALID',
      status: 400,
      detail: 'Send a logout token as OpenID Connect Back-Channel Logout 1.0 describes it, once.',
    })
    expect(await isAlive(session)).toBe(true)
  }

  describe('modelled on the relying party cases of the OpenID conformance suite', () => {
    it('rp-backchannel-rpinitlogout-ok', async () => {
      const session = await signedIn()
      expect(await logOut(sign(claimsOf(session)))).toEqual({ ended: 1 })
      expect(await isAlive(session)).toBe(false)
    })

    it('rp-backchannel-rpinitlogout-alg-none', () =>
      expectRefused(async (session) => new UnsecuredJWT(claimsOf(session)).encode()))

    it.each(['RS512', 'PS256', 'ES384', 'EdDSA'])(
      'rp-backchannel-rpinitlogout-wrong-alg: %s, which the provider does not list',
      async (alg) => {
        const key = await signingKey(alg)
        idp.keys = [key.jwk]
        await expectRefused((session) => sign(claimsOf(session), {}, key), await createBackend())
      },
    )

    it.each([
      ['another one', 'another-client'],
      ['none', undefined],
      ['an empty list', []],
      ['others too', [CLIENT_ID, 'another-client']],
      ['others too, and authorized for one of them', [CLIENT_ID, 'x'], 'x'],
      ['no text', 7],
    ])('rp-backchannel-rpinitlogout-wrong-aud: %s', (_what, aud, azp?: string) =>
      expectRefused((session) => sign(claimsOf(session, { aud, azp }))),
    )

    it.each(['https://issuer.example', `/`, '', undefined, 7])(
      'rp-backchannel-rpinitlogout-wrong-issuer: %s',
      (iss) =>
        expectRefused((session) =>
          sign(claimsOf(session, { iss: iss === '/' ? `${idp.origin}/` : iss })),
        ),
    )

    it.each([undefined, null, {}, [], 'text'])(
      'rp-backchannel-rpinitlogout-no-event: %s',
      (events) => expectRefused((session) => sign(claimsOf(session, { events }))),
    )

    it.each([
      { 'http://schemas.openid.net/event/frontchannel-logout': {} },
      { [`${EVENT}/`]: {} },
      { [EVENT]: true },
      { [EVENT]: [] },
      { [EVENT]: null },
    ])('rp-backchannel-rpinitlogout-wrong-event: %j', (events) =>
      expectRefused((session) => sign(claimsOf(session, { events }))),
    )

    it.each(['nonce', '', null])('rp-backchannel-rpinitlogout-with-nonce: %j', (nonce) =>
      expectRefused((session) => sign(claimsOf(session, { nonce }))),
    )
  })

  it.each([
    ['fractions of a second', (now: number) => ({ iat: now - 0.5, exp: now + 120.123456 })],
    ['a token that has just expired', (now: number) => ({ exp: now - 0.000001 })],
  ])('accepts a token once, with %s (RFC 7519 section 2)', async (_what, over) => {
    const session = await signedIn()
    const token = await sign(claimsOf(session, over(now())))
    expect(await logOut(token)).toEqual({ ended: 1 })
    await expect(logOut(token)).rejects.toMatchObject({ code: 'LOGOUT_TOKEN_INVALID' })
  })

  it.each([
    ['sid', { sub: null }],
    ['sub', { sid: null }],
  ])('ends the session by its %s when the other claim is null', async (_what, over) => {
    const session = await signedIn()
    expect(await logOut(await sign(claimsOf(session, over)))).toEqual({ ended: 1 })
  })

  describe('refuses', () => {
    it.each<[string, (now: number) => Claims]>([
      ['no jti', () => ({ jti: undefined })],
      ['an empty jti', () => ({ jti: '' })],
      ['a jti that is not a string', () => ({ jti: 7 })],
      ['no exp and an iat eleven minutes ago', (now) => ({ exp: undefined, iat: now - 660 })],
      ['no exp and no iat', () => ({ exp: undefined, iat: undefined })],
      ['an exp that is not a number', () => ({ exp: 'never' })],
      ['an exp that is null', () => ({ exp: null })],
      ['an exp that has passed', (now) => ({ exp: now - 31 })],
      ['an exp too far in the future', (now) => ({ exp: now + 3700 })],
      ['no iat', () => ({ iat: undefined })],
      ['an iat beyond the range of Date', () => ({ iat: 1e18 })],
      ['an iat before 1970', () => ({ iat: -1e18 })],
      ['an exp beyond the range of Date', () => ({ exp: 1e18 })],
      ['an iat in the future', (now) => ({ iat: now + 60 })],
      ['an iat long ago', (now) => ({ iat: now - 700 })],
      ['an nbf in the future', (now) => ({ nbf: now + 60 })],
      ['no sub and no sid', () => ({ sub: undefined, sid: undefined })],
      ['an empty sub', () => ({ sub: '', sid: undefined })],
      ['a sub that is not a string', () => ({ sub: { $ne: '' }, sid: undefined })],
      ['an empty sid', () => ({ sid: '' })],
      ['a sub and a sid that are null', () => ({ sub: null, sid: null })],
      ['a sub of 256 characters', () => ({ sub: 'x'.repeat(256), sid: undefined })],
    ])('%s', (_what, over) => expectRefused((session) => sign(claimsOf(session, over(now())))))

    it.each(['at+jwt', 'application/at+jwt', 'id_token+jwt', 'dpop+jwt', '', 7])(
      'the type %j',
      (typ) => expectRefused((session) => sign(claimsOf(session), { typ })),
    )

    it('HS256 with the client secret, even if the metadata lists it', () =>
      expectRefused((session) =>
        new SignJWT(claimsOf(session))
          .setProtectedHeader({ alg: 'HS256', typ: 'logout+jwt' })
          .sign(new TextEncoder().encode(CLIENT_SECRET)),
      ))

    it('HS256 with the public key of the provider', () =>
      expectRefused((session) =>
        new SignJWT(claimsOf(session))
          .setProtectedHeader({ alg: 'HS256', kid: idp.key.jwk.kid!, typ: 'logout+jwt' })
          .sign(new TextEncoder().encode(JSON.stringify(idp.key.jwk))),
      ))

    it('the key of another issuer, with a known and with an unknown key id', async () => {
      const foreign = await signingKey()
      await expectRefused((session) => sign(claimsOf(session), {}, foreign))
      const posing = { ...foreign, jwk: idp.key.jwk }
      await expectRefused((session) => sign(claimsOf(session), {}, posing))
      await expectRefused((session) => sign(claimsOf(session), { kid: undefined }, foreign))
    })

    it('a key embedded in the token', async () => {
      const own = await signingKey()
      await expectRefused((session) =>
        sign(claimsOf(session), { jwk: own.jwk, jku: `${idp.origin}/jwks`, kid: undefined }, own),
      )
    })

    it('a critical header parameter (crit)', () =>
      expectRefused((session) =>
        sign(claimsOf(session), { crit: ['exp'], exp: 1 }).catch(() => 'x.y.z'),
      ))

    it('a token with a changed payload', () =>
      expectRefused(async (session) => {
        const [header, , signature] = (await sign(claimsOf(session, { sub: 'x', sid: 'x' }))).split(
          '.',
        )
        const payload = Buffer.from(JSON.stringify(claimsOf(session))).toString('base64url')
        return [header, payload, signature].join('.')
      }))

    it.each(['x', '..', 'a.b.c', 'null', '{}', 'a.b.c.d.e', '\0', `${'e30'}.${'e30'}.`, 'é.é.é'])(
      'what is no token: %j',
      (token) => expectRefused(async () => token),
    )

    it('a token of one provider that another one signed', async () => {
      await expectRefused((session) => sign(claimsOf(session), {}, other.key))
    })
  })

  describe('accepts', () => {
    it.each(['logout+jwt', 'LOGOUT+JWT', 'application/logout+jwt', 'JWT', undefined])(
      'the type %s',
      async (typ) => {
        const session = await signedIn()
        expect(await logOut(sign(claimsOf(session), { typ }))).toEqual({ ended: 1 })
      },
    )

    it('another algorithm that the provider lists, and a missing key id if there is one key', async () => {
      const key = await signingKey('ES256')
      const elsewhere = await createBackend()
      idp.keys = [key.jwk]
      const token = sign(claimsOf(await signedIn()), { kid: undefined }, key)
      expect(await logOut(token, elsewhere)).toEqual({ ended: 1 })
    })

    it('small clock skew, a list of one audience, and unknown claims', async () => {
      const [early, late] = [await signedIn(), await signedIn()]
      const future = { iat: now() + 20, exp: now() + 140, aud: [CLIENT_ID], extra: { a: 1 } }
      expect(await logOut(sign(claimsOf(early, future)))).toEqual({ ended: 1 })
      const past = { iat: now() - 140, exp: now() - 20 }
      expect(await logOut(sign(claimsOf(late, past)))).toEqual({ ended: 1 })
    })

    it('a token without exp, as in early drafts', async () => {
      const [fresh, old] = [await signedIn(), await signedIn()]
      expect(await logOut(sign(claimsOf(fresh, { exp: undefined })))).toEqual({ ended: 1 })
      const past = { exp: undefined, iat: now() - 590 }
      expect(await logOut(sign(claimsOf(old, past)))).toEqual({ ended: 1 })
    })

    it('the client of each of two registrations at one issuer', async () => {
      const session = await signedIn()
      expect(await logOut(sign(claimsOf(session, { aud: 'second-client' })))).toEqual({ ended: 1 })
    })
  })

  describe('ends', () => {
    it('only the session with the sid, not others of the same user', async () => {
      const session = await signedIn()
      const { userId, subject } = session
      const second = await signedIn({ userId, subject })
      expect(await logOut(sign(claimsOf(session, { sub: undefined })))).toEqual({ ended: 1 })
      expect([await isAlive(session), await isAlive(second)]).toEqual([false, true])
    })

    it('all sessions of a sub without a sid, also with characters that Postgres rejects', async () => {
      const raw = `\0${randomUUID()}\\\ud800`
      const session = await signedIn({ subject: encodeSubject(raw) })
      await signedIn({ userId: session.userId, subject: session.subject })
      const token = sign(claimsOf(session, { sub: raw, sid: undefined }))
      expect(await logOut(token)).toEqual({ ended: 2 })
    })

    it('the session of a sid that is stored with escapes', async () => {
      const session = await signedIn({ sid: encodeSubject('\0sid\\') })
      expect(await logOut(sign(claimsOf(session, { sid: '\0sid\\' })))).toEqual({ ended: 1 })
    })

    it('nothing for the sid of another sub, or for another issuer', async () => {
      const session = await signedIn()
      expect(await logOut(sign(claimsOf(session, { sub: 'another subject' })))).toEqual({
        ended: 0,
      })
      const elsewhere = { iss: other.origin }
      expect(await logOut(sign(claimsOf(session, elsewhere), {}, other.key))).toEqual({ ended: 0 })
      expect(await isAlive(session)).toBe(true)
    })

    it('nothing if the session has already ended, which is a success', async () => {
      const session = await signedIn()
      await createPostgresSessionStore(pool).revoke(session.id, 'signed-out')
      expect(await logOut(sign(claimsOf(session)))).toEqual({ ended: 0 })
    })

    it('the provider tokens together with the session', async () => {
      const session = await signedIn()
      const tokens = createPostgresProviderTokenStore(pool, parseKeyring(KEY))
      await tokens.save(session, session.providerId, { refreshToken: 'refresh' })
      await logOut(sign(claimsOf(session)))
      const { rows } = await pool.query('SELECT FROM auth_provider_tokens WHERE session_key = $1', [
        `session:${session.id}`,
      ])
      expect(rows).toEqual([])
    })

    it('sessions with a log line that contains no user and no token', async () => {
      const session = await signedIn()
      const token = await sign(claimsOf(session))
      log.length = 0
      await logOut(token)
      expect(log).toEqual([{ event: 'back-channel-logout', provider: 'idp', ended: 1 }])
    })
  })

  describe('a token works once', () => {
    it('and does not end sessions that started after it', async () => {
      const session = await signedIn()
      const token = await sign(claimsOf(session))
      await logOut(token)
      const next = await signedIn({
        userId: session.userId,
        subject: session.subject,
        sid: session.sid!,
      })
      await expect(logOut(token)).rejects.toMatchObject({ code: 'LOGOUT_TOKEN_INVALID' })
      await expect(logOut(token, await createBackend())).rejects.toMatchObject({ status: 400 })
      expect(await isAlive(next)).toBe(true)
    })

    it('by its jti, even with other claims', async () => {
      const [first, second] = [await signedIn(), await signedIn()]
      const jti = randomUUID()
      await logOut(sign(claimsOf(first, { jti })))
      await expect(logOut(sign(claimsOf(second, { jti })))).rejects.toMatchObject({ status: 400 })
      expect(await isAlive(second)).toBe(true)
    })

    it('but the same jti of another issuer is another token', async () => {
      const jti = randomUUID()
      await logOut(sign(claimsOf(await signedIn(), { jti })))
      const session = await signedIn({ issuer: other.origin })
      const token = sign(claimsOf(session, { jti, iss: other.origin }), {}, other.key)
      expect(await logOut(token)).toEqual({ ended: 1 })
    })

    it('but an issuer and jti with the same concatenation are another token', async () => {
      const [issuer, jti] = [`${idp.origin}${TENANT}`, randomUUID()]
      await logOut(sign(claimsOf(await signedIn(), { jti: `${TENANT}${jti}` })))
      const session = await signedIn({ issuer })
      const token = sign(claimsOf(session, { jti, iss: issuer }))
      expect(await logOut(token)).toEqual({ ended: 1 })
    })

    it.each<[string, (now: number) => { exp?: number; usableUntil: number }]>([
      ['its exp', (now) => ({ exp: now + 120, usableUntil: now + 120 })],
      ['ten minutes after its iat when it has no exp', (now) => ({ usableUntil: now + 600 })],
    ])('and its jti is remembered until %s, clock skew included', async (_what, times) => {
      const session = await signedIn()
      const { exp, usableUntil } = times(now())
      await pool.query(`DELETE FROM auth_keyv WHERE key LIKE 'used:%'`)
      await logOut(sign(claimsOf(session, { exp })))
      const { rows } = await pool.query<{ until: string }>(
        `SELECT expires_at AS until FROM auth_keyv WHERE key LIKE 'used:%'`,
      )
      expect(rows).toHaveLength(1)
      expect(Number(rows[0]?.until)).toBeGreaterThanOrEqual((usableUntil + 30) * 1000)
    })

    it('also without exp, for as long as it would be accepted', async () => {
      const session = await signedIn()
      const token = await sign(claimsOf(session, { exp: undefined }))
      expect(await logOut(token)).toEqual({ ended: 1 })
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 9 * 60_000 })
      await expect(logOut(token)).rejects.toMatchObject({
        cause: expect.objectContaining({ message: 'It was used before.' }) as Error,
      })
    })

    it('also when two processes receive it concurrently', async () => {
      const otherPool = createPool(database.url)
      const processes = [backend, await createBackend(otherPool)]
      for (let round = 0; round < 10; round += 1) {
        const token = await sign(claimsOf(await signedIn()))
        const outcomes = await Promise.allSettled(
          Array.from({ length: 10 }, (_, n) => logOut(token, processes[n % 2])),
        )
        const won = outcomes.flatMap((outcome) =>
          outcome.status === 'fulfilled' ? [outcome.value] : [],
        )
        expect(won).toEqual([{ ended: 1 }])
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ status: 400 })
        }
      }
      await otherPool.end()
    })
  })

  describe('keys', () => {
    it('are fetched again for an unknown key id after a rotation', async () => {
      const fresh = await createBackend()
      expect(await logOut(sign(claimsOf(await signedIn())), fresh)).toEqual({ ended: 1 })
      const next = await signingKey()
      idp.keys = [next.jwk]
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30_000 })
      expect(await logOut(sign(claimsOf(await signedIn()), {}, next), fresh)).toEqual({ ended: 1 })
      await expectRefused((session) => sign(claimsOf(session)), fresh)
    })

    const keyRequests = () => idp.server.requests.filter(({ path }) => path === '/jwks').length
    const invented = async () =>
      sign(claimsOf(await signedIn()), { kid: randomUUID() }, await signingKey())

    it('are not fetched for a token of another issuer or audience', async () => {
      const fresh = await createBackend()
      const before = keyRequests()
      const session = await signedIn()
      for (const over of [{ iss: 'https://issuer.example' }, { aud: 'another-client' }]) {
        await expect(logOut(sign(claimsOf(session, over)), fresh)).rejects.toMatchObject({
          code: 'LOGOUT_TOKEN_INVALID',
        })
      }
      expect(keyRequests()).toBe(before)
    })

    it('are fetched at most every 30 seconds for unknown key ids', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
      const fresh = await createBackend()
      const before = keyRequests()
      for (let seconds = 0; seconds < 60; seconds += 2) {
        await expect(logOut(invented(), fresh)).rejects.toMatchObject({
          code: 'LOGOUT_TOKEN_INVALID',
        })
        vi.setSystemTime(Date.now() + 2000)
      }
      expect(keyRequests()).toBe(before + 2)
    })

    it('are fetched at most once a second while unavailable, and cached keys still verify', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
      const fresh = await createBackend()
      expect(await logOut(sign(claimsOf(await signedIn())), fresh)).toEqual({ ended: 1 })
      vi.setSystemTime(Date.now() + 30_000)
      idp.jwks = () => ({ status: 500, json: {} })
      const before = keyRequests()
      for (let n = 0; n < 5; n += 1) {
        await expect(logOut(invented(), fresh)).rejects.toMatchObject({ status: 502 })
        expect(await logOut(sign(claimsOf(await signedIn())), fresh)).toEqual({ ended: 1 })
      }
      expect(keyRequests()).toBe(before + 1)
    })

    it.each<[string, () => JsonServerAnswer]>([
      ['respond with 500', () => ({ status: 500, json: {} })],
      ['are not JSON', () => ({ text: '<html>' })],
      ['are malformed', () => ({ json: { keys: 'none' } })],
      ['are redirected', () => ({ status: 302, headers: { location: `${other.origin}/jwks` } })],
      [
        'are too large',
        () => ({ json: { keys: [idp.key.jwk], padding: 'x'.repeat(1024 * 1024) } }),
      ],
    ])('that %s are an AUTH_PROVIDER_ERROR, and the token can be sent again', async (_, jwks) => {
      const session = await signedIn()
      const token = await sign(claimsOf(session))
      const fresh = await createBackend()
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
      idp.jwks = jwks
      await expect(logOut(token, fresh)).rejects.toMatchObject({
        code: 'AUTH_PROVIDER_ERROR',
        status: 502,
        data: { providerId: 'idp', reason: expect.stringMatching(/^The keys/) as string },
      })
      expect(await isAlive(session)).toBe(true)
      idp.jwks = undefined
      vi.setSystemTime(Date.now() + 1000)
      expect(await logOut(token, fresh)).toEqual({ ended: 1 })
    })

    it('that are too short are an AUTH_PROVIDER_ERROR too', async () => {
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
      idp.keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'short', alg: 'RS256' }]
      const token = await sign(claimsOf(await signedIn()), { kid: 'short' })
      await expect(logOut(token, await createBackend())).rejects.toMatchObject({ status: 502 })
    })

    it('are an AUTH_PROVIDER_ERROR too if the metadata has no jwks_uri or is unavailable', async () => {
      const token = await sign(claimsOf(await signedIn()))
      for (const broken of [{ ...metadata, jwks_uri: undefined }, {}]) {
        idp.metadata = broken
        await expect(logOut(token, await createBackend())).rejects.toMatchObject({ status: 502 })
      }
      idp.metadata = metadata
      expect(await logOut(token, await createBackend())).toEqual({ ended: 1 })
    })

    it('cause at most one request a second at a provider whose metadata fails', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
      const fresh = await createBackend()
      const asked = () =>
        idp.server.requests.filter(({ path }) => path.startsWith('/.well-known/')).length
      const before = asked()
      idp.metadata = {}
      for (let n = 0; n < 5; n += 1) {
        await expect(logOut(invented(), fresh)).rejects.toMatchObject({ status: 502 })
        await expect(logOut(sign(claimsOf(await signedIn())), fresh)).rejects.toMatchObject({
          status: 502,
        })
      }
      expect(asked()).toBe(before + 1)
      idp.metadata = metadata
      vi.setSystemTime(Date.now() + 1000)
      expect(await logOut(sign(claimsOf(await signedIn())), fresh)).toEqual({ ended: 1 })
      expect(asked()).toBe(before + 2)
    })
  })

  it('does not consume the token while the store is unavailable', async () => {
    const session = await signedIn()
    const token = await sign(claimsOf(session))
    const away = createPool(database.url)
    const backendWithout = await createBackend(away)
    await away.end()
    await expect(logOut(token, backendWithout)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      status: 503,
    })
    expect(await logOut(token)).toEqual({ ended: 1 })
  })

  it('is not a capability when no provider has an issuer', async () => {
    const plain = await createKvOAuthBackend({
      provider: defineOAuthProvider({
        id: 'plain',
        clientId: CLIENT_ID,
        redirectUri: 'http://localhost:8094/api/v1/auth/callback',
        authorizationEndpoint: 'https://plain.example/auth',
        tokenEndpoint: 'https://plain.example/token',
        userInfoEndpoint: 'https://plain.example/user',
        scopes: 'profile',
      }),
      key: KEY,
      pool,
    })
    expect(plain).not.toHaveProperty('backChannelLogout')
  })
})

describe('isIssuer', () => {
  const template = 'https://login.microsoftonline.com/{tenantid}/v2.0'
  const of = (tenant: string) => template.replace('{tenantid}', tenant)
  const tenant = '9188040d-6c67-4c5b-b112-36a304b66dad'

  it.each([
    [template, of(tenant), true],
    [template, template, false],
    [template, of('common'), false],
    [template, of(`${tenant}/..`), false],
    [template, `${of(tenant)}/`, false],
    [template, `https://evil.example/${tenant}/v2.0`, false],
    [template, '', false],
    [of(tenant), of(tenant), true],
    [of(tenant), of('00000000-0000-0000-0000-000000000000'), false],
  ])('%s, %s: %s', (expected, issuer, verdict) => {
    expect(isIssuer(expected, issuer)).toBe(verdict)
  })
})
