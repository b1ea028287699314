import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestServer, type TestServer } from './testing/server.js'
import { openBrowser, signUp } from './testing/sign-up.js'

const JSON_TYPE = { 'content-type': 'application/json' }

describe('handler', () => {
  let server: TestServer<[]>
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  it('signs up, in and out with the client of better-auth', async () => {
    const person = await signUp(server)
    expect((await person.client.getSession()).data?.user.email).toBe(person.email)
    const browser = openBrowser(server)
    const wrong = await browser.client.signIn.email({
      ...person.credentials,
      password: 'wrong-password',
    })
    expect(wrong.error?.status).toBe(401)
    expect((await server.backend.authenticate(await browser.request())).ok).toBe(false)
    expect((await browser.client.signIn.email(person.credentials)).error).toBeNull()
    const request = await browser.request()
    expect((await server.backend.authenticate(request)).ok).toBe(true)
    await browser.client.signOut()
    expect((await server.backend.authenticate(request)).ok).toBe(false)
    expect((await server.backend.authenticate(await person.request())).ok).toBe(true)
  })

  it('does not accept a session that this API has ended', async () => {
    const person = await signUp(server)
    await server.backend.sessions.revokeSessions(person.userId)
    expect((await person.client.getSession()).data).toBeNull()
  })

  it('rejects another origin, also with NODE_ENV=test', async () => {
    const person = await signUp(server)
    const attempt = (origin: string) =>
      fetch(`${server.origin}/api/auth/sign-in/email`, {
        method: 'POST',
        headers: { ...JSON_TYPE, origin },
        body: JSON.stringify(person.credentials),
      })
    expect((await attempt('https://evil.example')).status).toBe(403)
    expect((await attempt(server.origin)).status).toBe(200)
  })

  it('ignores headers about the address or origin of the caller', async () => {
    const email = `${crypto.randomUUID()}@example.com`
    const response = await fetch(`${server.origin}/api/auth/sign-up/email`, {
      method: 'POST',
      headers: {
        ...JSON_TYPE,
        origin: server.origin,
        'x-forwarded-for': '203.0.113.7',
        'x-forwarded-proto': 'gopher:',
        'x-forwarded-host': 'evil.example',
        'x-netscript-client-address': '203.0.113.8',
      },
      body: JSON.stringify({ name: 'A', email, password: 'a-long-password' }),
    })
    expect(response.status).toBe(200)
    const row = await server.prisma.authSession.findFirstOrThrow({ where: { user: { email } } })
    expect(row.ipAddress).toBe('127.0.0.1')
  })

  describe('behind a body parser of its host', () => {
    const consume: express.RequestHandler = (req, _res, next) => {
      req.on('end', next).resume()
    }
    const asMap: express.RequestHandler = (req, _res, next) => {
      req.body = new Map(Object.entries(req.body as object))
      next()
    }
    /** Signs up with JSON behind parsers; returns the status and the error message. */
    async function signUpBehind(...parsers: express.RequestHandler[]) {
      let message = ''
      const app = express()
      app.use(...parsers)
      app.use((req, res, next) => void server.backend.handler(req, res).catch(next))
      const answer: express.ErrorRequestHandler = (error: Error, _req, res, _next) => {
        message = error.message
        res.sendStatus(500)
      }
      app.use(answer)
      const host = createServer(app)
      await new Promise<void>((done) => host.listen(0, '127.0.0.1', done))
      const { port } = host.address() as AddressInfo
      const email = `${crypto.randomUUID()}@example.com`
      const { status } = await fetch(`http://127.0.0.1:${port}/api/auth/sign-up/email`, {
        method: 'POST',
        headers: { ...JSON_TYPE, origin: server.origin },
        body: JSON.stringify({ name: 'A', email, password: 'a-long-password' }),
      })
      await new Promise((done) => host.close(done))
      return { status, message }
    }

    it.each<[string, express.RequestHandler[]]>([
      ['json', [express.json()]],
      ['raw', [express.raw({ type: '*/*' })]],
      ['text', [express.text({ type: '*/*' })]],
      ['urlencoded for forms only', [express.urlencoded()]],
    ])('reads the parsed body: %s', async (_what, parsers) => {
      expect(await signUpBehind(...parsers)).toEqual({ status: 200, message: '' })
    })

    it.each<[string, express.RequestHandler[]]>([
      ['nothing', [consume]],
      ['a Map', [express.json(), asMap]],
      ['JSON taken for a form', [express.urlencoded({ type: '*/*' })]],
    ])('logs that the application consumed the body: %s', async (_what, parsers) => {
      expect(await signUpBehind(...parsers)).toEqual({
        status: 500,
        message: expect.stringContaining('Mount the API before body parsers') as string,
      })
    })
  })

  it.each(['http://evil.example', 'https://a:b@evil.example:8443', ''])(
    'serves a request target on %s by its path alone, mounted or not',
    async (authority) => {
      const app = express()
      app.use('/api/auth', (req, res) => server.backend.handler(req, res))
      const mounted = createServer(app)
      await new Promise<void>((done) => mounted.listen(0, '127.0.0.1', done))
      const ports = [Number(new URL(server.origin).port), (mounted.address() as AddressInfo).port]
      for (const port of ports) {
        const status = await new Promise<number | undefined>((resolve, reject) => {
          httpRequest({ port, path: `${authority}/api/auth/ok` }, (answer) => {
            answer.resume()
            resolve(answer.statusCode)
          })
            .on('error', reject)
            .end()
        })
        expect(status).toBe(200)
      }
      await new Promise((done) => mounted.close(done))
    },
  )

  it('rejects a body over the limit, with or without Content-Length', async () => {
    const url = `${server.origin}/api/auth/sign-in/email`
    const headers = { ...JSON_TYPE, origin: server.origin }
    const body = JSON.stringify({ email: 'a@b.example', password: 'c'.repeat(200_000) })
    const declared = await fetch(url, { method: 'POST', headers, body })
    expect(declared.status).toBe(413)
    const chunked = await new Promise<number | string | undefined>((resolve) => {
      const request = httpRequest(url, { method: 'POST', headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
      request.write(body.slice(0, 50_000))
      request.write(body.slice(50_000))
      request.end()
    })
    expect(String(chunked)).toMatch(/^(413|ECONNRESET|EPIPE)$/)
    const small = await fetch(url, {
      method: 'POST',
      headers,
      body: '{"email":"a@b.example","password":"c"}',
    })
    expect(small.status).toBe(401)
  })

  it('limits the sign-ins of an address', async () => {
    const limited = await startTestServer({
      betterAuthOptions: {
        rateLimit: { enabled: true },
        // Fast, so that a slow machine finishes within the minute.
        emailAndPassword: {
          enabled: true,
          password: { hash: (password) => Promise.resolve(password) },
        },
      },
    })
    const attempt = async (path: string) => {
      const response = await fetch(`${limited.origin}/api/auth/${path}`, {
        method: 'POST',
        headers: { ...JSON_TYPE, origin: limited.origin, 'x-forwarded-for': crypto.randomUUID() },
        body: JSON.stringify({ email: 'nobody@example.com', password: 'wrong-password' }),
      })
      return response.status
    }
    const statuses: number[] = []
    for (let count = 0; count < 22; count += 1) statuses.push(await attempt('sign-in/email'))
    expect(statuses).toEqual([...Array<number>(20).fill(401), 429, 429])
    await limited.close()
  })

  it('prints nothing to the console when the database fails', async () => {
    const printed = (['log', 'warn', 'error', 'info'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => undefined),
    )
    const failing = await startTestServer()
    const person = await signUp(failing)
    await failing.pool.query('ALTER TABLE better_auth_accounts RENAME TO away')
    await person.fetch('/api/auth/list-accounts')
    await failing.pool.query('ALTER TABLE auth_sessions RENAME TO gone')
    for (const path of ['get-session', 'list-sessions']) await person.fetch(`/api/auth/${path}`)
    await openBrowser(failing).client.signIn.email({
      email: 'a@b.example',
      password: 'wrong-password',
    })
    expect(printed.map(({ mock }) => mock.calls)).toEqual([[], [], [], []])
    for (const spy of printed) spy.mockRestore()
    for (const line of failing.log) {
      expect((JSON.parse(line) as { message: string }).message).not.toBe('better-auth: ')
    }
    await failing.close()
  })

  it('keeps the message of the database from the caller and the log', async () => {
    const failing = await startTestServer()
    const person = await signUp(failing)
    const { token } = await failing.prisma.authSession.findFirstOrThrow()
    await failing.pool.end()
    const answers = [
      await person.fetch('/api/auth/get-session'),
      await openBrowser(failing).fetch('/api/auth/sign-in/email', {
        method: 'POST',
        headers: JSON_TYPE,
        body: JSON.stringify(person.credentials),
      }),
    ]
    for (const answer of answers) {
      expect([500, 503]).toContain(answer.status)
      expect(await answer.text()).not.toMatch(/pool|prisma|select/i)
    }
    const log = failing.log.join('\n')
    expect(log).toMatch(/better-auth: /)
    for (const secret of [token, person.email, person.credentials.password])
      expect(log).not.toContain(secret)
    await failing.close()
  })
})
