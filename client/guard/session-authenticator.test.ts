import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Fetch } from '../exchange.js'
import { GuardUnavailableError } from './authenticator.js'
import { createSessionAuthenticator } from './session-authenticator.js'

const BASE = 'https://auth.example'
const SESSION = {
  id: 'public-id',
  userId: 'ada',
  subject: 'sub',
  state: 'active',
  scopes: ['orders:read'],
  roles: ['clerk'],
  claims: { locale: 'en' },
  issuedAt: '2026-01-05T09:00:00.000Z',
  expiresAt: '2999-01-05T09:00:00.000Z',
}
const signedIn = (session: object = {}, headers: [string, string][] = []) =>
  Response.json({ authenticated: true, session: { ...SESSION, ...session } }, { headers })
const nobody = () => Response.json({ authenticated: false })
const withCookie = (cookie: string) => ({ headers: { cookie } })
const OWN = '__Host-ns_session=own'

/** An authentication service that records its requests. */
function service(answer: (headers: Headers, call: number) => Response | Promise<Response>) {
  const asked: { url: string; headers: Headers; init: RequestInit }[] = []
  const fetch: Fetch = async (url, init) => {
    const headers = new Headers(init.headers)
    asked.push({ url, headers, init })
    return answer(headers, asked.length)
  }
  return { asked, fetch, options: { baseUrl: BASE, fetch } }
}

it('passes on when and how the provider authenticated the user, which claims cannot set', async () => {
  const times = { authTime: '1970-01-01T00:16:40.000Z', acr: 'mfa' }
  const claims = { auth_time: 1, acr: 'claimed', locale: 'en' }
  for (const [session, expected] of [
    [
      { ...times, claims },
      { auth_time: 1000, acr: 'mfa' },
    ],
    [{ claims }, {}],
  ] as const) {
    const { options } = service(() => signedIn(session))
    const found = await createSessionAuthenticator(options).authenticate(withCookie(OWN))
    if (!found.ok) throw new Error(found.reason)
    expect(found.principal.claims).toEqual({ locale: 'en', sessionId: 'public-id', ...expected })
  }
})

describe('the request to the service', () => {
  it('is GET /session with auth cookies and the bearer token, and no other header of the request', async () => {
    const { asked, options } = service(() => signedIn())
    await createSessionAuthenticator(options).authenticate({
      headers: {
        cookie: `theme=dark; ${OWN}; wos-session=a%20b;better-auth.session_token=t.s; x=1; __Secure-better-auth.dont_remember=1`,
        authorization: 'Bearer abc',
        'x-user-id': 'root',
        'x-forwarded-for': '10.0.0.1',
        'x-request-id': 'id',
        origin: 'https://evil.example',
      },
    })
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatchObject({
      url: `${BASE}/api/v1/auth/session`,
      init: { redirect: 'manual' },
    })
    expect(Object.fromEntries(asked[0]?.headers ?? [])).toEqual({
      accept: 'application/json',
      authorization: 'Bearer abc',
      cookie: `${OWN}; wos-session=a%20b; better-auth.session_token=t.s; __Secure-better-auth.dont_remember=1`,
    })
  })

  it('is not sent without a credential; other cookies and Basic passwords are not credentials', async () => {
    const { asked, options } = service(() => signedIn())
    const authenticator = createSessionAuthenticator(options)
    for (const headers of [
      {},
      { cookie: 'theme=dark; xx__Host-ns_session=1' },
      { authorization: 'Basic YTpi' },
      { 'x-user-id': 'root' },
    ]) {
      expect(await authenticator.authenticate({ headers })).toEqual({
        ok: false,
        reason: 'credential-missing',
        setCookies: [],
      })
    }
    expect(asked).toEqual([])
  })

  it('is made from a Request object too, and with configured cookie names', async () => {
    const { asked, options } = service(() => signedIn())
    const authenticator = createSessionAuthenticator({ ...options, cookies: ['sid'] })
    await authenticator.authenticate(new Request(BASE, { headers: { cookie: `sid=1; ${OWN}` } }))
    expect(asked[0]?.headers.get('cookie')).toBe('sid=1')
  })

  it('throws TypeError for a baseUrl that is not an http or https URL', () => {
    for (const baseUrl of ['auth.example', 'ftp://auth.example']) {
      expect(() => createSessionAuthenticator({ baseUrl })).toThrow(TypeError)
    }
  })
})

describe('the result', () => {
  it('is a frozen principal, with every Set-Cookie unchanged', async () => {
    const cookies = [
      'wos-session=new%2F; Path=/; HttpOnly',
      'b=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT',
    ]
    const { options } = service(() =>
      signedIn(
        {},
        cookies.map((cookie) => ['set-cookie', cookie]),
      ),
    )
    const authenticator = createSessionAuthenticator(options)
    const found = await authenticator.authenticate(withCookie(OWN))
    expect(found).toEqual({
      ok: true,
      setCookies: cookies,
      principal: {
        subject: 'ada',
        scopes: ['orders:read'],
        roles: ['clerk'],
        scheme: 'custom',
        claims: { locale: 'en', sessionId: 'public-id' },
      },
    })
    const roles = found.ok ? (found.principal.roles as string[]) : []
    expect(() => roles.push('admin')).toThrow(TypeError)
    expect(authenticator.realm).toBe(BASE)
  })

  it('has the scheme bearer for a bearer token', async () => {
    const { options } = service(() => signedIn())
    const bearer = { headers: { authorization: 'bearer abc' } }
    const found = await createSessionAuthenticator(options).authenticate(bearer)
    expect(found).toMatchObject({ ok: true, principal: { scheme: 'bearer' } })
  })

  it.each([
    ['no session', nobody],
    ['a session that has ended', () => signedIn({ state: 'revoked' })],
  ])('is credential-invalid for %s', async (_what, answer) => {
    const { options } = service(answer)
    const found = await createSessionAuthenticator(options).authenticate(withCookie(OWN))
    expect(found).toMatchObject({ ok: false, reason: 'credential-invalid' })
  })

  it.each<[string, () => Response | Promise<Response>]>([
    ['an unreachable service', () => Promise.reject(new TypeError('fetch failed'))],
    ['an HTML page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['truncated JSON', () => new Response('{"authenticated":tr')],
    ['another body', () => Response.json({ authenticated: 'yes', session: SESSION })],
    ['a session without an owner', () => signedIn({ userId: '' })],
    ['a redirect', () => Response.redirect('https://evil.example', 302)],
    ['a 401', () => Response.json({ authenticated: true, session: SESSION }, { status: 401 })],
    ['a 500', () => Response.json({}, { status: 500 })],
  ])('is GuardUnavailableError for %s', async (_what, answer) => {
    const { options } = service(answer)
    const asking = createSessionAuthenticator(options).authenticate(withCookie(OWN))
    await expect(asking).rejects.toBeInstanceOf(GuardUnavailableError)
  })

  it('keeps Set-Cookie and Retry-After of a failed response', async () => {
    const headers = { 'retry-after': '17', 'set-cookie': 'wos-session=renewed' }
    const { options } = service(() => Response.json({}, { status: 503, headers }))
    const asking = createSessionAuthenticator(options).authenticate(withCookie(OWN))
    await expect(asking).rejects.toMatchObject({
      retryAfterSeconds: 17,
      setCookies: ['wos-session=renewed'],
    })
  })
})

/** A service that holds its responses until each is released. */
function held(answer: (headers: Headers) => Response = () => signedIn()) {
  const waiting: (() => void)[] = []
  const of = service((headers) => {
    const response = answer(headers)
    return new Promise((resolve) => waiting.push(() => resolve(response)))
  })
  const sent = (count: number) => expect.poll(() => of.asked.length).toBe(count)
  return { ...of, sent, release: () => waiting.shift()?.() }
}

describe('concurrent requests', () => {
  it('share one call and its cookies', async () => {
    const set: [string, string][] = [['set-cookie', 'wos-session=new']]
    const { asked, options } = service(() => signedIn({}, set))
    const authenticator = createSessionAuthenticator(options)
    const found = await Promise.all(
      Array.from({ length: 200 }, () => authenticator.authenticate(withCookie(OWN))),
    )
    expect(asked).toHaveLength(1)
    for (const one of found)
      expect(one).toMatchObject({ ok: true, setCookies: ['wos-session=new'] })
  })

  it('do not join a call in flight, which may predate a revocation', async () => {
    let revoked = false
    const { options, sent, release, asked } = held(() => (revoked ? nobody() : signedIn()))
    const authenticator = createSessionAuthenticator(options)
    const before = authenticator.authenticate(withCookie(OWN))
    await sent(1)
    revoked = true
    const after = Array.from({ length: 100 }, () => authenticator.authenticate(withCookie(OWN)))
    release()
    expect((await before).ok).toBe(true)
    await sent(2)
    release()
    for (const one of await Promise.all(after)) expect(one.ok).toBe(false)
    expect(asked).toHaveLength(2)
  })

  it('do not share a call across credentials', async () => {
    const { options, asked } = service((headers) =>
      signedIn({ userId: `${headers.get('cookie')} ${headers.get('authorization')}` }),
    )
    const authenticator = createSessionAuthenticator(options)
    const who = await Promise.all(
      [
        { cookie: '__Host-ns_session=a' },
        { cookie: '__Host-ns_session=b' },
        { cookie: '__Host-ns_session=a', authorization: 'Bearer t' },
        { cookie: '__Host-ns_session=a; __Host-ns_session=b' },
        { authorization: 'Bearer t' },
      ].map((headers) => authenticator.authenticate({ headers })),
    )
    const subjects = who.map((one) => one.ok && one.principal.subject)
    expect(new Set(subjects).size).toBe(5)
    expect(asked).toHaveLength(5)
  })

  it('call again after a failure, and each waits at most timeoutMs', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { asked, options } = held()
    const authenticator = createSessionAuthenticator({ ...options, timeoutMs: 2_000 })
    const ask = () => authenticator.authenticate(withCookie(OWN)).catch((error: unknown) => error)
    const first = ask()
    await vi.advanceTimersByTimeAsync(1_500)
    const second = ask()
    await vi.advanceTimersByTimeAsync(500)
    expect(await first).toBeInstanceOf(GuardUnavailableError)
    expect(asked).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1_500)
    expect(await second).toBeInstanceOf(GuardUnavailableError)
  })
})

describe('cacheForMs', () => {
  const cached = (of: ReturnType<typeof service>, options: object = {}) =>
    createSessionAuthenticator({ ...of.options, cacheForMs: 60_000, ...options })
  const asks = (of: ReturnType<typeof service>) => of.asked.length

  it('caches a result for its credential only', async () => {
    const of = service(() => signedIn())
    const authenticator = cached(of)
    for (let n = 0; n < 3; n += 1) await authenticator.authenticate(withCookie(OWN))
    expect(asks(of)).toBe(1)
    await authenticator.authenticate(withCookie('__Host-ns_session=other'))
    expect(asks(of)).toBe(2)
  })

  it.each([
    ['that long', 3_600_000, 60_000],
    ['until the session expires, when that is sooner', 20_000, 20_000],
  ])('caches a result %s', async (_what, livesForMs, cachedForMs) => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const expiresAt = new Date(Date.now() + livesForMs).toISOString()
    const of = service(() => signedIn({ expiresAt }))
    const authenticator = cached(of)
    await authenticator.authenticate(withCookie(OWN))
    vi.advanceTimersByTime(cachedForMs - 1)
    await authenticator.authenticate(withCookie(OWN))
    expect(asks(of)).toBe(1)
    vi.advanceTimersByTime(1)
    await authenticator.authenticate(withCookie(OWN))
    expect(asks(of)).toBe(2)
  })

  it('defaults to no cache', async () => {
    const of = service(() => signedIn())
    const authenticator = createSessionAuthenticator(of.options)
    for (let n = 0; n < 3; n += 1) await authenticator.authenticate(withCookie(OWN))
    expect(asks(of)).toBe(3)
  })

  it.each<[string, () => Response]>([
    ['failed authentication', nobody],
    ['response that sets a cookie', () => signedIn({}, [['set-cookie', 'wos-session=new']])],
    ['expired session', () => signedIn({ expiresAt: '2020-01-01T00:00:00.000Z' })],
  ])('does not cache a %s', async (_what, answer) => {
    const of = service(answer)
    const authenticator = cached(of)
    for (let n = 0; n < 2; n += 1) await authenticator.authenticate(withCookie(OWN))
    expect(asks(of)).toBe(2)
  })

  it('evicts the oldest entry beyond cacheMaxEntries', async () => {
    const of = service(() => signedIn())
    const authenticator = cached(of, { cacheMaxEntries: 2 })
    const ask = (name: string) =>
      authenticator.authenticate(withCookie(`__Host-ns_session=${name}`))
    for (const name of ['a', 'b', 'c', 'b', 'c']) await ask(name)
    expect(asks(of)).toBe(3)
    await ask('a')
    expect(asks(of)).toBe(4)
  })
})
