import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthError } from '../../backends/errors.js'
import { createKvOAuthBackend } from '../../backends/kv-oauth/index.js'
import type { AuthBackendPort, AuthnResult } from '../../backends/port.js'
import { createPool } from '../../backends/storage/pool.js'
import { createAuthApp, createAuthListener } from '../app.js'
import { createLogger } from '../log.js'
import { startTestService, type TestService } from './support/service.js'
import { SESSION_COOKIE, signIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

/** One server, and what it logged. */
interface Side {
  readonly server: Server
  readonly log: string[]
}

type Build = (options: Parameters<typeof createAuthApp>[0]) => RequestListener

async function serve(build: Build, backend: AuthBackendPort, corsOrigins: string[]): Promise<Side> {
  const log: string[] = []
  const logger = createLogger('debug', { write: (line: string) => void log.push(line) })
  const server = createServer(
    build({ backend, origin: 'http://localhost:8094', corsOrigins, logger }),
  )
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return { server, log }
}

/** Everything that a server says to bytes, until it hangs up. */
function exchange({ server }: Side, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    connect((server.address() as AddressInfo).port, '127.0.0.1')
      .setEncoding('latin1')
      .on('data', (text: string) => void (said += text))
      .on('error', reject)
      .on('close', () => resolve(said.replace(/^Date: .*$/gm, 'Date: now')))
      // Not end(): whoever hangs up first may get no answer.
      .write(bytes, 'latin1')
  })
}

/** A log without what no two requests have in common. */
const lines = ({ log }: Side): unknown[] =>
  log
    .splice(0)
    .map((line) => ({ ...(JSON.parse(line) as object), time: 0, ms: 0 }))
    .map((line) => JSON.stringify(line).replace(/"stack":"[^"]*"/g, ''))

const PATHS = ['/api/v1/auth/session', '/api/v1/auth/me']

/** Requests by themselves, without the cookie of a person. */
function requests(token: string): string[] {
  const cookie = `${SESSION_COOKIE}=${token}`
  const [secret = '', signature = ''] = token.split('.')
  const headers = [
    '',
    `Cookie: ${cookie}`,
    `cookie: ${cookie}`,
    `Cookie: ${cookie}; a=1; b="2"; c=%00`,
    `Cookie: a=1;${cookie}`,
    `Cookie: ${cookie}; ${cookie}`,
    `Cookie: ${cookie}\r\nCookie: ${cookie}`,
    `Cookie: ${SESSION_COOKIE}=`,
    `Cookie: ${SESSION_COOKIE}="${token}"`,
    `Cookie: ${SESSION_COOKIE}=j:{"a":1}`,
    `Cookie: ${SESSION_COOKIE}=${encodeURIComponent(token)}`,
    `Cookie: ${SESSION_COOKIE}=${secret}`,
    `Cookie: ${SESSION_COOKIE}=${secret}.${signature}.`,
    `Cookie: ${SESSION_COOKIE}=${signature}.${secret}`,
    `Cookie: ${SESSION_COOKIE}=${secret}.${'A'.repeat(43)}`,
    `Cookie: ${SESSION_COOKIE}=${'A'.repeat(4000)}`,
    `Cookie: ${';'.repeat(3000)}`,
    `Cookie: \xff\xfe${cookie}`,
    `Cookie: __proto__=1; ${cookie}`,
    `Authorization: Bearer ${token}`,
    `Cookie: ${cookie}\r\nIf-None-Match: *`,
    `Cookie: ${cookie}\r\nIf-None-Match: "a", W/"b"\r\nIf-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT`,
    `Cookie: ${cookie}\r\nRange: bytes=0-3`,
    `Cookie: ${cookie}\r\nAccept: text/html`,
    `Cookie: ${cookie}\r\nAccept: nothing/known\r\nAccept-Encoding: gzip, br`,
    `Cookie: ${cookie}\r\nOrigin: http://localhost:8094`,
    `Cookie: ${cookie}\r\nOrigin: http://app.localhost:5173`,
    `Cookie: ${cookie}\r\nOrigin: null`,
    `Cookie: ${cookie}\r\nOrigin: https://evil.example\r\nSec-Fetch-Site: cross-site`,
    `Cookie: ${cookie}\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https`,
    `Cookie: ${cookie}\r\nX-HTTP-Method-Override: DELETE`,
    `Cookie: ${cookie}\r\nX-Request-Id: not an id \x07`,
    `Cookie: ${cookie}\r\nContent-Length: 7\r\nContent-Type: application/json\r\n\r\n{"a":1}`,
    `Cookie: ${cookie}\r\nContent-Length: 3\r\nContent-Type: text/unheard-of\r\n\r\nabc`,
    `Cookie: ${cookie}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0`,
    `Cookie: ${cookie}\r\nTransfer-Encoding: chunked\r\nContent-Length: 3`,
    `Cookie: ${cookie}\r\nContent-Length: -1`,
    `Cookie: ${cookie}\r\nExpect: 100-continue`,
    `Cookie: ${cookie}\r\nExpect: the impossible`,
    `Cookie: ${cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade`,
    `X-Long: ${'x'.repeat(20_000)}`,
    `No colon`,
    ` folded: yes`,
  ]
  const close = 'X-Request-Id: same-for-both\r\nConnection: close'
  const request = (line: string, header: string, host = 'Host: localhost:8094'): string =>
    [line, host, close, header].filter(Boolean).join('\r\n') + '\r\n\r\n'
  return PATHS.flatMap((path) => [
    ...headers.map((header) => request(`GET ${path} HTTP/1.1`, header)),
    ...headers.slice(0, 20).map((header) => request(`GET ${path} HTTP/1.0`, header)),
    ...['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'get', 'PROPFIND'].flatMap((method) =>
      headers.slice(0, 2).map((header) => request(`${method} ${path} HTTP/1.1`, header)),
    ),
    ...[
      '?',
      '?a=1',
      '/',
      '//',
      '#a',
      ';a',
      '%20',
      '%2f',
      '%',
      '%00',
      '.json',
      `/${'a'.repeat(2000)}`,
      '?__proto__[a]=1&a[]=2',
    ].map((end) => request(`GET ${path}${end} HTTP/1.1`, `Cookie: ${cookie}`)),
    request(`GET ${path.toUpperCase()} HTTP/1.1`, `Cookie: ${cookie}`),
    request(`GET /${path} HTTP/1.1`, `Cookie: ${cookie}`),
    ...['http://localhost:8094', 'http://evil.example', 'HTTPS://a:b@evil.example:1'].map(
      (origin) => request(`GET ${origin}${path} HTTP/1.1`, `Cookie: ${cookie}`),
    ),
    request(`GET //evil.example${path} HTTP/1.1`, `Cookie: ${cookie}`),
    request(`GET ${path.replace('auth', 'a%75th')} HTTP/1.1`, `Cookie: ${cookie}`),
    request(`GET ${path.replace('auth', 'x/../auth')} HTTP/1.1`, `Cookie: ${cookie}`),
    request(`GET ${path} HTTP/1.1`, `Cookie: ${cookie}`, ''),
    request(`GET ${path} HTTP/1.1`, `Cookie: ${cookie}`, 'Host: a\r\nHost: b'),
    request(`GET ${path} HTTP/2.0`, `Cookie: ${cookie}`),
    // Two requests on one connection, the first of which keeps it open.
    `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: first\r\nCookie: ${cookie}\r\n\r\n` +
      request(`GET ${path} HTTP/1.1`, ''),
  ])
}

describe('the lane ahead of Express', () => {
  let service: TestService
  let token: string
  let backend: AuthBackendPort
  const sides: Record<string, [Side, Side]> = {}
  const undo: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    service = await startTestService()
    undo.push(() => service.close())
    const agent = createUserAgent(service.origin)
    await signIn(agent)
    token = (await agent.cookies('/'))[SESSION_COOKIE] ?? ''
    const pool = createPool(service.databaseUrl)
    undo.push(() => pool.end())
    backend = await createKvOAuthBackend({
      pool,
      providers: service.config.providers,
      key: service.key,
      allowInsecureRequests: true,
    })
    const answering = (authenticate: () => Promise<AuthnResult>): AuthBackendPort => ({
      ...backend,
      authenticate,
    })
    const setCookies = ['a=1; Path=/; HttpOnly', 'b="2"; Max-Age=0']
    const backends: Record<string, [AuthBackendPort, string[]]> = {
      'as it is': [backend, []],
      'with origins of others': [backend, ['http://app.localhost:5173']],
      'with cookies that change': [
        answering(async () => ({ ok: false, reason: 'session-expired', setCookies })),
        [],
      ],
      'while the store is away': [
        answering(async () => {
          const cause = new Error('connect ECONNREFUSED')
          throw new AuthError('STORE_UNAVAILABLE', 'Try again.', { cause, setCookies })
        }),
        [],
      ],
      'when the code is wrong': [
        answering(async () => {
          throw new TypeError('secret')
        }),
        ['http://app.localhost:5173'],
      ],
    }
    for (const [name, [which, corsOrigins]] of Object.entries(backends)) {
      const pair: [Side, Side] = [
        await serve(createAuthListener, which, corsOrigins),
        await serve((options) => createAuthApp(options) as RequestListener, which, corsOrigins),
      ]
      sides[name] = pair
      for (const { server } of pair) undo.push(() => new Promise((done) => server.close(done)))
    }
  })
  afterAll(async () => {
    for (const step of undo.reverse()) await step()
  })

  it.each([
    'as it is',
    'with origins of others',
    'with cookies that change',
    'while the store is away',
    'when the code is wrong',
  ])('answers byte for byte as Express does: %s', async (name) => {
    const [lane, app] = sides[name] ?? expect.unreachable()
    const all = requests(token)
    expect(all.length).toBeGreaterThan(200)
    for (const bytes of all) {
      const expected = await exchange(app, bytes)
      expect(await exchange(lane, bytes), bytes.slice(0, 300)).toBe(expected)
      expect(lines(lane), bytes.slice(0, 300)).toEqual(lines(app))
    }
  })

  it('compares answers that differ where they should', async () => {
    const [, app] = sides['as it is'] ?? expect.unreachable()
    const said = await Promise.all(requests(token).map((bytes) => exchange(app, bytes)))
    const statuses = new Set(said.map((text) => text.split(' ', 2)[1]))
    expect([...statuses].sort()).toEqual(expect.arrayContaining(['200', '400', '404', '405']))
    expect(said.filter((text) => text.includes('"authenticated":true')).length).toBeGreaterThan(20)
    expect(said.filter((text) => text.includes('"authenticated":false')).length).toBeGreaterThan(20)
  })

  it('was asked: without Express the two routes are still there', async () => {
    const lane = createAuthListener(
      { backend, origin: 'http://localhost:8094', logger: createLogger('silent') },
      (_req, res) => {
        res.statusCode = 418
        res.end()
      },
    )
    const server = createServer(lane)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const status = async (path: string) => (await fetch(`${url}${path}`)).status
    expect(await Promise.all(['/', '/other', PATHS[0]!, `${PATHS[0]}/x`].map(status))).toEqual([
      418, 418, 200, 404,
    ])
    await new Promise((done) => server.close(done))
  })
})
