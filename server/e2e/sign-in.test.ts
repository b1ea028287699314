import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completeLogin } from './support/oidc-login.js'
import { SESSION_COOKIE, signIn, startSignIn } from './support/sign-in.js'
import { startTestService, type TestService } from './support/service.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const SESSION = SESSION_COOKIE

describe('sign-in over HTTP', () => {
  let service: TestService
  beforeAll(async () => {
    service = await startTestService()
  })
  afterAll(() => service.close())

  const newAgent = (): UserAgent => createUserAgent(service.origin)

  it('goes from anonymous to signed in to signed out', async () => {
    const agent = newAgent()
    const before = await agent.fetch('/api/v1/auth/me')
    expect(before.status).toBe(200)
    expect(await before.text()).toBe('{"authenticated":false}')

    const { redirectUrl, state } = await startSignIn(agent, { redirectTo: '/welcome' })
    const request = new URL(redirectUrl).searchParams
    expect(Object.fromEntries(request)).toMatchObject({
      response_type: 'code',
      response_mode: 'query',
      code_challenge_method: 'S256',
      state,
    })
    const callback = await agent.fetch(await completeLogin(redirectUrl, { login: 'ada' }))
    expect(callback.status).toBe(303)
    expect(callback.headers.get('location')).toBe(`${service.origin}/welcome`)
    expect(callback.headers.get('referrer-policy')).toBe('no-referrer')
    expect(Object.keys(await agent.cookies('/'))).toEqual([SESSION])
    const set = callback.headers.getSetCookie().find((line) => line.startsWith(SESSION))
    expect(set).toMatch(/; Path=\/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure$/)

    const me = (await (await agent.fetch('/api/v1/auth/me')).json()) as Record<string, never>
    expect(me).toMatchObject({
      authenticated: true,
      user: { displayName: 'Ada Lovelace', email: 'ada@example.test', emailVerified: true },
      session: { state: 'active', providerId: 'local' },
    })
    const token = (await agent.cookies('/'))[SESSION] ?? ''
    expect(JSON.stringify(me)).not.toContain(token.split('.')[0])
    const session = (await (await agent.fetch('/api/v1/auth/session')).json()) as object
    expect(session).toEqual({ authenticated: true, session: me.session })

    const signout = await agent.post('/api/v1/auth/signout', {})
    expect(signout.status).toBe(200)
    const body = (await signout.json()) as { signedOut: boolean; logoutUrl: string }
    expect(body.signedOut).toBe(true)
    expect(await agent.cookies('/')).not.toHaveProperty(SESSION)
    const stolen = { headers: { cookie: `${SESSION}=${token}` } }
    expect(await (await agent.fetch('/api/v1/auth/me', stolen)).json()).toEqual({
      authenticated: false,
    })
    expect((await agent.post('/api/v1/auth/signout', {})).status).toBe(200)
  })

  it('signs out at the provider through a ticket that works once, in this browser', async () => {
    const agent = newAgent()
    await signIn(agent)
    const response = await agent.post('/api/v1/auth/signout', { redirectTo: '/bye' })
    const { logoutUrl, redirectTo } = (await response.json()) as {
      logoutUrl: string
      redirectTo: string
    }
    expect(redirectTo).toBe(`${service.origin}/bye`)
    expect(logoutUrl).not.toMatch(/id_token|eyJ/)
    expect((await newAgent().fetch(logoutUrl)).status).toBe(400)
    const toProvider = await agent.fetch(logoutUrl)
    expect(toProvider.status).toBe(303)
    const endSession = new URL(toProvider.headers.get('location') ?? '')
    expect(endSession.origin).toBe(service.provider.issuer)
    expect(endSession.searchParams.get('client_id')).toBe('test-client')
    expect(endSession.searchParams.get('id_token_hint')).toBeTruthy()
    const state = endSession.searchParams.get('state') ?? ''
    expect((await agent.fetch(logoutUrl)).status).toBe(400)
    const back = `/api/v1/auth/logged-out?state=${state}`
    const goesTo = async (browser: UserAgent) => (await browser.fetch(back)).headers.get('location')
    // The user is signed out either way, so an invalid state redirects to the front page.
    expect(await goesTo(newAgent())).toBe(`${service.origin}/`)
    expect(await goesTo(agent)).toBe(`${service.origin}/bye`)
    expect(await goesTo(agent)).toBe(`${service.origin}/`)
  })

  it('answers JSON when asked to, and never a token in a body', async () => {
    const agent = newAgent()
    const { redirectUrl } = await startSignIn(agent)
    const url = await completeLogin(redirectUrl, { login: 'grace' })
    const response = await agent.fetch(url, { headers: { accept: 'application/json' } })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      completed: true,
      redirectTo: `${service.origin}/`,
      subject: 'grace',
    })
  })

  it('keeps flows in several tabs apart', async () => {
    const agent = newAgent()
    const [one, two] = [
      await startSignIn(agent, { redirectTo: '/1' }),
      await startSignIn(agent, { redirectTo: '/2' }),
    ]
    const second = await agent.fetch(await completeLogin(two.redirectUrl, { login: 'ada' }))
    const first = await agent.fetch(await completeLogin(one.redirectUrl, { login: 'ada' }))
    expect(second.headers.get('location')).toBe(`${service.origin}/2`)
    expect(first.headers.get('location')).toBe(`${service.origin}/1`)
  })

  it('keeps at most five open flows in a browser', async () => {
    const agent = newAgent()
    for (let flow = 0; flow < 8; flow += 1) await startSignIn(agent)
    expect(Object.keys(await agent.cookies('/'))).toHaveLength(5)
    expect((await signIn(agent)).status).toBe(303)
  })

  it('redirects a stale callback to the front page when a user is signed in, and sets no cookie', async () => {
    const agent = newAgent()
    const { redirectUrl } = await startSignIn(agent)
    const url = await completeLogin(redirectUrl, { login: 'ada' })
    await agent.fetch(url)
    const again = await agent.fetch(url)
    expect(again.status).toBe(303)
    expect(again.headers.get('location')).toBe(`${service.origin}/`)
    expect(again.headers.getSetCookie()).toEqual([])
    const stranger = await newAgent().fetch(url)
    expect(stranger.status).toBe(400)
    expect(await stranger.json()).toMatchObject({ code: 'AUTH_TRANSACTION_MISSING' })
  })

  it('lets exactly one of fifty concurrent callbacks succeed', async () => {
    const agent = newAgent()
    const { redirectUrl } = await startSignIn(agent)
    const url = await completeLogin(redirectUrl, { login: 'ada' })
    const headers = { cookie: await agent.jar.getCookieString(url.replace('http:', 'https:')) }
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => fetch(url, { redirect: 'manual', headers })),
    )
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 303)).toHaveLength(1)
    expect(statuses.filter((status) => status === 400)).toHaveLength(49)
  })

  it('ends the session that the browser brought', async () => {
    const agent = newAgent()
    await signIn(agent, 'ada')
    const old = (await agent.cookies('/'))[SESSION]
    await signIn(agent, 'grace')
    const stale = { headers: { cookie: `${SESSION}=${old}` } }
    expect(await (await agent.fetch('/api/v1/auth/me', stale)).json()).toEqual({
      authenticated: false,
    })
  })

  it('recognizes a returning user, with or without an e-mail address', async () => {
    const ids = async (login: string): Promise<unknown[]> => {
      const seen: unknown[] = []
      for (let visit = 0; visit < 2; visit += 1) {
        const agent = newAgent()
        await signIn(agent, login)
        const me = (await (await agent.fetch('/api/v1/auth/me')).json()) as { user: { id: string } }
        seen.push(me.user.id)
      }
      return seen
    }
    for (const { id } of service.provider.accounts) {
      const [first, second] = await ids(id)
      expect(first).toBeTruthy()
      expect(second).toBe(first)
    }
  })

  it('consumes the transaction of a declined sign-in and reports it', async () => {
    const agent = newAgent()
    const { redirectUrl } = await startSignIn(agent)
    const url = await completeLogin(redirectUrl, { login: 'ada', deny: true })
    const declined = await agent.fetch(url)
    expect(declined.status).toBe(403)
    expect(await declined.json()).toMatchObject({ code: 'AUTH_ACCESS_DENIED' })
    expect(await agent.cookies('/')).toEqual({})
    expect((await agent.fetch(url)).status).toBe(400)
  })

  it('completes on another process, and signs out for all of them', async () => {
    const another = await service.startAnother()
    const agent = newAgent()
    const { redirectUrl } = await startSignIn(agent)
    const url = new URL(await completeLogin(redirectUrl, { login: 'ada' }))
    const elsewhere = `${another.url}${url.pathname}${url.search}`
    const headers = {
      cookie: await agent.jar.getCookieString(service.origin.replace('http:', 'https:')),
    }
    const callback = await fetch(elsewhere, { redirect: 'manual', headers })
    expect(callback.status).toBe(303)
    const cookie = callback.headers
      .getSetCookie()
      .find((line) => line.startsWith(SESSION))
      ?.split(';')[0]
    const asked = { headers: { cookie: cookie ?? '' } }
    expect(await (await fetch(`${service.origin}/api/v1/auth/me`, asked)).json()).toMatchObject({
      authenticated: true,
    })
    const signout = await fetch(`${another.url}/api/v1/auth/signout`, {
      method: 'POST',
      headers: { cookie: cookie ?? '', 'content-type': 'application/json' },
      body: '{}',
    })
    expect(signout.status).toBe(200)
    expect(await (await fetch(`${service.origin}/api/v1/auth/me`, asked)).json()).toEqual({
      authenticated: false,
    })
  })

  it('logs no secret', async () => {
    const agent = newAgent()
    const { redirectUrl, state } = await startSignIn(agent)
    const url = new URL(await completeLogin(redirectUrl, { login: 'ada' }))
    await agent.fetch(url.href)
    await agent.fetch('/api/v1/auth/me', { headers: { 'x-request-id': 'find-me' } })
    const text = service.log.join('')
    expect(text).toContain('"requestId":"find-me"')
    expect(text).toContain('signed in')
    const token = (await agent.cookies('/'))[SESSION] ?? ''
    const secrets = [state, url.searchParams.get('code') ?? '', ...token.split('.'), 'eyJ', 'ada@']
    for (const secret of secrets) expect(text).not.toContain(secret)
  })
})
