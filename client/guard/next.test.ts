import { describe, expect, it } from 'vitest'
import {
  authenticated,
  type Authenticator,
  GuardUnavailableError,
  headerOf,
} from './authenticator.js'
import { createAuthProxy, createNextGuard, type NextProxyOptions } from './next.js'
import { updatedCookies } from './response.js'

/*
 * Next.js itself is too large to be installed here; server/e2e runs the guide in it. Its headers for
 * a request that continues are those that NextResponse of Next.js 15 and 16 sets.
 */
const NextResponse: NextProxyOptions['NextResponse'] = {
  next(init) {
    const headers = new Headers({ 'x-middleware-next': '1' })
    const cookie = init?.request.headers.get('cookie')
    if (cookie != null) headers.set('x-middleware-request-cookie', cookie)
    return new Response(null, { headers })
  },
}

/** Replaces the cookie `s=old` by `s=new`; only the new one is accepted then. */
function createAuthenticator() {
  const calls: string[] = []
  let replaced = false
  const authenticator: Authenticator = {
    realm: 'https://auth.example',
    async authenticate(request) {
      const sent = /\bs=(\w+)/.exec(headerOf(request, 'cookie') ?? '')?.[1]
      calls.push(sent ?? '')
      await new Promise((done) => setTimeout(done, 5))
      if (sent === 'down') throw new GuardUnavailableError('Down.', { setCookies: ['s=kept'] })
      if (sent === 'ended') {
        const setCookies = ['s=; Max-Age=0; Path=/']
        return { ok: false, reason: 'credential-invalid', setCookies }
      }
      if (sent !== 'new' && (sent !== 'old' || replaced)) {
        return { ok: false, reason: 'credential-missing', setCookies: [] }
      }
      const setCookies = sent === 'old' ? ['s=new; Path=/; HttpOnly'] : []
      replaced ||= sent === 'old'
      return authenticated(
        { subject: 'ada', scopes: ['read'], roles: [], scheme: 'custom', claims: {} },
        setCookies,
      )
    },
  }
  return { authenticator, calls }
}

describe('createNextGuard', () => {
  const createGuard = (cookie?: string) => {
    const { authenticator, calls } = createAuthenticator()
    const lines: object[] = []
    const write = (fields: object) => void lines.push(fields)
    let sent = new Headers(cookie === undefined ? {} : { cookie })
    const guard = createNextGuard({
      authenticator,
      headers: async () => sent,
      log: { info: write, warn: write },
    })
    const nextRequest = () => void (sent = new Headers(sent))
    return { ...guard, calls, lines, nextRequest }
  }

  it('authenticates once for all pages and layouts of a request', async () => {
    const { auth, calls, nextRequest } = createGuard('s=new')
    const [one, two] = await Promise.all([auth(), auth({ scopes: ['read', 'write'] })])
    expect(one).toMatchObject({ ok: true, principal: { subject: 'ada' } })
    expect(two).toMatchObject({
      ok: false,
      problem: { status: 403, data: { missingScopes: ['write'] } },
    })
    expect(await auth({ scopes: ['read'] })).toMatchObject({ ok: true })
    expect(calls).toHaveLength(1)
    nextRequest()
    expect(await auth()).toMatchObject({ ok: true })
    expect(calls).toHaveLength(2)
  })

  it('says who has no session, and throws during an outage', async () => {
    expect(await createGuard().auth()).toMatchObject({ ok: false, problem: { status: 401 } })
    await expect(createGuard('s=down').auth()).rejects.toThrow(GuardUnavailableError)
  })

  it('denies what an authorizer would decide by the path, which a page does not know', async () => {
    const { auth, lines } = createGuard('s=new')
    const requirement = {
      authorizer: { authorize: ({ path }: { path: string }) => ({ allow: path === '/' }) },
    }
    expect(await auth(requirement as object)).toMatchObject({ ok: false, problem: { status: 403 } })
    expect(lines).toContainEqual(expect.objectContaining({ reason: 'authz.error' }))
  })

  it('logs when a page cannot pass a replaced cookie on', async () => {
    const { auth, lines } = createGuard('s=old')
    await auth()
    expect(lines).toEqual([{ code: 'COOKIE_NOT_PASSED_ON' }])
  })

  it('throws for a malformed requirement', async () => {
    await expect(createGuard('s=new').auth({ scope: ['read'] } as object)).rejects.toThrow(
      TypeError,
    )
  })
})

describe('createAuthProxy', () => {
  const PAGE = { accept: 'text/html,*/*' }
  async function ask(
    path: string,
    { method = 'GET', ...headers }: Record<string, string> = {},
    options: Partial<NextProxyOptions> = {},
  ) {
    const { authenticator, calls } = createAuthenticator()
    const proxy = createAuthProxy({
      authenticator,
      NextResponse,
      signInPage: '/sign-in',
      ...options,
    })
    const response = await proxy(new Request(`https://app.example${path}`, { method, headers }))
    const read = (name: string) => response.headers.get(name)
    return {
      status: response.status,
      goesOn: read('x-middleware-next') === '1',
      cookie: read('x-middleware-request-cookie'),
      cookies: response.headers.getSetCookie(),
      location: read('location'),
      vary: read('vary'),
      cacheControl: read('cache-control'),
      type: read('content-type'),
      calls: calls.length,
    }
  }

  it('lets a request with a session go on, and marks the response as private', async () => {
    expect(await ask('/orders', { cookie: 's=new; z=1' })).toMatchObject({
      ...{ goesOn: true, cookie: null, cookies: [], calls: 1 },
      ...{ vary: 'Cookie, Authorization', cacheControl: 'no-store' },
    })
  })

  it.each(['/orders', '/open'])(
    'passes a replaced cookie on to the browser and to the page that is rendered at %s',
    async (path) => {
      const options = { allowAnonymous: ['/open'] }
      expect(await ask(path, { cookie: 'a=1; s=old; z=1' }, options)).toMatchObject({
        goesOn: true,
        cookie: 'a=1; s=new; z=1',
        cookies: ['s=new; Path=/; HttpOnly'],
        cacheControl: 'no-store',
      })
    },
  )

  it('passes the removal of a cookie on, where a session is required and elsewhere', async () => {
    const options = { allowAnonymous: ['/open'] }
    const sent = { cookie: 's=ended; z=1' }
    const cookies = ['s=; Max-Age=0; Path=/']
    expect(await ask('/open', sent, options)).toMatchObject({
      goesOn: true,
      cookie: 'z=1',
      cookies,
    })
    expect(await ask('/orders', sent, options)).toMatchObject({ status: 401, cookies })
    expect(await ask('/orders', { ...sent, ...PAGE }, options)).toMatchObject({
      status: 303,
      cookies,
    })
  })

  it.each<[string, string, Record<string, string>]>([
    ['/orders?x=1&y=/z', '/orders?x=1&y=/z', PAGE],
    ['/orders', '/orders', { 'sec-fetch-mode': 'navigate' }],
    ['//evil.example/x', '/evil.example/x', PAGE],
    ['/\\evil.example', '/evil.example', PAGE],
    ['///evil.example', '/evil.example', PAGE],
  ])('redirects a navigation to %s, to return to %s', async (path, target, headers) => {
    const { status, location, goesOn } = await ask(path, headers)
    const { origin, pathname, searchParams } = new URL(location ?? '')
    expect({ status, goesOn }).toEqual({ status: 303, goesOn: false })
    expect(origin + pathname).toBe('https://app.example/sign-in')
    expect(searchParams.get('redirectTo')).toBe(target)
    expect(new URL(target, 'https://app.example').origin).toBe('https://app.example')
  })

  it.each<[string, Record<string, string>, Partial<NextProxyOptions>]>([
    ['a fetch', { accept: '*/*' }, {}],
    ['a fetch that accepts HTML', { ...PAGE, 'sec-fetch-mode': 'cors' }, {}],
    ['a form post', { ...PAGE, 'sec-fetch-mode': 'navigate', method: 'POST' }, {}],
    ['HEAD', { ...PAGE, method: 'HEAD' }, {}],
    ['a navigation without a sign-in page', PAGE, { signInPage: undefined as never }],
  ])('responds 401 to %s', async (_what, headers, options) => {
    expect(await ask('/orders', headers, options)).toMatchObject({
      ...{ status: 401, goesOn: false, location: null, vary: 'Cookie, Authorization' },
      type: 'application/problem+json; charset=utf-8',
    })
  })

  it('responds 503 during an outage, also to navigations, but only where a session is required', async () => {
    const sent = { ...PAGE, cookie: 's=down' }
    expect(await ask('/orders', sent)).toMatchObject({ status: 503, cookies: ['s=kept'] })
    const open = await ask('/open', sent, { allowAnonymous: ['/open'] })
    expect(open).toMatchObject({ goesOn: true, cookies: ['s=kept'], cookie: 's=kept' })
  })

  it.each(['/sign-in', '/api/v1/auth/session', '/api/v1/auth', '/.well-known/jwks.json'])(
    'leaves %s open',
    async (path) => {
      expect(await ask(path, PAGE)).toMatchObject({ goesOn: true, cookies: [] })
    },
  )

  it('does not authenticate for the routes of the authentication API', async () => {
    expect(await ask('/api/v1/auth/signout', { cookie: 's=old' })).toMatchObject({
      ...{ goesOn: true, calls: 0, cookie: null, cookies: [], cacheControl: null },
    })
  })

  it.each([
    '/',
    '/sign-in-too',
    '/sign%2Din',
    '/api/v1/auth/..%2f..%2f..%2forders',
    '/api/v1/auth/%2e%2e/%2e%2e/%2e%2e/orders',
    '/%zz',
  ])('requires a session at %s', async (path) => {
    expect(await ask(path)).toMatchObject({ status: 401, goesOn: false })
  })

  it.each(['/orders', '/ORDERS/1', '/%6Frders', '/orders%2F1', '/%zz'])(
    'requires a session at %s when /orders is protected',
    async (path) => {
      const isRequired = path !== '/orders%2F1'
      const { status } = await ask(path, {}, { protect: ['/orders'] })
      expect(status).toBe(isRequired ? 401 : 200)
    },
  )

  it('requires a session nowhere else, and leaves a public page cacheable', async () => {
    expect(await ask('/about', PAGE, { protect: ['/orders'] })).toMatchObject({
      ...{ goesOn: true, cacheControl: null, vary: null },
    })
  })

  it('requires a session everywhere when nothing is protected by mistake', async () => {
    expect((await ask('/orders', {}, { protect: [] })).status).toBe(401)
  })
})

it.each<[string, string[], string]>([
  ['', ['s=1; Path=/'], 's=1'],
  ['s=0', ['s=1'], 's=1'],
  ['s=0; t=2', ['s=1==; Path=/'], 's=1==; t=2'],
  ['s=0; t=2', ['s=; Max-Age=0'], 't=2'],
  ['s=0', ['s=; max-age=-1; Expires=Wed, 01 Jan 2031 00:00:00 GMT'], ''],
  ['s=0', ['s=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], ''],
  ['s=0', ['s=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], 's=1'],
  ['s=0', ['s=1; Expires=Wed, 01 Jan 2131 00:00:00 GMT'], 's=1'],
  ['s=0', ['s=; Max-Age=0', 's=2'], 's=2'],
  ['ss=0', ['s=1'], 'ss=0; s=1'],
])('updates the cookies %j by %j to %j', (cookie, setCookies, expected) => {
  expect(updatedCookies(cookie, setCookies)).toBe(expected)
})
