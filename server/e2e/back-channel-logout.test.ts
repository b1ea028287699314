import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import pg from 'pg'
import { CookieJar } from 'tough-cookie'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { protocolContractV1 } from '../../contract/protocol-contract.js'
import { completeLogin, completeLogout } from './support/oidc-login.js'
import { freePort } from '../local/loopback.js'
import { startTestService, type TestService } from './support/service.js'
import { me, startSignIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const { path: PATH } = protocolContractV1.backChannelLogout
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** A browser in which a user signs in; `atProvider` holds the provider's cookies. */
async function signedIn(
  { origin }: TestService,
  login: string,
  atProvider = new CookieJar(),
): Promise<UserAgent> {
  const agent = createUserAgent(origin)
  const { redirectUrl } = await startSignIn(agent)
  await agent.fetch(await completeLogin(redirectUrl, { login, cookieJar: atProvider }))
  expect((await me(agent)).authenticated).toBe(true)
  return agent
}

describe('back-channel logout by the real provider', () => {
  let service: TestService
  beforeAll(async () => {
    const port = await freePort()
    service = await startTestService({
      port,
      provider: { backchannelLogoutUri: `http://localhost:${port}${PATH}` },
    })
  })
  afterAll(() => service.close())

  it('names the session in the id_token, and the service stores it', async () => {
    await signedIn(service, 'ada')
    const db = new pg.Client({ connectionString: service.databaseUrl })
    await db.connect()
    const { rows } = await db.query<{ sid: string | null }>(
      'SELECT sid FROM auth_keyv WHERE user_id IS NOT NULL',
    )
    await db.end()
    expect(rows).toEqual([{ sid: expect.stringMatching(/./) as string }])
  })

  it('ends exactly the sessions that belong to one session at the provider', async () => {
    const atProvider = new CookieJar()
    const leaving = await signedIn(service, 'ada', atProvider)
    const sibling = await signedIn(service, 'ada', atProvider)
    const sameElsewhere = await signedIn(service, 'ada')
    const somebodyElse = await signedIn(service, 'grace')

    const { logoutUrl } = (await (await leaving.post('/api/v1/auth/signout', {})).json()) as {
      logoutUrl: string
    }
    const toProvider = (await leaving.fetch(logoutUrl)).headers.get('location') ?? ''
    expect((await me(sibling)).authenticated).toBe(true)
    // The provider sends its logout token before it redirects the browser.
    await completeLogout(toProvider, { cookieJar: atProvider })

    expect(await me(sibling)).toEqual({ authenticated: false })
    expect((await me(sameElsewhere)).authenticated).toBe(true)
    expect((await me(somebodyElse)).authenticated).toBe(true)
    const lines = service.log.filter((line) => line.includes('back-channel-logout'))
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { event: 'back-channel-logout', provider: 'local', ended: 1 },
    ])
  })
})

describe('POST /backchannel-logout', () => {
  let service: TestService
  let sign: (over?: object) => Promise<string>
  const PER_MINUTE = 100
  beforeAll(async () => {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true })
    const key = { ...(await exportJWK(privateKey)), kid: 'ours', use: 'sig', alg: 'RS256' }
    service = await startTestService({
      env: {
        NETSCRIPT_AUTH_RATE_LIMIT: String(PER_MINUTE),
        NETSCRIPT_AUTH_TRUST_PROXY: 'loopback',
      },
      provider: { configure: (given) => ({ ...given, jwks: { keys: [key] } }) },
    })
    sign = (over = {}) =>
      new SignJWT({
        sub: 'ada',
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
        ...over,
      })
        .setProtectedHeader({ alg: 'RS256', kid: 'ours', typ: 'logout+jwt' })
        .setIssuer(service.provider.issuer)
        .setAudience(service.config.variables.NETSCRIPT_AUTH_CLIENT_ID ?? '')
        .setIssuedAt()
        .setExpirationTime('2m')
        .setJti(crypto.randomUUID())
        .sign(privateKey)
  })
  afterAll(() => service.close())

  const post = (body: string | URLSearchParams, headers = {}, origin = service.origin) =>
    fetch(origin + PATH, { method: 'POST', body, headers: { ...FORM, ...headers } })
  const send = async (token: string, headers = {}) =>
    post(new URLSearchParams({ logout_token: token }), headers)
  const codeOf = async (response: Response): Promise<[number, string]> => {
    const { code } = (await response.json()) as { code: string }
    return [response.status, code]
  }

  it('answers 200, {} and no-store, once', async () => {
    const agent = await signedIn(service, 'ada')
    const token = await sign()
    const response = await send(token)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({})
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await me(agent)).toEqual({ authenticated: false })
    const again = await send(token)
    expect(again.headers.get('cache-control')).toBe('no-store')
    expect(await codeOf(again)).toEqual([400, 'LOGOUT_TOKEN_INVALID'])
  })

  it.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'https://idp.example', 'sec-fetch-site': 'cross-site', referer: 'https://x.example' },
  ])('ignores the origin of the request: %j', async (headers) => {
    expect((await send(await sign(), headers)).status).toBe(200)
    expect(await codeOf(await send('x', headers))).toEqual([400, 'LOGOUT_TOKEN_INVALID'])
  })

  it('exempts this address from that check and no other', async () => {
    const evil = { origin: 'https://evil.example' }
    for (const path of [`${PATH}/`, `${PATH}/x`, '/api/v1/auth/signout', '/api/v1/auth/signin']) {
      const init = { method: 'POST', headers: { ...FORM, ...evil }, body: 'logout_token=x' }
      expect(await codeOf(await fetch(service.origin + path, init))).toEqual([
        403,
        'ORIGIN_NOT_ALLOWED',
      ])
    }
    expect((await fetch(service.origin + PATH, { method: 'DELETE', headers: evil })).status).toBe(
      405,
    )
  })

  it('neither reads nor sets a cookie', async () => {
    const agent = await signedIn(service, 'grace')
    const before = await agent.cookies('/')
    const cookie = Object.entries(before)
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    for (const token of [await sign({ sub: 'katherine' }), 'x']) {
      const response = await send(token, { cookie })
      expect(response.headers.getSetCookie()).toEqual([])
    }
    expect((await me(agent)).authenticated).toBe(true)
  })

  it.each([
    ['nothing', ''],
    ['another field', 'token=x'],
    ['an empty token', 'logout_token='],
    ['two tokens', 'logout_token=x&logout_token=y'],
    ['a token in an array', 'logout_token[]=x'],
  ])('refuses %s with 400', async (_what, body) => {
    expect(await codeOf(await post(body))).toEqual([400, 'MALFORMED_REQUEST'])
  })

  it('ignores other fields of the form, and accepts no token in the query', async () => {
    const form = new URLSearchParams({ logout_token: await sign(), everywhere: 'perhaps', x: '1' })
    expect((await post(form)).status).toBe(200)
    const inQuery = await fetch(`${service.origin}${PATH}?logout_token=${await sign()}`, {
      method: 'POST',
      headers: FORM,
    })
    expect(inQuery.status).toBe(400)
  })

  it('takes forms only, of a moderate size', async () => {
    const json = JSON.stringify({ logout_token: await sign() })
    expect((await post(json, { 'content-type': 'application/json' })).status).toBe(415)
    expect((await post('logout_token=x', { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await post('x', { 'content-type': 'multipart/form-data; boundary=x' })).status).toBe(
      415,
    )
    expect((await fetch(service.origin + PATH, { method: 'POST' })).status).toBe(415)
    expect(await codeOf(await post(`logout_token=${'x'.repeat(17_000)}`))).toEqual([
      413,
      'PAYLOAD_TOO_LARGE',
    ])
  })

  it('does not tell the caller what is wrong, and does not log the token', async () => {
    const token = await sign({ sub: undefined, secret: 'SECRET' })
    const from = service.log.length
    const body = await (await send(token)).text()
    expect(body).not.toMatch(/sub|sid|jose|JW[TS]/)
    const lines = service.log.slice(from).join('\n')
    expect(lines).toContain('It has no sub and no sid.')
    expect(lines).not.toMatch(/SECRET|eyJ/)
  })

  it('limits a client by its rejected tokens, across processes, and no other client', async () => {
    const another = await service.startAnother()
    const junk = { 'x-forwarded-for': '192.0.2.1' }
    const provider = { 'x-forwarded-for': '192.0.2.2' }
    const statuses: number[] = []
    for (let n = 0; n < PER_MINUTE + 2; n += 1) {
      const form = new URLSearchParams({ logout_token: 'x' })
      statuses.push((await post(form, junk, n % 2 ? another.url : service.origin)).status)
    }
    expect(statuses).toEqual([...Array<number>(PER_MINUTE).fill(400), 429, 429])
    const refused = await send(await sign(), junk)
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await codeOf(refused)).toEqual([429, 'RATE_LIMITED'])
    expect((await send(await sign(), provider)).status).toBe(200)
  })

  it('does not limit a provider that signs out all of its users at once', async () => {
    const provider = { 'x-forwarded-for': '192.0.2.3' }
    const tokens = await Promise.all(
      Array.from({ length: 2 * PER_MINUTE }, (_, n) => sign({ sub: `user-${n}` })),
    )
    const answers = await Promise.all(tokens.map((token) => send(token, provider)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect((await send(await sign(), provider)).status).toBe(200)
  })

  it('accepts a token once when two processes receive it at the same time', async () => {
    const { url } = await service.startAnother()
    for (let round = 0; round < 5; round += 1) {
      const form = new URLSearchParams({ logout_token: await sign() })
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, n) => post(form, {}, n % 2 ? url : service.origin)),
      )
      const statuses = answers.map(({ status }) => status).sort()
      expect(statuses).toEqual([200, 400, 400, 400, 400, 400])
    }
  })

  it('answers 503 with Retry-After while the store or the keys are unavailable', async () => {
    const agent = await signedIn(service, 'ada')
    const token = await sign()
    const restore = await closeDatabase(service.databaseUrl)
    const response = await send(token)
    expect(response.headers.get('retry-after')).toBeTruthy()
    expect(await codeOf(response)).toEqual([503, 'STORE_UNAVAILABLE'])
    await restore()
    expect((await send(token)).status).toBe(200)
    expect(await me(agent)).toEqual({ authenticated: false })

    await service.restart()
    await service.provider.stop()
    expect(await codeOf(await send(await sign()))).toEqual([502, 'AUTH_PROVIDER_ERROR'])
  })
})

/** Refuses new connections and terminates existing ones. */
async function closeDatabase(url: string): Promise<() => Promise<void>> {
  const name = new URL(url).pathname.slice(1)
  const admin = new URL(url)
  admin.pathname = '/postgres'
  const query = async (text: string): Promise<void> => {
    const client = new pg.Client({ connectionString: admin.href })
    await client.connect()
    try {
      await client.query(text)
    } finally {
      await client.end()
    }
  }
  await query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
  await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`)
  return () => query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
}
