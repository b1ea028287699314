import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthError } from '../../backends/errors.js'
import type { AuthBackendPort } from '../../backends/port.js'
import { createAuthApp } from './express.js'
import { createLogger } from '../log.js'

const ORIGIN = 'https://auth.example'
const FRIEND = 'https://app.auth.example'

/** Nobody is ever signed in here; what the store does is up to each test. */
const backend = {
  name: 'nobody',
  providers: { listProviders: () => [], getProvider: () => undefined },
  capabilities: { interactive: false },
  signInHint: 'Sign in at /elsewhere.',
  sessions: { signOut: async () => ({ setCookies: ['a=; Max-Age=0', 'b=; Max-Age=0'] }) },
  authenticate: async () => ({ ok: false, reason: 'credential-missing', setCookies: [] }),
} as unknown as AuthBackendPort

describe('createAuthApp', () => {
  let server: Server
  let url: string
  let failure: Error | undefined
  beforeAll(async () => {
    const app = express()
    app.use(
      createAuthApp({
        backend: {
          ...backend,
          authenticate: (request) =>
            failure ? Promise.reject(failure) : backend.authenticate(request),
        },
        origin: ORIGIN,
        corsOrigins: [FRIEND],
        logger: createLogger('silent'),
      }),
    )
    app.get('/api/v1/authors', (_req, res) => void res.send('mine'))
    app.get('/', (_req, res) => void res.send('also mine'))
    server = createServer(app)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => new Promise((done) => server.close(done)))

  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { redirect: 'manual', ...init })
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    call(path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    })
  const problem = async (response: Response) => {
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    const body = (await response.json()) as { status: number; code: string; detail: string }
    expect(body.status).toBe(response.status)
    return body
  }

  it('leaves the routes of the app it is mounted in alone', async () => {
    expect(await (await call('/api/v1/authors')).text()).toBe('mine')
    expect(await (await call('/')).text()).toBe('also mine')
  })

  it('answers everything under its prefix as uncacheable', async () => {
    for (const path of ['/api/v1/auth/me', '/api/v1/auth/nowhere', '/api/v1/auth/callback']) {
      const { headers } = await call(path)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('vary')).toContain('Cookie')
      expect(headers.get('etag')).toBeNull()
      expect(headers.get('x-frame-options')).toBe('DENY')
    }
  })

  it.each([
    ['{"providerId":', 400, 'MALFORMED_REQUEST'],
    ['"text"', 400, 'MALFORMED_REQUEST'],
    ['{"providerId":1}', 422, 'VALIDATION_ERROR'],
    ['{"scopes":["a b"]}', 422, 'VALIDATION_ERROR'],
    [`{"loginHint":"${'x'.repeat(20_000)}"}`, 413, 'PAYLOAD_TOO_LARGE'],
    ['{}', 502, 'AUTH_PROVIDER_ERROR'],
    ['', 502, 'AUTH_PROVIDER_ERROR'],
  ])('answers signin with %.20s: %i', async (body, status, code) => {
    const response = await post('/api/v1/auth/signin', body)
    expect(response.status).toBe(status)
    expect(await problem(response)).toMatchObject({ code })
  })

  it('names the fields that are wrong', async () => {
    const response = await post('/api/v1/auth/signin', '{"providerId":1,"scopes":["ok","a b"]}')
    expect(await response.json()).toMatchObject({
      data: {
        formErrors: [],
        fieldErrors: { providerId: [expect.any(String)], 'scopes.1': [expect.any(String)] },
      },
    })
  })

  it('says where to sign in when the backend has no flow', async () => {
    const body = await problem(await post('/api/v1/auth/signin', '{}'))
    expect(body).toMatchObject({
      code: 'AUTH_PROVIDER_ERROR',
      detail: expect.stringContaining('Sign in at /elsewhere.') as string,
      data: { providerId: 'nobody' },
    })
    expect((await call('/api/v1/auth/callback?code=a&state=b')).status).toBe(502)
  })

  it('takes other content types for what they are', async () => {
    const text = { origin: ORIGIN, 'content-type': 'text/plain' }
    expect((await post('/api/v1/auth/signout', 'x', text)).status).toBe(415)
    const latin = { origin: ORIGIN, 'content-type': 'application/json; charset=klingon' }
    expect((await post('/api/v1/auth/signout', '{}', latin)).status).toBe(415)
  })

  it('refuses other origins, and lets listed ones read the answer', async () => {
    const evil = await post('/api/v1/auth/signout', '{}', { origin: 'https://evil.example' })
    expect(await problem(evil)).toMatchObject({ code: 'ORIGIN_NOT_ALLOWED' })
    expect(evil.headers.get('access-control-allow-origin')).toBeNull()
    const friend = await post('/api/v1/auth/signout', '{}', { origin: FRIEND })
    expect(friend.status).toBe(200)
    expect(friend.headers.get('access-control-allow-origin')).toBe(FRIEND)
    expect(friend.headers.get('access-control-allow-credentials')).toBe('true')
    const preflight = await call('/api/v1/auth/signout', {
      method: 'OPTIONS',
      headers: { origin: FRIEND, 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(204)
  })

  it('sends each cookie in a header of its own, and redirects a form', async () => {
    const form = { origin: ORIGIN, 'content-type': 'application/x-www-form-urlencoded' }
    const response = await post('/api/v1/auth/signout', 'everywhere=false&redirectTo=/bye', form)
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe(`${ORIGIN}/bye`)
    expect(response.headers.getSetCookie()).toEqual(['a=; Max-Age=0', 'b=; Max-Age=0'])
    expect((await post('/api/v1/auth/signout', 'redirectTo=//evil.example', form)).status).toBe(422)
  })

  it('routes an absolute target by its path, wherever it is mounted', async () => {
    const outer = express()
    outer.use(
      '/mounted',
      createAuthApp({ backend, origin: ORIGIN, logger: createLogger('silent') }),
    )
    outer.use(createAuthApp({ backend, origin: ORIGIN, logger: createLogger('silent') }))
    outer.use((req, res) => void res.send(req.originalUrl))
    const around = createServer(outer)
    await new Promise<void>((done) => around.listen(0, '127.0.0.1', done))
    const { port } = around.address() as AddressInfo
    const get = (path: string): Promise<{ text: string; headers: IncomingHttpHeaders }> =>
      new Promise((resolve, reject) => {
        request({ port, path }, (answer) => {
          const { headers } = answer
          textOf(answer).then((text) => resolve({ text, headers }), reject)
        })
          .on('error', reject)
          .end()
      })
    for (const mount of ['', '/mounted']) {
      for (const authority of ['', 'http://evil.example', 'https://a:b@evil.example:8443']) {
        const target = `${authority}${mount}/api/v1/auth`
        expect((await get(`${target}/me`)).text, target).toBe('{"authenticated":false}')
        const callback = await get(`${target}/callback?code=x&state=y`)
        expect(callback.headers['referrer-policy'], target).toBe('no-referrer')
        expect((await get(`${target}/callback?code=`)).text, target).toContain('VALIDATION_ERROR')
      }
    }
    // What is not ours reaches the app around as it came.
    const foreign = 'http://evil.example/other?a=b'
    expect((await get(foreign)).text).toBe(foreign)
    await new Promise((done) => around.close(done))
  })

  it.each([
    ['express.raw', express.raw({ type: '*/*' })],
    ['express.text', express.text({ type: '*/*' })],
    ['express.urlencoded', express.urlencoded({ extended: true })],
    ['express.json', express.json()],
  ])('reads the body behind %s of the app around it', async (_name, parser) => {
    const outer = express()
    outer.use(parser)
    outer.use(createAuthApp({ backend, origin: ORIGIN, logger: createLogger('silent') }))
    const around = createServer(outer)
    await new Promise<void>((done) => around.listen(0, '127.0.0.1', done))
    const { port } = around.address() as AddressInfo
    const sent = async (route: string, type: string, body: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/auth/${route}`, {
        method: 'POST',
        redirect: 'manual',
        body,
        headers: { origin: ORIGIN, 'content-type': type },
      })
      return [response.status, response.headers.get('location') ?? (await response.text())]
    }
    const form = 'application/x-www-form-urlencoded'
    const json = 'application/json'
    expect(await sent('signout', form, 'everywhere=false&redirectTo=')).toEqual([303, `${ORIGIN}/`])
    expect(await sent('signout', json, '{"redirectTo":"/bye"}')).toEqual([
      200,
      expect.stringContaining(`${ORIGIN}/bye`),
    ])
    for (const [route, type, body, field] of [
      ['signin', json, '{"loginHint":1}', 'loginHint'],
      ['signin', form, 'scopes=a"b', 'scopes'],
      ['signout', json, '{"everywhere":"perhaps"}', 'everywhere'],
      ['token', json, '{"audience":1}', 'audience'],
      ['backchannel-logout', form, 'logout_token=', 'MALFORMED_REQUEST'],
    ] as const) {
      expect(await sent(route, type, body), route).toEqual([
        field === 'MALFORMED_REQUEST' ? 400 : 422,
        expect.stringContaining(field),
      ])
    }
    await new Promise((done) => around.close(done))
  })

  it('answers 405 with Allow before it looks at anything else', async () => {
    const response = await call('/api/v1/auth/callback', {
      method: 'POST',
      body: 'code=a&state=b',
      headers: { origin: 'https://provider.example' },
    })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD')
    expect((await call('/api/v1/auth/me', { method: 'DELETE' })).status).toBe(405)
    expect((await call('/api/v1/auth/signin')).status).toBe(405)
  })

  it.each([
    '/api/v1/auth/me/',
    '/api/v1/auth/ME',
    '/api/v1/auth//me',
    '/api/v1/auth/',
    '/api/v1/auth',
  ])('has nothing at %s', async (path) => {
    expect(await problem(await call(path))).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('answers 503 with Retry-After while the store is away, and says nothing of the reason', async () => {
    failure = new AuthError('STORE_UNAVAILABLE', 'Try again.', { cause: new Error('secret host') })
    const response = await call('/api/v1/auth/me')
    expect(response.headers.get('retry-after')).toBe('2')
    expect(JSON.stringify(await problem(response))).not.toContain('secret')
    failure = new Error('SELECT * FROM secret')
    const internal = await problem(await call('/api/v1/auth/session'))
    expect(internal).toMatchObject({ code: 'INTERNAL', status: 500 })
    expect(JSON.stringify(internal)).not.toContain('secret')
    failure = undefined
  })

  it('shows errors of navigations as a page', async () => {
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
    const response = await call('/api/v1/auth/callback?code=a&state=b', {
      headers: { accept, 'x-request-id': 'request-1' },
    })
    expect(response.status).toBe(502)
    expect(response.headers.get('content-type')).toContain('text/html')
    const text = await response.text()
    expect(text).toContain('AUTH_PROVIDER_ERROR')
    expect(text).toContain('request-1')
    expect(
      (await call('/api/v1/auth/me/x', { headers: { accept } })).headers.get('content-type'),
    ).toContain('text/html')
  })

  it('echoes a harmless request id and replaces any other', async () => {
    const id = async (given: string) =>
      (await call('/api/v1/auth/me', { headers: { 'x-request-id': given } })).headers.get(
        'x-request-id',
      )
    expect(await id('abc-1')).toBe('abc-1')
    expect(await id('a b<script>')).not.toContain('script')
    expect(await id('x'.repeat(65))).toHaveLength(36)
  })
})
