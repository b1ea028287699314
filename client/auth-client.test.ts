import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import { AUTH_ERRORS, problemType } from '../contract/errors.js'
import type { AuthSession, AuthUser } from '../contract/session.js'
import type { AuthClient } from './auth-api.js'
import * as small from './index.js'
import * as validated from './validated.js'

const CLIENTS = Object.entries({ client: small, 'client/validated': validated })

let server: Server | undefined
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise<void>((done) => (server ? server.close(() => done()) : done()))
  server = undefined
})

/** A server that records its requests. */
async function serving(answer: (req: IncomingMessage, res: ServerResponse) => void) {
  const asked: { method?: string | undefined; url?: string | undefined; body: string }[] = []
  const headers: IncomingMessage['headers'][] = []
  server = createServer((req, res) => {
    let text = ''
    req.on('data', (chunk: Buffer) => (text += chunk.toString()))
    req.on('end', () => {
      asked.push({ method: req.method, url: req.url, body: text })
      headers.push(req.headers)
      answer(req, res)
    })
  })
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { baseUrl: `http://127.0.0.1:${port}`, asked, headers }
}

/** A server with one fixed response. */
const answering = (status: number, body: string, headers: Record<string, string> = {}) =>
  serving((_req, res) => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers })
    res.end(body)
  })

const STARTED = {
  started: true,
  providerId: 'local',
  redirectUrl: 'https://provider.example/auth',
  state: 'state',
}
const SESSION: AuthSession = {
  ...{ id: 's', userId: 'u', subject: 'ada', providerId: 'known', state: 'active' },
  ...{ scopes: [], roles: [], claims: {} },
  issuedAt: '2026-01-05T09:00:00.000Z',
  expiresAt: '2999-01-05T09:00:00.000Z',
}
const FAILED: [string, (auth: AuthClient) => Promise<unknown>][] = [
  ['me', (auth) => auth.me()],
  ['signin', (auth) => auth.signin()],
  ['signout', (auth) => auth.signout()],
  ['revokeSession', (auth) => auth.revokeSession('id')],
  ['revokeOtherSessions', (auth) => auth.revokeOtherSessions()],
  ['accounts', (auth) => auth.accounts()],
  ['unlinkAccount', (auth) => auth.unlinkAccount('id')],
]

/** The AbortController of React Native, which drops the reason. */
class AbortControllerWithoutReason {
  readonly signal = Object.assign(new EventTarget(), { aborted: false })
  abort(): void {
    this.signal.aborted = true
    this.signal.dispatchEvent(new Event('abort'))
  }
}

/** The fetch of React Native (over XMLHttpRequest): it accepts any signal and drops the abort reason. */
const fetchOfReactNative: small.Fetch = (url, { method, headers, body, signal }) =>
  new Promise((resolve, reject) => {
    const abort = (): void => {
      outgoing.destroy()
      reject(Object.assign(new Error('Aborted'), { name: 'AbortError' }))
    }
    const outgoing = request(url, { method, headers: Object.fromEntries(new Headers(headers)) })
    outgoing.on('error', () => reject(new TypeError('Network request failed')))
    outgoing.on('response', (incoming: IncomingMessage) => {
      let text = ''
      incoming.on('data', (chunk: Buffer) => (text += chunk.toString()))
      incoming.on('end', () => resolve(new Response(text, { status: incoming.statusCode ?? 0 })))
    })
    outgoing.end(body)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort)
  })

/** A fetch that ignores the signal. */
const fetchWithoutSignal: small.Fetch = (url, { signal: _signal, ...init }) => fetch(url, init)

const RUNTIMES: [string, { globals: Record<string, unknown>; fetch: small.Fetch }][] = [
  ['of today', { globals: {}, fetch: (url, init) => globalThis.fetch(url, init) }],
  [
    'without DOMException',
    { globals: { DOMException: undefined }, fetch: (url, init) => globalThis.fetch(url, init) },
  ],
  [
    'whose abort(reason) keeps no reason',
    { globals: { AbortController: AbortControllerWithoutReason }, fetch: fetchOfReactNative },
  ],
  [
    'such as React Native, with neither',
    {
      globals: { DOMException: undefined, AbortController: AbortControllerWithoutReason },
      fetch: fetchOfReactNative,
    },
  ],
  ['whose fetch ignores the signal', { globals: {}, fetch: fetchWithoutSignal }],
]

describe.each(CLIENTS)('%s', (_name, { createAuthClient, AuthClientError }) => {
  it('resolves to the body of a successful response', async () => {
    const { baseUrl, asked } = await answering(200, '{"authenticated":false}')
    const auth = createAuthClient({ baseUrl: `${baseUrl}//` })
    expect(await auth.me()).toEqual({ authenticated: false })
    expect(await auth.session()).toEqual({ authenticated: false })
    expect(asked.map(({ url }) => url)).toEqual(['/api/v1/auth/me', '/api/v1/auth/session'])
  })

  it('sends inputs as JSON and navigates to the redirectUrl of the response', async () => {
    const { baseUrl, asked, headers } = await answering(200, JSON.stringify(STARTED))
    const visited: string[] = []
    const auth = createAuthClient({
      baseUrl,
      navigate: (url) => visited.push(url),
      headers: { 'x-request-id': 'mine', Accept: 'text/html' },
    })
    await auth.redirectToSignIn({ redirectTo: '/home', scopes: ['openid'] })
    expect(visited).toEqual([STARTED.redirectUrl])
    expect(asked).toEqual([
      {
        method: 'POST',
        url: '/api/v1/auth/signin',
        body: '{"redirectTo":"/home","scopes":["openid"]}',
      },
    ])
    expect(headers[0]).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/json',
      'x-request-id': 'mine',
    })
  })

  const REQUIRED = {
    code: 'AUTH_RECENT_SIGN_IN_REQUIRED',
    data: { maxAge: 60, acrValues: ['mfa'], signin: { providerId: 'p', maxAge: 60 } },
  }
  const challenged = (challenge: string, body = ''): Response =>
    new Response(body, { status: 401, headers: { 'www-authenticate': challenge } })
  const INSUFFICIENT = 'Bearer error="insufficient_user_authentication"'
  const signedIn = { authenticated: true, session: SESSION }

  it.each<[string, unknown, object, object?]>([
    ['an error of a client', Object.assign(new Error('refused'), REQUIRED), { maxAge: 60 }],
    ['a problem document', REQUIRED, { maxAge: 60 }],
    ['a response with one', Response.json(REQUIRED, { status: 401 }), { maxAge: 60 }],
    [
      'a problem document without a sign-in, at the provider of the session',
      { ...REQUIRED, data: { maxAge: 60, acrValues: ['mfa'] } },
      { providerId: 'known', maxAge: 60, acrValues: ['mfa'] },
      signedIn,
    ],
    [
      'a problem document that chooses a return address, which is not used',
      { ...REQUIRED, data: { signin: { providerId: 'p', redirectTo: 'https://evil.example' } } },
      {},
    ],
    [
      'the challenge of RFC 9470',
      challenged(`${INSUFFICIENT}, max_age="300", acr_values="phr mfa"`),
      { providerId: 'known', maxAge: 300, acrValues: ['phr', 'mfa'] },
      signedIn,
    ],
    [
      'a challenge after the session has ended',
      challenged(`Basic realm="x", ${INSUFFICIENT}, max_age=0`, 'null'),
      { providerId: undefined, maxAge: 0 },
      { authenticated: false },
    ],
  ])('stepUp starts the sign-in that is required by %s', async (_what, refusal, input, session) => {
    const sent: unknown[] = []
    const visited: string[] = []
    const auth = createAuthClient({
      baseUrl: 'https://auth.example',
      navigate: (url) => visited.push(url),
      fetch: async (url, { body }) => {
        if (url.endsWith('/session')) return Response.json(session)
        sent.push(JSON.parse(body as string))
        return Response.json(STARTED)
      },
    })
    expect(await auth.stepUp(refusal, { redirectTo: '/orders' })).toBe(true)
    expect(sent).toEqual([{ providerId: 'p', redirectTo: '/orders', ...input }])
    expect(visited).toEqual([STARTED.redirectUrl])
  })

  it.each<[string, unknown]>([
    ['another error', Object.assign(new Error('refused'), { code: 'UNAUTHORIZED' })],
    ['another problem', Response.json({ code: 'FORBIDDEN', data: {} }, { status: 403 })],
    ['another challenge', challenged('Bearer error="insufficient_scope", scope="a"')],
    ['a response without a challenge', new Response(null, { status: 401 })],
    ['text', 'AUTH_RECENT_SIGN_IN_REQUIRED'],
    ['nothing', undefined],
    ['null', null],
  ])('stepUp does nothing for %s', async (_what, refusal) => {
    const auth = createAuthClient({
      fetch: () => Promise.reject(new Error('must not be called')),
      navigate: () => expect.unreachable(),
    })
    expect(await auth.stepUp(refusal)).toBe(false)
  })

  it('stepUp leaves the body of a response to its caller', async () => {
    const auth = createAuthClient({ navigate: () => {}, fetch: async () => Response.json(STARTED) })
    const response = Response.json(REQUIRED, { status: 401 })
    expect(await auth.stepUp(response)).toBe(true)
    expect(await response.json()).toEqual(REQUIRED)
    expect(await auth.stepUp(response)).toBe(false)
  })

  it('includes cookies, also cross-origin, and does not follow redirects', async () => {
    const { baseUrl } = await answering(200, '{"authenticated":false}')
    const inits: RequestInit[] = []
    const watching: small.Fetch = (url, init) => (inits.push(init), fetch(url, init))
    await createAuthClient({ baseUrl, fetch: watching }).me()
    expect(inits).toEqual([
      expect.objectContaining({ method: 'GET', credentials: 'include', redirect: 'manual' }),
    ])
  })

  it('encodes ids and query values', async () => {
    const { baseUrl, asked } = await answering(200, '{"revoked":1}')
    const auth = createAuthClient({ baseUrl })
    expect(await auth.revokeSession('a/b?c')).toEqual({ revoked: 1 })
    await auth.callback({ code: 'a&b=c', state: undefined }).catch(() => {})
    await auth.providerCallback('a/b', { code: 'a&b=c' }).catch(() => {})
    await expect(auth.providerCallback('..', {})).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    })
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'DELETE /api/v1/auth/sessions/a%2Fb%3Fc',
      'GET /api/v1/auth/callback?code=a%26b%3Dc',
      'GET /api/v1/auth/callback/a%2Fb?code=a%26b%3Dc',
    ])
  })

  it.each([
    [{ signedOut: true }, []],
    [{ signedOut: true, redirectTo: 'https://a.example/' }, ['https://a.example/']],
    [
      { signedOut: true, redirectTo: 'https://a.example/', logoutUrl: 'https://b.example/' },
      ['https://b.example/'],
    ],
  ])(
    'navigates after sign-out to logoutUrl, else redirectTo, else nowhere: %j',
    async (body, expected) => {
      const { baseUrl } = await answering(200, JSON.stringify(body))
      const visited: string[] = []
      await createAuthClient({ baseUrl, navigate: (url) => visited.push(url) }).redirectToSignOut()
      expect(visited).toEqual(expected)
    },
  )

  it('refuses to navigate to a javascript: URL of a response', async () => {
    const answer = { ...STARTED, redirectUrl: 'javascript:alert(1)' }
    const { baseUrl } = await answering(200, JSON.stringify(answer))
    const visited: string[] = []
    const auth = createAuthClient({ baseUrl, navigate: (url) => visited.push(url) })
    await expect(auth.redirectToSignIn()).rejects.toMatchObject({ code: 'UNEXPECTED_RESPONSE' })
    expect(visited).toEqual([])
  })

  it('throws problems with their code, status, data and request id', async () => {
    const { status, title } = AUTH_ERRORS.VALIDATION_ERROR
    const data = { formErrors: [], fieldErrors: { providerId: ['unknown'] } }
    const problem = {
      type: problemType('VALIDATION_ERROR'),
      title,
      status,
      detail: 'Correct providerId.',
      code: 'VALIDATION_ERROR',
      data,
    }
    const { baseUrl } = await answering(422, JSON.stringify(problem), {
      'x-request-id': 'id-1',
      'content-type': 'application/problem+json',
      'retry-after': '2',
    })
    const error = await createAuthClient({ baseUrl })
      .signin()
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AuthClientError)
    expect(error).toMatchObject({
      code: 'VALIDATION_ERROR',
      status: 422,
      message: 'Correct providerId.',
      data,
      requestId: 'id-1',
      retryAfterSeconds: 2,
    })
  })

  it.each([
    [200, '{}'],
    [200, 'null'],
    [200, '<html>'],
    [201, '{"authenticated":false}'],
    [204, ''],
    [302, ''],
    [303, ''],
    [502, '{"message":"bad gateway"}'],
    [502, 'null'],
    [502, '<html>'],
    [503, '{"code":"NEW_CODE","detail":"of a later version"}'],
    [503, '{"code":"constructor","detail":"of every object"}'],
    [500, '{"code":"STORE_UNAVAILABLE","detail":"of another status"}'],
  ])(
    'throws UNEXPECTED_RESPONSE for a response outside the contract: %i %s',
    async (status, body) => {
      const { baseUrl, asked } = await answering(status, body, { location: '/elsewhere' })
      await expect(createAuthClient({ baseUrl }).me()).rejects.toMatchObject({
        code: 'UNEXPECTED_RESPONSE',
        status,
      })
      expect(asked).toHaveLength(1)
    },
  )

  it('throws NETWORK_ERROR when the connection is refused', async () => {
    const error = await createAuthClient({ baseUrl: 'http://127.0.0.1:1' })
      .me()
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AuthClientError)
    expect(error).toMatchObject({ code: 'NETWORK_ERROR', status: 0 })
    expect((error as Error).cause).toBeInstanceOf(Error)
  })

  it.each(FAILED)('does not retry when the connection breaks: %s', async (_route, ask) => {
    const { baseUrl, asked } = await serving((req) => req.socket.destroy())
    await expect(ask(createAuthClient({ baseUrl }))).rejects.toMatchObject({
      code: 'NETWORK_ERROR',
    })
    expect(asked).toHaveLength(1)
  })

  it.each(FAILED)('does not retry a 503: %s', async (_route, ask) => {
    const problem = { code: 'STORE_UNAVAILABLE', detail: 'Try again.' }
    const { baseUrl, asked } = await answering(503, JSON.stringify(problem), { 'retry-after': '0' })
    await expect(ask(createAuthClient({ baseUrl }))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
    expect(asked).toHaveLength(1)
  })

  it('throws NETWORK_ERROR when the body is truncated', async () => {
    const { baseUrl } = await serving((req, res) => {
      res.writeHead(200, { 'content-length': '100' })
      res.write('{"authenticated"', () => req.socket.destroy())
    })
    await expect(createAuthClient({ baseUrl }).me()).rejects.toMatchObject({
      code: 'NETWORK_ERROR',
    })
  })

  it('throws TIMEOUT after timeoutMs, also in the middle of a response', async () => {
    const silent = await serving(() => {})
    await expect(
      createAuthClient({ baseUrl: silent.baseUrl, timeoutMs: 50 }).signin(),
    ).rejects.toMatchObject({ code: 'TIMEOUT', status: 0 })
    await new Promise((done) => (server?.closeAllConnections(), server?.close(done)))
    const slow = await serving((_req, res) => res.writeHead(200).write('{'))
    await expect(
      createAuthClient({ baseUrl: slow.baseUrl, timeoutMs: 50 }).me(),
    ).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('accepts an infinite timeoutMs', async () => {
    const { baseUrl } = await answering(200, '{"authenticated":false}')
    const auth = createAuthClient({ baseUrl, timeoutMs: Infinity })
    expect(await auth.me()).toEqual({ authenticated: false })
  })

  it('clears its timer, so that a process can exit', async () => {
    const { baseUrl } = await answering(200, '{"authenticated":false}')
    const [set, clear] = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'clearTimeout')]
    await createAuthClient({ baseUrl, timeoutMs: 12_345 }).me()
    const ours = set.mock.calls.findIndex(([, delay]) => delay === 12_345)
    expect(clear).toHaveBeenCalledWith(set.mock.results[ours]?.value)
    vi.restoreAllMocks()
  })

  it('throws ABORTED when its signal aborts, before or during the request', async () => {
    const controller = new AbortController()
    const { baseUrl, asked } = await serving(() => controller.abort())
    const auth = createAuthClient({ baseUrl })
    const { signal } = controller
    await expect(auth.me({ signal })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(asked).toHaveLength(1)
    await expect(auth.signout({}, { signal })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(asked).toHaveLength(1)
    const soon = AbortSignal.timeout(0)
    await expect(auth.me({ signal: soon })).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  describe.each(RUNTIMES)('in a runtime %s', (_runtime, { globals, fetch }) => {
    beforeEach(() => {
      for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value)
    })
    afterEach(() => vi.unstubAllGlobals())

    it('ends a call that gets no response within the time limit, with TIMEOUT', async () => {
      const { baseUrl } = await serving(() => {})
      const auth = createAuthClient({ baseUrl, fetch, timeoutMs: 50 })
      await expect(auth.me()).rejects.toMatchObject({ name: 'AuthClientError', code: 'TIMEOUT' })
      await expect(auth.signin()).rejects.toMatchObject({ code: 'TIMEOUT', status: 0 })
    })

    it('ends a call whose body does not arrive within the time limit, with TIMEOUT', async () => {
      const { baseUrl } = await serving((_req, res) => res.writeHead(200).write('{'))
      const auth = createAuthClient({ baseUrl, fetch, timeoutMs: 200 })
      await expect(auth.me()).rejects.toMatchObject({ code: 'TIMEOUT' })
    })

    it("ends a call with ABORTED, or TIMEOUT when the caller's signal timed out", async () => {
      const { baseUrl } = await serving(() => {})
      const auth = createAuthClient({ baseUrl, fetch })
      const controller = new AbortController()
      const pending = auth.me({ signal: controller.signal })
      setTimeout(() => controller.abort(), 20)
      await expect(pending).rejects.toMatchObject({ code: 'ABORTED' })
      await expect(auth.me({ signal: controller.signal })).rejects.toMatchObject({
        code: 'ABORTED',
      })
      await expect(auth.me({ signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
        code: 'TIMEOUT',
      })
    })

    it('reports a refused connection as NETWORK_ERROR and a success as usual', async () => {
      const lost = createAuthClient({ baseUrl: 'http://127.0.0.1:1', fetch, timeoutMs: 500 })
      await expect(lost.me()).rejects.toMatchObject({ code: 'NETWORK_ERROR' })
      const { baseUrl } = await answering(200, '{"authenticated":false}')
      expect(await createAuthClient({ baseUrl, fetch }).me()).toEqual({ authenticated: false })
    })
  })

  it('types responses and inputs by the contract', () => {
    const auth = createAuthClient()
    type Me = Awaited<ReturnType<typeof auth.me>>
    expectTypeOf<Extract<Me, { authenticated: true }>>().toEqualTypeOf<{
      authenticated: true
      user: AuthUser
      session: AuthSession
    }>()
    // @ts-expect-error providerId is a string
    void (() => auth.signin({ providerId: 1 }))
  })
})

describe('client/validated only', () => {
  it('rejects a response with missing nested fields', async () => {
    const { baseUrl } = await answering(200, '{"authenticated":true}')
    await expect(validated.createAuthClient({ baseUrl }).me()).rejects.toMatchObject({
      code: 'UNEXPECTED_RESPONSE',
      status: 200,
    })
    expect(await small.createAuthClient({ baseUrl }).me()).toEqual({ authenticated: true })
  })

  it('exports the same AuthClientError class as client', () => {
    expect(validated.AuthClientError).toBe(small.AuthClientError)
  })
})
