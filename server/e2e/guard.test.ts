import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAuthClient } from '../../client/index.js'
import * as guard from '../../client/guard/index.js'
import {
  AUDIENCE,
  type BackendUnderTest,
  BACKENDS_UNDER_TEST,
} from './support/backends-under-test.js'
import { startTestService, type TestService } from './support/service.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const { createSessionAuthenticator, createTokenAuthenticator, requireSession, withAuthn } = guard

const servers: Server[] = []
afterAll(() => Promise.all(servers.map((server) => new Promise((done) => server.close(done)))))

async function listen(server: Server): Promise<string> {
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

/** A third-party service that returns the caller's identity. */
async function consumer(
  authenticator: guard.Authenticator,
  before: (app: Express) => void = () => undefined,
): Promise<string> {
  const app = express()
  before(app)
  app.use(withAuthn({ authenticator }))
  app.get('/mine', requireSession(), (req, res) => void res.json(req.principal))
  return listen(createServer((req, res) => void app(req, res)))
}

/** Requests the consumer without storing its cookies. */
async function ask(url: string, headers: Record<string, string>) {
  const response = await fetch(`${url}/mine`, { headers })
  const body = (await response.json()) as Record<string, unknown>
  return { status: response.status, body, headers: response.headers }
}

const cookieOf = (agent: UserAgent, origin: string) =>
  agent.jar.getCookieString(origin.replace('http:', 'https:'))

/** A fetch that records the service's responses. */
function watchedFetch() {
  const answers: { cookies: string[] }[] = []
  const watched = async (url: string, init: RequestInit): Promise<Response> => {
    const answer = { cookies: [] as string[] }
    answers.push(answer)
    const response = await fetch(url, init)
    answer.cookies = response.headers.getSetCookie()
    return response
  }
  return { answers, fetch: watched }
}

describe.each(Object.keys(BACKENDS_UNDER_TEST))('a service guarded by %s', (name) => {
  let auth: BackendUnderTest
  let closed = false
  beforeAll(async () => {
    auth = await BACKENDS_UNDER_TEST[name]!()
  })
  afterAll(() => (closed ? undefined : auth.close()))

  it('knows users by their cookie, and sees at once that a session has ended', async () => {
    const orders = await consumer(createSessionAuthenticator({ baseUrl: auth.origin }))
    expect((await ask(orders, {})).status).toBe(401)
    const agent = await auth.signedIn()
    const cookie = await cookieOf(agent, auth.origin)
    const { user, session } = await me(agent)
    expect(await ask(orders, { cookie })).toMatchObject({
      status: 200,
      body: { subject: user.id, scheme: 'custom', claims: { sessionId: session.id } },
    })
    await agent.post('/api/v1/auth/signout')
    expect(await ask(orders, { cookie })).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHORIZED' },
    })
  })

  it('trusts no header but the credential', async () => {
    const orders = await consumer(createSessionAuthenticator({ baseUrl: auth.origin }))
    const [agent, other] = [await auth.signedIn(), await auth.signedIn()]
    const root = (await me(other)).user.id
    const hostile = {
      'x-user-id': root,
      'x-auth-request-user': root,
      'x-forwarded-user': root,
      'remote-user': root,
      'x-principal': JSON.stringify({ subject: root }),
      'x-forwarded-for': '127.0.0.1',
      'x-original-url': '/health',
      'x-http-method-override': 'OPTIONS',
    }
    expect((await ask(orders, hostile)).status).toBe(401)
    const cookie = await cookieOf(agent, auth.origin)
    const found = await ask(orders, { ...hostile, cookie })
    expect(found.body.subject).toBe((await me(agent)).user.id)
  })

  it('passes new cookies on to every caller that sent the old one, byte for byte', async () => {
    const agent = await auth.renewalDue?.()
    if (!agent) return
    const { answers, fetch } = watchedFetch()
    const orders = await consumer(createSessionAuthenticator({ baseUrl: auth.origin, fetch }))
    const cookie = await cookieOf(agent, auth.origin)
    const found = await Promise.all(Array.from({ length: 20 }, () => ask(orders, { cookie })))
    expect(answers[0]?.cookies.length).toBeGreaterThan(0)
    const sent = answers.map(({ cookies }) => cookies)
    for (const { status, headers } of found) {
      expect(status).toBe(200)
      expect(sent).toContainEqual(headers.getSetCookie())
      expect(headers.get('cache-control')).toBe('no-store')
    }
    for (const line of answers[0]?.cookies ?? []) {
      await agent.jar.setCookie(line, auth.origin.replace('http:', 'https:'))
    }
    expect((await ask(orders, { cookie: await cookieOf(agent, auth.origin) })).status).toBe(200)
  })

  it('accepts tokens of its own audience offline until they expire', async () => {
    const { answers, fetch } = watchedFetch()
    const issuer = auth.origin
    const orders = await consumer(createTokenAuthenticator({ issuer, audience: AUDIENCE, fetch }))
    const billing = await consumer(createTokenAuthenticator({ issuer, audience: 'billing' }))
    const agent = await auth.signedIn()
    const { user, session } = await me(agent)
    const client = createAuthClient({
      baseUrl: issuer,
      fetch: (url, init) => agent.fetch(url, init),
    })
    const { token } = await client.token({ audience: AUDIENCE })
    const authorization = `Bearer ${token}`
    const known = {
      status: 200,
      body: { subject: user.id, scheme: 'bearer', claims: { sessionId: session.id } },
    }
    expect(await ask(orders, { authorization })).toMatchObject(known)
    const elsewhere = await ask(billing, { authorization })
    expect(elsewhere.status).toBe(401)
    expect(elsewhere.headers.get('www-authenticate')).toBe(
      'Bearer realm="billing", error="invalid_token"',
    )
    await client.signout()
    expect(await ask(orders, { authorization })).toMatchObject(known)
    expect(answers).toHaveLength(1)
    await expect(client.token({ audience: AUDIENCE })).rejects.toMatchObject({ status: 401 })
    // The service itself does not accept tokens, so a token cannot be exchanged for another.
    const renewed = await globalThis.fetch(`${issuer}/api/v1/auth/token`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ audience: AUDIENCE }),
    })
    expect(renewed.status).toBe(401)
  })

  it('is 503 while the backend cannot be asked, and when the service is stopped', async () => {
    const authenticator = createSessionAuthenticator({ baseUrl: auth.origin })
    const orders = await consumer(authenticator)
    const tokens = createTokenAuthenticator({ issuer: auth.origin, audience: AUDIENCE })
    const holder = await auth.signedIn()
    const issued = await holder.post('/api/v1/auth/token', { audience: AUDIENCE })
    const { token } = (await issued.json()) as { token: string }
    expect((await tokens.verifyToken(token)).ok).toBe(true)

    const { agent, restore } = await auth.outage()
    const cookie = await cookieOf(agent, auth.origin)
    const away = await ask(orders, { cookie })
    expect(away).toMatchObject({ status: 503, body: { code: 'AUTH_UNAVAILABLE' } })
    expect(away.headers.get('retry-after')).toBe('2')
    await restore()
    expect((await ask(orders, { cookie })).status).toBe(200)

    await auth.close()
    closed = true
    const stopped = await ask(orders, { cookie })
    expect(stopped).toMatchObject({ status: 503, body: { code: 'AUTH_UNAVAILABLE' } })
    expect(stopped.headers.get('retry-after')).toBe('2')
    expect((await ask(orders, {})).status).toBe(401)
    // The keys are cached, so tokens can still be verified.
    expect((await tokens.verifyToken(token)).ok).toBe(true)
    const fresh = createTokenAuthenticator({ issuer: auth.origin, audience: AUDIENCE })
    await expect(fresh.verifyToken(token)).rejects.toBeInstanceOf(guard.GuardUnavailableError)
  })
})

describe('200 requests at once', () => {
  let auth: TestService
  beforeAll(async () => {
    auth = await startTestService()
  })
  afterAll(() => auth.close())

  it('cost one request for the first and one for all that arrive meanwhile', async () => {
    const agent = createUserAgent(auth.origin)
    await signIn(agent)
    const cookie = await cookieOf(agent, auth.origin)
    let [arrived, questions] = [0, 0]
    let release = (): void => undefined
    const everybodyIsHere = new Promise<void>((resolve) => (release = resolve))
    const authenticator = createSessionAuthenticator({
      baseUrl: auth.origin,
      timeoutMs: 600_000,
      fetch: async (url, init) => {
        questions += 1
        await everybodyIsHere
        return fetch(url, init)
      },
    })
    const orders = await consumer(authenticator, (app) => {
      app.use((_req, _res, next) => {
        arrived += 1
        next()
        if (arrived === 200) release()
      })
    })
    const found = await Promise.all(Array.from({ length: 200 }, () => ask(orders, { cookie })))
    const { user } = await me(agent)
    for (const { status, body } of found) {
      expect([status, body.subject]).toEqual([200, user.id])
    }
    expect(questions).toBe(2)
  })

  it('of two users are never mixed up', async () => {
    const orders = await consumer(
      createSessionAuthenticator({ baseUrl: auth.origin, timeoutMs: 600_000 }),
    )
    const people = await Promise.all(
      ['ada', 'grace'].map(async (login) => {
        const agent = createUserAgent(auth.origin)
        await signIn(agent, login)
        return { id: (await me(agent)).user.id, cookie: await cookieOf(agent, auth.origin) }
      }),
    )
    await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const person = people[n % 2]
        const { body } = await ask(orders, { cookie: person?.cookie ?? '' })
        expect(body.subject).toBe(person?.id)
      }),
    )
  })
})

describe('an authentication service that is slow or garbled', () => {
  it('is 503', async () => {
    const listens = createServer(() => undefined)
    const silent = await listen(listens)
    const slow = createSessionAuthenticator({ baseUrl: silent, timeoutMs: 50 })
    const cookie = '__Host-ns_session=x'
    expect((await ask(await consumer(slow), { cookie })).status).toBe(503)
    listens.closeAllConnections()

    const garbled = await listen(
      createServer((_req, res) => void res.socket?.end('HTTP/1.1 200 OK\r\nContent-Le')),
    )
    const broken = createSessionAuthenticator({ baseUrl: garbled })
    expect((await ask(await consumer(broken), { cookie })).status).toBe(503)
  })
})

describe('the keys of tokens', () => {
  let auth: TestService
  let db: pg.Client
  beforeAll(async () => {
    auth = await startTestService({ env: { NETSCRIPT_AUTH_TOKEN_AUDIENCES: AUDIENCE } })
    db = new pg.Client({ connectionString: auth.databaseUrl })
    await db.connect()
  })
  afterAll(async () => {
    await db.end()
    await auth.close()
  })

  const signedIn = async () => {
    const agent = createUserAgent(auth.origin)
    await signIn(agent)
    return agent
  }
  const tokenOf = async (agent: UserAgent): Promise<string> => {
    const answer = await agent.post('/api/v1/auth/token', { audience: AUDIENCE })
    return ((await answer.json()) as { token: string }).token
  }
  const kidOf = (token: string): string => {
    const header = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()
    return (JSON.parse(header) as { kid: string }).kid
  }
  const published = async (): Promise<string[]> => {
    const answer = await fetch(`${auth.origin}/.well-known/jwks.json`)
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
    expect(answer.headers.get('vary')).toBeNull()
    return ((await answer.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
  }
  /** Time goes by for the keys, and another process starts, which sees to what is due. */
  const pass = async (interval: string) => {
    await db.query(
      `UPDATE auth_signing_keys SET signs_at = signs_at - $1::interval,
         retires_at = retires_at - $1::interval`,
      [interval],
    )
    await (await auth.startAnother()).close()
  }

  it('rotate without invalidating live tokens', async () => {
    const agent = await signedIn()
    // A service that fetched the keys before the rotation began, and one that does so at its end.
    const options = { issuer: auth.origin, audience: AUDIENCE }
    const early = createTokenAuthenticator(options)
    const first = await tokenOf(agent)
    expect((await early.verifyToken(first)).ok).toBe(true)

    await pass('29 days 1 hour')
    const [next, old] = await published()
    expect(old).toBe(kidOf(first))
    expect(kidOf(await tokenOf(agent))).toBe(old)

    await pass('23 hours')
    const second = await tokenOf(agent)
    expect(kidOf(second)).toBe(next)
    expect(await published()).toEqual([next, old])
    const late = createTokenAuthenticator(options)
    for (const token of [first, second]) expect((await late.verifyToken(token)).ok).toBe(true)

    await pass('10 minutes')
    expect(await published()).toEqual([next])
    expect((await createTokenAuthenticator(options).verifyToken(first)).ok).toBe(false)
  })

  it('are not in the log, nor are tokens; their issuance is in the audit trail', async () => {
    const agent = await signedIn()
    const token = await tokenOf(agent)
    const { session } = await me(agent)
    const { rows } = await db.query(
      `SELECT session_id, reason FROM auth_audit_events
       WHERE type = 'token.issued' ORDER BY id DESC LIMIT 1`,
    )
    expect(rows).toEqual([{ session_id: session.id, reason: AUDIENCE }])
    expect(auth.log.join('')).not.toContain(token.split('.')[2])
    const dump = JSON.stringify((await db.query('SELECT * FROM auth_signing_keys')).rows)
    expect(dump).not.toContain('"d"')
  })
})
