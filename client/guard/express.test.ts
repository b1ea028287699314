import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import express, { type Express } from 'express'
import { afterEach, describe, expect, it } from 'vitest'
import { authenticated, type Authenticator, GuardUnavailableError } from './authenticator.js'
import { createScopeAuthorizer } from './authorizer.js'
import { requireRoles, requireScopes, requireSession, withAuthn, withAuthz } from './express.js'

const servers: Server[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))))
})

async function serve(build: (app: Express) => void) {
  const app = express()
  build(app)
  // Keeps the error log of Express out of the test output.
  app.set('env', 'test')
  const server = createServer((req, res) => void app(req, res))
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
    const text = await response.text()
    const json = response.headers.get('content-type')?.includes('json')
    const body = (json ? JSON.parse(text) : { text }) as Record<string, unknown>
    return { status: response.status, headers: response.headers, body }
  }
  return { get, port }
}

/** Accepts Ada, by `authorization: Bearer ada` or the cookie `ada`, and counts its calls. */
function knowsAda(setCookies: readonly string[] = []) {
  let asked = 0
  const authenticator: Authenticator = {
    realm: 'https://auth.example',
    async authenticate({ headers }) {
      asked += 1
      const { authorization, cookie } = headers as Record<string, string | undefined>
      if (authorization === 'Bearer away') {
        const cause = new Error('SECRET of the inside')
        throw new GuardUnavailableError('Away.', { cause, setCookies, retryAfterSeconds: 9 })
      }
      if (authorization === 'Bearer broken') throw new Error('SECRET of the inside')
      if (authorization !== 'Bearer ada' && cookie !== 'ada') {
        const sent = authorization ?? cookie
        const reason = sent === undefined ? 'credential-missing' : 'credential-invalid'
        return { ok: false, reason, setCookies }
      }
      const scheme = authorization === undefined ? 'custom' : 'bearer'
      const principal = { subject: 'ada', scopes: ['a', 'b'], roles: ['clerk'], scheme, claims: {} }
      return authenticated(principal as never, setCookies)
    },
  }
  return { authenticator, asked: () => asked }
}
const ADA = { cookie: 'ada' }
const BEARER = { authorization: 'Bearer ada' }

describe('withAuthn', () => {
  it('authenticates on protected and guarded paths only, once per request', async () => {
    const { authenticator, asked } = knowsAda()
    const { get } = await serve((app) => {
      app.use(withAuthn({ authenticator }))
      app.get('/open', (_req, res) => void res.json({}))
      app.get('/health', (_req, res) => void res.json({}))
      app.get('/mine', requireSession(), requireScopes('a'), (req, res) => {
        res.json(req.principal)
      })
      app.get('/api/mine', (req, res) => void res.json(req.principal))
    })
    expect((await get('/open')).status).toBe(200)
    expect((await get('/health')).status).toBe(200)
    expect(asked()).toBe(0)
    expect((await get('/mine')).status).toBe(401)
    expect(await get('/mine', ADA)).toMatchObject({ status: 200, body: { subject: 'ada' } })
    expect(asked()).toBe(2)
    expect((await get('/api/nothing')).status).toBe(401)
    expect(await get('/API/mine', ADA)).toMatchObject({ status: 200, body: { subject: 'ada' } })
  })

  it('protects the full path, also with an absolute request target and under a mount', async () => {
    const { authenticator } = knowsAda()
    const { port, get } = await serve((app) => {
      app.use('/v1', withAuthn({ authenticator, protect: ['/v1/api'] }))
      app.use(withAuthn({ authenticator }))
      app.use((_req, res) => void res.send('reached'))
    })
    expect((await get('/v1/api')).status).toBe(401)
    expect((await get('/v1/open')).status).toBe(200)
    const status = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          'GET http://evil.example/api/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
        )
      })
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      socket.on('close', () => resolve(text.split('\r\n', 1)[0] ?? ''))
    })
    expect(status).toBe('HTTP/1.1 401 Unauthorized')
  })

  it('throws when an unguarded route reads req.principal, or a route overwrites it', async () => {
    const { authenticator } = knowsAda()
    const { get } = await serve((app) => {
      app.use(withAuthn({ authenticator }))
      app.get('/forgotten', (req, res) => void res.json(req.principal))
      app.get('/overwritten', requireSession(), (req, res) => {
        Object.assign(req, { principal: { subject: 'root' } })
        res.json(req.principal)
      })
    })
    expect((await get('/forgotten', ADA)).status).toBe(500)
    expect((await get('/overwritten', ADA)).status).toBe(500)
  })

  it('responds 500 when a guard is mounted without it', async () => {
    const { get } = await serve((app) => {
      app.get('/mine', requireSession(), (_req, res) => void res.send('reached'))
    })
    expect((await get('/mine', ADA)).status).toBe(500)
  })

  it('ignores identity headers such as x-forwarded-user', async () => {
    const { authenticator } = knowsAda()
    const { get } = await serve((app) => {
      app.use(withAuthn({ authenticator }))
      app.get('/api/mine', (req, res) => void res.json(req.principal))
    })
    const headers = {
      'x-user-id': 'root',
      'x-forwarded-user': 'root',
      'x-auth-request-user': 'root',
      'x-principal': '{"subject":"root"}',
      principal: 'root',
    }
    expect((await get('/api/mine', headers)).status).toBe(401)
    expect((await get('/api/mine', { ...headers, ...ADA })).body).toMatchObject({ subject: 'ada' })
  })
})

describe('a refusal', () => {
  const guarded = async (setCookies: string[] = []) => {
    const lines: object[] = []
    const write = (fields: object) => void lines.push(fields)
    const { authenticator } = knowsAda(setCookies)
    const { get } = await serve((app) => {
      app.use(withAuthn({ authenticator, log: { info: write, warn: write } }))
      app.get('/api/mine', (_req, res) => void res.json({}))
      app.get('/scopes', requireScopes('a', 'c', 'd'), (_req, res) => void res.json({}))
      app.get('/roles', requireRoles('clerk', 'admin'), (_req, res) => void res.json({}))
    })
    return { get, lines }
  }

  it('is a 401 whose challenge has error="invalid_token" for an invalid token only', async () => {
    const { get } = await guarded()
    const missing = await get('/api/mine')
    expect(missing.body).toEqual({
      type: 'urn:netscript:auth:problem:unauthorized',
      title: 'Sign-in is required',
      status: 401,
      detail: 'Sign in and send the request again.',
      code: 'UNAUTHORIZED',
    })
    expect(missing.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    const challenge = async (headers: Record<string, string>) =>
      (await get('/api/mine', headers)).headers.get('www-authenticate')
    const realm = 'Bearer realm="https://auth.example"'
    expect(await challenge({})).toBe(realm)
    expect(await challenge({ cookie: 'eve' })).toBe(realm)
    expect(await challenge({ authorization: 'Bearer eve' })).toBe(`${realm}, error="invalid_token"`)
  })

  it('is a 403 that names missing scopes and roles, with a challenge for bearer tokens', async () => {
    const { get } = await guarded()
    const scopes = await get('/scopes', ADA)
    expect(scopes).toMatchObject({
      status: 403,
      body: {
        code: 'FORBIDDEN',
        detail: 'This needs the scopes "c", "d", which you do not have.',
        data: { missingScopes: ['c', 'd'], missingRoles: [] },
      },
    })
    expect(scopes.headers.get('www-authenticate')).toBeNull()
    expect((await get('/scopes', BEARER)).headers.get('www-authenticate')).toBe(
      'Bearer realm="https://auth.example", error="insufficient_scope", scope="c d"',
    )
    expect((await get('/roles', ADA)).body).toMatchObject({
      data: { missingScopes: [], missingRoles: ['admin'] },
    })
  })

  it('is a 503 with Retry-After and Set-Cookie during an outage, and the reason is logged', async () => {
    const { get, lines } = await guarded(['a=1; Path=/', 'b=2'])
    const away = await get('/api/mine', { authorization: 'Bearer away' })
    expect(away).toMatchObject({ status: 503, body: { code: 'AUTH_UNAVAILABLE' } })
    expect(away.headers.get('retry-after')).toBe('9')
    expect(away.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2'])
    expect(JSON.stringify(away.body)).not.toContain('SECRET')
    expect(lines).toEqual([expect.objectContaining({ code: 'AUTH_UNAVAILABLE' })])
  })

  it('is a 500 when the authenticator throws another error', async () => {
    const { get } = await guarded()
    expect((await get('/api/mine', { authorization: 'Bearer broken' })).status).toBe(500)
  })

  it.each([[ADA], [{ cookie: 'eve' }]])(
    'or a success passes on every Set-Cookie and is not cacheable',
    async (headers) => {
      const { get } = await guarded(['a=1; Path=/', 'b=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT'])
      const answer = await get('/api/mine', headers)
      expect(answer.headers.getSetCookie()).toEqual([
        'a=1; Path=/',
        'b=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT',
      ])
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.headers.get('vary')).toBe('Cookie, Authorization')
    },
  )
})

describe('withAuthz', () => {
  const authorized = async (authorizer: Parameters<typeof withAuthz>[0]['authorizer']) => {
    const { authenticator } = knowsAda()
    const { get } = await serve((app) => {
      app.use(withAuthn({ authenticator }), withAuthz({ authorizer }))
      app.use((_req, res) => void res.json({}))
    })
    return get
  }

  it('responds 401, 403 or 200 by the rules', async () => {
    const match = (start: string) => ({
      match: ({ path, method }: { path: string; method: string }) =>
        method === 'GET' && path.startsWith(start),
    })
    const get = await authorized(
      createScopeAuthorizer({
        rules: [
          { ...match('/api/a'), requireScopes: ['a'] },
          { ...match('/api/z'), requireScopes: ['z'] },
          { ...match('/api/r'), requireRoles: ['admin'] },
        ],
      }),
    )
    expect((await get('/api/a')).status).toBe(401)
    expect((await get('/elsewhere')).status).toBe(401)
    expect((await get('/api/a?x', ADA)).status).toBe(200)
    expect(await get('/api/z', ADA)).toMatchObject({
      status: 403,
      body: { data: { missingScopes: ['z'] } },
    })
    expect((await get('/api/r', ADA)).status).toBe(403)
    expect((await get('/api/unknown', ADA)).status).toBe(403)
  })

  it('responds 403 without details when the authorizer throws', async () => {
    const get = await authorized({
      authorize() {
        throw new Error('SECRET of the inside')
      },
    })
    const answer = await get('/api/a', ADA)
    expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } })
    expect(JSON.stringify(answer.body)).not.toContain('SECRET')
  })
})
