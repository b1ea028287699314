import { createServer, request, type Server } from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithPrograms } from '../../backends/kv-oauth/storage/testing/describe-with-programs.js'
import type { AuthBackendPort } from '../../backends/port.js'
import { createPool } from '../../prisma/pool.js'
import { createAuthListener } from '../adapters/node.js'
import { freePort } from '../local/loopback.js'
import { createLogger } from '../log.js'
import { findChromium, launchBrowser } from './support/browser.js'
import { readDocument } from './support/documents.js'
import {
  type GuidePorts,
  type Running,
  startApplication,
  startCaddy,
  startNginx,
} from './support/guide-proxy.js'
import { completeLogin } from './support/oidc-login.js'
import { startTestService, type TestService } from './support/service.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

/*
 * The configurations of FORWARD-AUTH.md in real proxies, before an application in Python.
 */
const GUIDE = 'server/deploy/FORWARD-AUTH.md'
const AUDIENCE = 'https://orders.example.com'
const DEEP_LINK = '/orders/7?tab=2&next=%2Fa%26b'
const NAVIGATION = [
  'Accept',
  'text/html',
  'Sec-Fetch-Mode',
  'navigate',
  'Sec-Fetch-Dest',
  'document',
]
const IDENTITY =
  'authorization x-auth-token x-auth-user x-auth-name x-auth-email x-auth-roles x-auth-scopes x-auth-session'

const blockOf = async (language: string, at: number): Promise<string> => {
  const { blocks } = await readDocument(GUIDE)
  return blocks.filter((block) => block.language === language)[at]?.text ?? ''
}

const PROXIES = {
  nginx: async (ports: GuidePorts) => startNginx(await blockOf('nginx', 0), ports),
  'Caddy with forward_auth': async (ports: GuidePorts) =>
    startCaddy(await blockOf('caddyfile', 0), ports),
  'Caddy with forward_auth written out': async (ports: GuidePorts) =>
    startCaddy(await blockOf('caddyfile', 1), ports),
} as const

interface Received {
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

/** What the application received by a name, which frameworks read in any of these spellings. */
const received = ({ headers }: Received, name: string): string[] =>
  headers
    .filter(([sent]) => sent.toLowerCase().replaceAll(/[_.]/g, '-') === name)
    .map(([, value]) => value)

describeWithPrograms(
  'nginx',
  'caddy',
  'python3',
)('the guide to reverse proxies', () => {
  let application: Awaited<ReturnType<typeof startApplication>>
  beforeAll(async () => {
    application = await startApplication()
  })
  afterAll(() => application.close())

  describe.each(Object.entries(PROXIES))('with %s', (name, start) => {
    let service: TestService
    let proxy: Running
    let origin: string
    let ports: GuidePorts
    beforeAll(async () => {
      const [proxyPort, servicePort] = [await freePort(), await freePort()]
      ports = { proxy: proxyPort, service: servicePort, application: application.port }
      service = await startTestService({
        port: proxyPort,
        env: {
          PORT: String(servicePort),
          NETSCRIPT_AUTH_TRUST_PROXY: 'loopback',
          NETSCRIPT_AUTH_TOKEN_AUDIENCES: AUDIENCE,
        },
      })
      ;({ origin } = service)
      proxy = await start(ports)
    })
    afterAll(async () => {
      await proxy.close()
      await service.close()
    })

    const signedIn = async (): Promise<UserAgent> => {
      const agent = createUserAgent(origin)
      expect((await signIn(agent)).status).toBe(303)
      return agent
    }

    const open = async (agent: UserAgent, init: RequestInit = {}): Promise<Received> => {
      const response = await agent.fetch(DEEP_LINK, init)
      expect(response.status).toBe(200)
      return (await response.json()) as Received
    }

    /** Sends headers as they are, which fetch would refuse or change. */
    const sendRaw = (cookie: string, headers: readonly string[]) =>
      new Promise<{ status: number; location: string; body: string }>((resolve, reject) => {
        const given = headers.includes('Host') ? [] : ['Host', `localhost:${ports.proxy}`]
        request({
          ...{ host: '127.0.0.1', port: ports.proxy, path: DEEP_LINK, agent: false },
          headers: [...given, 'Cookie', cookie, ...headers],
        })
          .on('response', (response) => {
            let body = ''
            response.on('data', (chunk: Buffer) => (body += String(chunk)))
            const { statusCode: status = 0, headers } = response
            response.on('end', () => resolve({ status, location: headers.location ?? '', body }))
          })
          .on('error', reject)
          .end()
      })

    it('gives the identity and a token to the application', async () => {
      const agent = await signedIn()
      const { user, session } = await me(agent)
      const got = await open(agent)
      expect(got.path).toBe(DEEP_LINK)
      const values = Object.fromEntries(
        IDENTITY.split(' ').map((header) => [header, received(got, header)]),
      )
      const [token = ''] = values['x-auth-token'] ?? []
      expect(values).toMatchObject({
        authorization: [`Bearer ${token}`],
        'x-auth-user': [user.id],
        'x-auth-name': ['Ada%20Lovelace'],
        'x-auth-email': ['ada%40example.test'],
        'x-auth-session': [session.id],
      })
      expect(values['x-auth-scopes']?.[0]?.split(',')).toContain('openid')
      const keys = createRemoteJWKSet(
        new URL(`http://127.0.0.1:${ports.service}/.well-known/jwks.json`),
      )
      const { payload } = await jwtVerify(token, keys, {
        ...{ issuer: origin, audience: AUDIENCE, typ: 'at+jwt', algorithms: ['ES256'] },
      })
      expect(payload).toMatchObject({ sub: user.id, sid: session.id })
    })

    it('removes what the client sent in place of it, in any spelling', async () => {
      const agent = await signedIn()
      const { user } = await me(agent)
      const cookie = await agent.jar.getCookieString(origin.replace('http:', 'https:'))
      const spellings = IDENTITY.split(' ').flatMap((header) => [
        ...[header, header.replaceAll('-', '_'), header.replace('-', '_')],
        ...[header.replaceAll('-', '.'), header.replace('-', '_').replace('-', '.')],
      ])
      const forged = [...new Set(spellings)].flatMap((header) => [header, 'forged'])
      const { status, body } = await sendRaw(cookie, forged)
      expect(status).toBe(200)
      const got = JSON.parse(body) as Received
      expect(received(got, 'x-auth-user')).toEqual([user.id])
      for (const header of IDENTITY.split(' ')) {
        expect(received(got, header).join(), header).not.toContain('forged')
      }
    })

    it('returns to a deep link after the sign-in', async () => {
      const agent = createUserAgent(origin)
      const { status, location } = await sendRaw('', NAVIGATION)
      expect(status).toBe(302)
      expect(location.startsWith(`${origin}/api/v1/auth/sign-in-page?`)).toBe(true)
      const page = await (await agent.fetch(location)).text()
      const fields = [...page.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(
        ([, field = '', value = '']): [string, string] => [field, value.replaceAll('&amp;', '&')],
      )
      const started = await agent.fetch('/api/v1/auth/signin', {
        method: 'POST',
        headers: { origin, accept: 'text/html' },
        body: new URLSearchParams(fields),
      })
      const provider = started.headers.get('location') ?? ''
      const callback = await agent.fetch(await completeLogin(provider, { login: 'ada' }))
      expect(callback.headers.get('location')).toBe(origin + DEEP_LINK)
      expect(received(await open(agent), 'x-auth-name')).toEqual(['Ada%20Lovelace'])
    })

    it.runIf(findChromium() !== undefined || process.env.CI === 'true')(
      'returns to a deep link in Chromium',
      async () => {
        const browser = await launchBrowser()
        try {
          const page = await browser.newPage()
          await page.goto(origin + DEEP_LINK)
          expect(await page.textContent('h1')).toBe('Sign in')
          await page.getByRole('button', { name: /Continue with/ }).click()
          await page.getByRole('button', { name: /Ada Lovelace/ }).click()
          await page.getByRole('button', { name: 'Allow', exact: true }).click()
          await page.waitForURL(origin + DEEP_LINK)
          expect(await page.textContent('body')).toContain('Ada%20Lovelace')
        } finally {
          await browser.close()
        }
      },
    )

    it('answers 401 to a script without a session', async () => {
      const response = await createUserAgent(origin).fetch(DEEP_LINK, {
        headers: { accept: 'application/json' },
      })
      expect(response.status).toBe(401)
      expect(await response.text()).not.toContain('"headers"')
    })

    it('passes a POST of its own pages with its body, and none of another site', async () => {
      const agent = await signedIn()
      const post = { method: 'POST', body: 'amount=7' }
      expect(await open(agent, { ...post, headers: { origin } })).toMatchObject(post)
      for (const headers of [
        { origin: 'https://evil.example' },
        { origin: 'null', 'sec-fetch-site': 'cross-site' },
        { 'content-type': 'text/plain' },
      ]) {
        const refused = await agent.fetch(DEEP_LINK, { ...post, headers })
        expect(refused.status, JSON.stringify(headers)).toBe(403)
      }
    })

    it('refuses the handshake of a WebSocket of another site', async () => {
      const cookie = await (await signedIn()).jar.getCookieString(origin.replace('http:', 'https:'))
      const handshake = ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==', 'Origin']
      expect((await sendRaw(cookie, [...handshake, 'https://evil.example'])).status).toBe(403)
      expect((await sendRaw(cookie, [...handshake, origin])).status).toBe(200)
    })

    it('refuses a session that was revoked with the next request', async () => {
      const [agent, other] = [await signedIn(), await signedIn()]
      await open(agent)
      const { session } = await me(agent)
      const revoked = await other.fetch(`/api/v1/auth/sessions/${session.id}`, {
        method: 'DELETE',
        headers: { origin },
      })
      expect(await revoked.json()).toEqual({ revoked: 1 })
      expect((await agent.fetch(DEEP_LINK)).status).toBe(401)
    })

    it('writes nothing to the database', async () => {
      const agent = await signedIn()
      const pool = createPool(service.databaseUrl)
      const state = async (): Promise<unknown> =>
        (
          await pool.query(
            `SELECT (SELECT count(*) FROM auth_audit_events) AS events,
               (SELECT md5(string_agg(key || value, ',' ORDER BY key)) FROM auth_keyv) AS entries`,
          )
        ).rows
      try {
        const before = await state()
        await open(agent)
        await sendRaw('', NAVIGATION)
        expect(await state()).toEqual(before)
      } finally {
        await pool.end()
      }
    })

    it.runIf(name === 'nginx')('refuses another host', async () => {
      const cookie = await (await signedIn()).jar.getCookieString(origin.replace('http:', 'https:'))
      const { status, body } = await sendRaw(cookie, ['Host', 'evil.example'])
      expect([status, body.includes('"headers"')]).toEqual([403, false])
      expect(service.log.join()).toContain('HOST_NOT_ALLOWED')
    })
  })

  describe.each(['nginx', 'Caddy with forward_auth written out'] as const)(
    'with %s and a backend that renews its cookie',
    (name) => {
      let server: Server
      let proxy: Running
      let origin: string
      beforeAll(async () => {
        const port = await freePort()
        origin = `http://localhost:${port}`
        const session = { id: 'id', userId: 'user', roles: [], scopes: [] }
        const backend = {
          authenticate: async () => ({
            ...{ ok: true, session, user: { id: 'user' }, principal: session },
            setCookies: ['session=renewed; Path=/; HttpOnly'],
          }),
        } as unknown as AuthBackendPort
        const checkAudience = (): void => undefined
        const issue = async () => ({ token: 'token', tokenType: 'Bearer', expiresAt: '' }) as const
        const listener = createAuthListener({
          ...{ backend, origin, trustProxy: 'loopback', logger: createLogger('silent') },
          tokens: { checkAudience, issue } as never,
        })
        server = createServer(listener)
        const service = await freePort()
        await new Promise<void>((done) => server.listen(service, '127.0.0.1', done))
        proxy = await PROXIES[name]({ proxy: port, service, application: application.port })
      })
      afterAll(async () => {
        await proxy.close()
        server.closeAllConnections()
        await new Promise((done) => server.close(done))
      })

      it('passes it on beside those of the application', async () => {
        const response = await fetch(`${origin}/orders`)
        expect(response.headers.getSetCookie().sort()).toEqual([
          'application=1',
          'session=renewed; Path=/; HttpOnly',
        ])
        expect(received((await response.json()) as Received, 'authorization')).toEqual([
          'Bearer token',
        ])
      })
    },
  )
})
