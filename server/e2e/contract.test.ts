import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuthClient, createAuthClient } from '../../client/index.js'
import type { MeResponse } from '../../contract/session.js'
import {
  AUDIENCE,
  type BackendUnderTest,
  BACKENDS_UNDER_TEST,
  startKvOAuth,
} from './support/backends-under-test.js'
import { checkDeclared } from './support/declared.js'
import { completeLogin } from './support/oidc-login.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const NAMES = Object.keys(BACKENDS_UNDER_TEST)
const ACCOUNT_ROUTES = [
  ['/api/v1/auth/sessions', 'GET'],
  ['/api/v1/auth/sessions', 'DELETE'],
  ['/api/v1/auth/sessions/x', 'DELETE'],
] as const
const TOKEN_PATH = '/api/v1/auth/token'
const FORWARD_AUTH_PATH = '/api/v1/auth/forward-auth'
const KEYS_PATH = '/.well-known/jwks.json'
const shapes = new Map<string, unknown>()

/** A contract client in a new browser; every response must be declared. */
function watched(origin: string, agent: UserAgent) {
  const fetch = async (target: string, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(target, origin).href
    const response = await agent.fetch(url, init)
    await checkDeclared(init.method ?? 'GET', url, response)
    return response
  }
  return { fetch, client: createAuthClient({ baseUrl: origin, fetch }) }
}

describe.each(NAMES)('the contract on %s', (name) => {
  let sut: BackendUnderTest
  const isInteractive = name === 'kv-oauth'
  beforeAll(async () => {
    sut = await BACKENDS_UNDER_TEST[name]!()
  })
  afterAll(() => sut.close())

  const stranger = () => watched(sut.origin, createUserAgent(sut.origin))
  const person = async () => watched(sut.origin, await sut.signedIn())
  const form = (path: string, body: string, headers = {}) => ({
    path: `/api/v1/auth/${path}`,
    init: {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: sut.origin,
        ...headers,
      },
    },
  })

  it('is anonymous, then a user, then anonymous again', async () => {
    expect(await stranger().client.me()).toEqual({ authenticated: false })
    expect(await stranger().client.session()).toEqual({ authenticated: false })

    const { client } = await person()
    const me = await client.me()
    expect(me.authenticated && me.session.state).toBe('active')
    expect(me.authenticated && me.user.id).toBe(me.authenticated && me.session.userId)
    expect(me.authenticated && me.user.displayName).toBeTruthy()
    shapes.set(name, shapeOf(me))
    const session = await client.session()
    expect(session.authenticated && session.session.id).toBe(me.authenticated && me.session.id)

    expect((await client.signout({ redirectTo: '/' })).signedOut).toBe(true)
    expect(await client.me()).toEqual({ authenticated: false })
    expect((await client.signout()).signedOut).toBe(true)
  })

  it('describes itself truthfully', async () => {
    const response = await stranger().fetch('/api/v1/auth/describe')
    const described = (await response.json()) as { backend: string; capabilities: object }
    expect(described).toMatchObject({ backend: name, capabilities: { interactive: isInteractive } })
  })

  it('lists the account of the user and keeps it as the last one, or says that it cannot', async () => {
    const { client, fetch } = await person()
    const { capabilities } = await client.describe()
    expect(capabilities.linkAccounts).toBe(isInteractive)
    if (isInteractive) {
      const { accounts } = await client.accounts()
      expect(accounts).toMatchObject([{ current: true }])
      const removed = client.unlinkAccount(accounts[0]?.id ?? '')
      await expect(removed).rejects.toMatchObject({ code: 'AUTH_LAST_ACCOUNT', status: 409 })
      const { path, init } = form('signin', 'link=true')
      expect((await fetch(path, init)).status).toBe(303)
      await expect(stranger().client.accounts()).rejects.toMatchObject({ status: 401 })
      return
    }
    for (const refused of [
      client.accounts(),
      client.unlinkAccount('id'),
      client.signin({ link: true }),
    ]) {
      await expect(refused).rejects.toMatchObject({
        code: 'AUTH_OPERATION_UNSUPPORTED',
        status: 501,
        message: expect.stringContaining(name) as string,
      })
    }
  })

  it('tells a reverse proxy who a request is from, and refuses one without a session', async () => {
    const { client, fetch } = await person()
    const me = await client.me()
    const { keys } = (await (await fetch(KEYS_PATH)).json()) as JSONWebKeySet
    const passed = await fetch(`${FORWARD_AUTH_PATH}?audience=${encodeURIComponent(AUDIENCE)}`)
    const { headers } = passed
    expect(passed.status).toBe(200)
    expect(headers.get('x-auth-user')).toBe(me.authenticated && me.session.userId)
    const [, token = ''] = headers.get('authorization')?.split('Bearer ') ?? []
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys }))
    expect(payload).toMatchObject({ aud: AUDIENCE, sid: me.authenticated && me.session.id })

    const refused = await stranger().fetch(FORWARD_AUTH_PATH)
    expect([refused.status, refused.headers.get('x-auth-user')]).toEqual([401, ''])
    const lacking = await fetch(`${FORWARD_AUTH_PATH}?role=nothing-that-exists`)
    expect([lacking.status, lacking.headers.get('x-auth-user')]).toEqual([403, ''])
  })

  it('issues tokens to signed-in users, for listed audiences', async () => {
    const { client, fetch } = await person()
    const { token, expiresAt } = await client.token({ audience: AUDIENCE })
    const { keys } = (await (await fetch(KEYS_PATH)).json()) as JSONWebKeySet
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys }))
    const me = await client.session()
    expect(payload).toMatchObject({
      iss: sut.origin,
      aud: AUDIENCE,
      sub: me.authenticated && me.session.userId,
      sid: me.authenticated && me.session.id,
      exp: Date.parse(expiresAt) / 1000,
    })
    await expect(stranger().client.token({ audience: AUDIENCE })).rejects.toMatchObject({
      status: 401,
    })
    await expect(client.token({ audience: `${AUDIENCE}/` })).rejects.toMatchObject({
      status: 422,
      data: { fieldErrors: { audience: [expect.any(String)] } },
    })
  })

  it('issues tokens for the session cookie and no other credential', async () => {
    const agent = await sut.signedIn()
    const cookies = Object.values(await agent.cookies(TOKEN_PATH))
    const given = (await sut.bearer?.()) ?? ''
    const post = (headers: Record<string, string>, by: UserAgent) =>
      by.post(TOKEN_PATH, { audience: AUDIENCE }, headers)
    for (const value of [given, ...cookies, ...cookies.map(decodeURIComponent)]) {
      for (const headers of [
        { authorization: `Bearer ${value}` },
        { authorization: `Bearer ${value}`, cookie: 'other=1' },
        { 'x-api-key': value },
      ] as Record<string, string>[]) {
        const refused = await post(headers, createUserAgent(sut.origin))
        expect(refused.status).toBe(401)
        expect(await refused.json()).toMatchObject({
          code: 'UNAUTHORIZED',
          detail: expect.stringContaining('session cookie') as string,
        })
      }
    }
    if (sut.bearer) {
      const headers = { authorization: `Bearer ${given}` }
      const read = await createUserAgent(sut.origin).fetch('/api/v1/auth/session', { headers })
      expect(await read.json()).toMatchObject({ authenticated: true })
    }
    expect((await post({}, agent)).status).toBe(200)
  })

  it('rejects invalid requests for tokens', async () => {
    const { fetch } = await person()
    const post = async (body: string, headers: Record<string, string> = {}) => {
      const init = { 'content-type': 'application/json', ...headers }
      return (await fetch(TOKEN_PATH, { method: 'POST', body, headers: init })).status
    }
    const input = JSON.stringify({ audience: AUDIENCE })
    expect(await post('{')).toBe(400)
    expect(await post(input, { origin: 'https://evil.example' })).toBe(403)
    expect(await post(`{"x":"${'x'.repeat(17_000)}"}`)).toBe(413)
    expect(await post('{}')).toBe(422)
    const { path, init } = form('token', `audience=${encodeURIComponent(AUDIENCE)}`)
    expect((await fetch(path, init)).status).toBe(415)
  })

  it('starts a sign-in, or says where to sign in instead', async () => {
    const { client, fetch } = stranger()
    const { path, init } = form('signin', 'redirectTo=/')
    if (isInteractive) {
      expect((await client.signin()).started).toBe(true)
      expect((await fetch(path, init)).status).toBe(303)
      return
    }
    for (const attempt of [() => client.signin(), () => callback(client, fetch)]) {
      await expect(attempt()).rejects.toMatchObject({
        code: 'AUTH_PROVIDER_ERROR',
        status: 502,
        message: expect.stringContaining(name) as string,
      })
    }
    expect((await fetch(path, init)).status).toBe(502)
    expect((await fetch('/api/v1/auth/callback/local?code=x&state=y')).status).toBe(502)
    expect((await fetch('/api/v1/auth/logout?ticket=x')).status).toBe(502)
    expect((await fetch('/api/v1/auth/logged-out?state=x')).status).toBe(502)
  })

  /** Opens the callback and returns the problem as the error that the client throws. */
  async function callback(
    _client: AuthClient,
    fetch: ReturnType<typeof stranger>['fetch'],
  ): Promise<void> {
    const response = await fetch('/api/v1/auth/callback?code=x&state=y')
    const { code, detail, status } = (await response.json()) as Record<string, string>
    throw Object.assign(new Error(detail), { code, status })
  }

  it.each(['signin', 'signout'])('rejects invalid requests to %s', async (route) => {
    const { fetch } = stranger()
    const post = (body: string, headers: Record<string, string>) =>
      fetch(`/api/v1/auth/${route}`, { method: 'POST', body, headers })
    const json = { 'content-type': 'application/json' }
    const answers = [
      await post('{', json),
      await post('{}', { ...json, origin: 'https://evil.example' }),
      await post(`{"x":"${'x'.repeat(17_000)}"}`, json),
      await post('x', { 'content-type': 'text/plain', origin: sut.origin }),
      await post('{"redirectTo":1}', json),
    ]
    expect(answers.map(({ status }) => status)).toEqual([400, 403, 413, 415, 422])
    const elsewhere = await post('{"redirectTo":"https://evil.example"}', json)
    expect(elsewhere.status).toBe(isInteractive || route === 'signout' ? 422 : 502)
  })

  it('accepts logout tokens of its provider, or says that it does not support them', async () => {
    const { fetch } = stranger()
    const { path, init } = form('backchannel-logout', 'logout_token=forged')
    expect((await fetch(path, init)).status).toBe(isInteractive ? 400 : 501)
    const huge = { ...init, body: `logout_token=${'x'.repeat(17_000)}` }
    expect((await fetch(path, huge)).status).toBe(413)
    const json = { ...init, headers: { 'content-type': 'application/json' } }
    expect((await fetch(path, { ...json, body: '{"logout_token":"x"}' })).status).toBe(415)
  })

  it('rejects unsolicited callbacks and sign-outs', async () => {
    const { fetch } = stranger()
    const tooLong = `logged-out?state=${'x'.repeat(513)}`
    for (const route of [
      'callback?code=x&code=y',
      'callback/local?code=x&code=y',
      'logout',
      tooLong,
    ]) {
      expect((await fetch(`/api/v1/auth/${route}`)).status).toBe(422)
    }
    if (!isInteractive) return
    const routes = ['callback?code=x&state=y', 'callback/local?code=x&state=y']
    for (const route of [...routes, 'logout?ticket=x']) {
      expect((await fetch(`/api/v1/auth/${route}`)).status).toBe(400)
    }
    expect((await fetch('/api/v1/auth/logged-out?state=x')).status).toBe(303)
  })

  it('redirects a form after signing out', async () => {
    const { client, fetch } = await person()
    const { path, init } = form('signout', 'everywhere=true')
    const response = await fetch(path, init)
    expect(response.status).toBe(303)
    expect(await client.me()).toEqual({ authenticated: false })
  })

  it('ends all sessions of the user and no other when told to', async () => {
    const [other, { client }] = [await person(), await person()]
    await client.signout({ everywhere: true })
    expect((await other.client.me()).authenticated).toBe(true)
  })

  it('shows users their sessions and lets them end those, and only those', async () => {
    const [alice, bob] = [await person(), await person()]
    const idOf = async ({ client }: typeof alice): Promise<string> => {
      const answer = await client.session()
      return answer.authenticated ? answer.session.id : ''
    }
    const list = async ({ fetch }: typeof alice) => {
      const response = await fetch('/api/v1/auth/sessions')
      return (await response.json()) as {
        sessions: { current: boolean; session: { id: string } }[]
      }
    }
    const remove = async ({ fetch }: typeof alice, path = '') => {
      const headers = { origin: sut.origin }
      const response = await fetch(`/api/v1/auth/sessions${path}`, { method: 'DELETE', headers })
      return response.status
    }
    expect((await list(alice)).sessions).toMatchObject([
      { current: true, session: { id: await idOf(alice) } },
    ])
    expect(await remove(alice, `/${await idOf(bob)}`)).toBe(404)
    expect(await remove(alice, '/unknown')).toBe(404)
    expect(await remove(alice, `/${'x'.repeat(300)}`)).toBe(422)
    expect((await bob.client.me()).authenticated).toBe(true)
    expect(await remove(alice)).toBe(200)
    expect((await alice.client.me()).authenticated).toBe(true)
    expect(await remove(alice, `/${await idOf(alice)}`)).toBe(200)
    expect(await alice.client.me()).toEqual({ authenticated: false })
    for (const path of ['', '/unknown']) expect(await remove(alice, path)).toBe(401)
    expect((await stranger().fetch('/api/v1/auth/sessions')).status).toBe(401)
    for (const query of ['limit=0', 'limit=x', 'limit=1&limit=2']) {
      expect((await alice.fetch(`/api/v1/auth/sessions?${query}`)).status, query).toBe(422)
    }
    for (const path of ['', '/unknown']) {
      const url = `/api/v1/auth/sessions${path}`
      const init = { method: 'DELETE', headers: { origin: 'https://evil.example' } }
      expect((await bob.fetch(url, init)).status).toBe(403)
    }
  })

  it('is a problem, never anonymous, while a dependency is unavailable, and recovers', async () => {
    const { agent, restore } = await sut.outage()
    const { client } = watched(sut.origin, agent)
    for (const ask of [() => client.me(), () => client.session()]) {
      await expect(ask()).rejects.toMatchObject({ status: 503, retryAfterSeconds: 2 })
    }
    for (const [path, method] of ACCOUNT_ROUTES) {
      const answer = await agent.fetch(path, { method, headers: { origin: sut.origin } })
      expect(answer.status).toBe(503)
      await checkDeclared(method, `${sut.origin}${path}`, answer)
    }
    await expect(client.token({ audience: AUDIENCE })).rejects.toMatchObject({ status: 503 })
    await expect(client.signout()).rejects.toMatchObject({
      status: expect.toBeOneOf([502, 503]) as number,
    })
    expect((await stranger().fetch('/health/ready')).status).toBe(503)
    expect((await stranger().fetch('/health/live')).status).toBe(200)
    await restore()
    expect((await stranger().fetch('/health/ready')).status).toBe(200)
    expect(await stranger().client.me()).toEqual({ authenticated: false })
  })

  it('says so when the session cannot be ended at the provider', async () => {
    if (!sut.signOutFailure) return
    const { client } = await person()
    const restore = sut.signOutFailure()
    await expect(client.signout()).rejects.toMatchObject({ status: 502 })
    restore()
    await client.signout()
  })
})

describe.each(['callback', 'callback/local'])('the redirect flow on kv-oauth by %s', (path) => {
  let sut: BackendUnderTest
  beforeAll(async () => {
    sut = await startKvOAuth(`/api/v1/auth/${path}`)
  })
  afterAll(() => sut.close())
  const browser = () => watched(sut.origin, createUserAgent(sut.origin))

  it('completes for a browser and for an API client', async () => {
    const { client, fetch } = browser()
    const one = await completeLogin((await client.signin()).redirectUrl, { login: 'ada' })
    expect((await fetch(one)).status).toBe(303)
    const two = await completeLogin((await client.signin()).redirectUrl, { login: 'ada' })
    expect((await fetch(two, { headers: { accept: 'application/json' } })).status).toBe(200)
    const { logoutUrl } = await client.signout()
    const leaving = await fetch(logoutUrl ?? '')
    expect(leaving.status).toBe(303)
    const state = new URL(leaving.headers.get('location') ?? '').searchParams.get('state')
    expect((await fetch(`/api/v1/auth/logged-out?state=${state}`)).status).toBe(303)
  })

  it('is a problem while the store is unavailable, and loses nothing', async () => {
    const { client, fetch } = browser()
    const signIn = async () =>
      fetch(await completeLogin((await client.signin()).redirectUrl, { login: 'grace' }))
    await signIn()
    const { logoutUrl: toProvider = '' } = await client.signout()
    const left = new URL((await fetch(toProvider)).headers.get('location') ?? '')
    const back = `/api/v1/auth/logged-out?state=${left.searchParams.get('state')}`
    await signIn()
    const { logoutUrl = '' } = await client.signout()
    const callback = await completeLogin((await client.signin()).redirectUrl, { login: 'grace' })

    const { restore } = await sut.outage()
    await expect(client.signin()).rejects.toMatchObject({ status: 503 })
    for (const url of [callback, logoutUrl, back]) expect((await fetch(url)).status).toBe(503)
    await restore()
    for (const url of [callback, logoutUrl, back]) expect((await fetch(url)).status).toBe(303)
  })

  it('rejects declined sign-ins, disabled users, and codes that the provider rejects', async () => {
    const { client, fetch } = browser()
    const start = async () => (await client.signin()).redirectUrl
    const declined = await completeLogin(await start(), { login: 'ada', deny: true })
    expect((await fetch(declined)).status).toBe(403)
    const forged = new URL(await completeLogin(await start(), { login: 'ada' }))
    forged.searchParams.set('code', 'forged')
    expect((await fetch(forged.href)).status).toBe(502)
    await sut.disableUsers?.()
    const disabled = await completeLogin(await start(), { login: 'ada' })
    expect((await fetch(disabled)).status).toBe(403)
  })
})

describe('the contract as a whole', () => {
  it('has one shape on all backends', () => {
    expect(shapes.size).toBe(NAMES.length)
    const [first] = shapes.values()
    for (const shape of shapes.values()) expect(shape).toEqual(first)
  })
})

/** The members that every caller may rely on, with their types. */
function shapeOf(me: MeResponse): unknown {
  if (!me.authenticated) return undefined
  const { user, session } = me
  const types = (value: object, optional: readonly string[]): unknown =>
    Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !optional.includes(key))
        .map(([key, member]) => [key, Array.isArray(member) ? 'array' : typeof member])
        .sort(([a = ''], [b = '']) => a.localeCompare(b)),
    )
  return {
    user: types(user, ['email', 'emailVerified', 'imageUrl', 'claims']),
    session: types(session, ['refreshedAt', 'revokedAt']),
  }
}
