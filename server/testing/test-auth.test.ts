import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { createAuthClient } from '@netscript/auth-client'
import {
  checkRecentAuth,
  createSessionAuthenticator,
  createTokenAuthenticator,
} from '@netscript/auth-guard'
import { createAuthListener } from '../adapters/node.js'
import { createTestAuth } from './index.js'

const clientOf = ({ fetch }: { fetch: typeof globalThis.fetch }) => createAuthClient({ fetch })
const HOUR = 60 * 60_000

describe('signInAs', () => {
  it('signs in a user as given; the client, the guard and the kit see the same one', async () => {
    const auth = await createTestAuth()
    const ada = await auth.signInAs({
      ...{ id: 'u1', name: 'Ada', email: 'ada@example.com', acr: 'mfa' },
      ...{ roles: ['clerk'], scopes: ['orders:read'], claims: { team: 'red' } },
    })
    const me = await clientOf(ada).me()
    expect(me).toMatchObject({
      authenticated: true,
      user: { id: 'u1', displayName: 'Ada', email: 'ada@example.com', emailVerified: true },
      session: { roles: ['clerk'], scopes: ['orders:read'], acr: 'mfa', userId: 'u1' },
    })
    expect(me).toEqual({ authenticated: true, user: ada.user, session: ada.session })
    const guard = createSessionAuthenticator({ baseUrl: auth.origin, fetch: auth.fetch })
    const request = { headers: { cookie: ada.cookie } }
    const who = await guard.authenticate(request)
    expect(who).toMatchObject({
      ok: true,
      principal: { subject: 'u1', roles: ['clerk'], claims: { team: 'red', acr: 'mfa' } },
    })
    expect(await auth.authenticator.authenticate(request)).toEqual(who)
  })

  it('keeps users apart, and opens another session for the same one', async () => {
    const auth = await createTestAuth()
    const [ada, grace] = [
      await auth.signInAs({ name: 'Ada' }),
      await auth.signInAs({ name: 'Grace' }),
    ]
    const again = await auth.signInAs({ name: 'Ada', roles: ['clerk'] })
    expect(grace.user.id).not.toBe(ada.user.id)
    expect(again.user.id).toBe(ada.user.id)
    expect(again.cookie).not.toBe(ada.cookie)
    const { sessions } = await clientOf(ada).sessions()
    expect(sessions.map(({ session }) => session.roles)).toEqual([['clerk'], ['clerk']])
  })

  it('shares nothing with another instance', async () => {
    const [one, other] = [await createTestAuth(), await createTestAuth()]
    const { cookie } = await one.signInAs()
    const response = await other.fetch('/api/v1/auth/me', { headers: { cookie } })
    expect(await response.json()).toEqual({ authenticated: false })
  })
})

describe('sessions end', () => {
  it.each<[string, string | number, boolean]>([
    ['not just before the idle limit', 30 * 60_000 - 5_000, true],
    ['after the idle limit', '31m', false],
  ])('%s', async (_when, time, authenticated) => {
    const auth = await createTestAuth({ idleTimeout: '30m' })
    const ada = await auth.signInAs()
    auth.clock.advance(time as '31m')
    expect(await clientOf(ada).me()).toMatchObject({ authenticated })
  })

  it('at the absolute limit, although they are used', async () => {
    const auth = await createTestAuth({ idleTimeout: '1h', absoluteTimeout: '2h' })
    const ada = await auth.signInAs()
    for (const authenticated of [true, true, false]) {
      auth.clock.advance(0.9 * HOUR)
      expect(await clientOf(ada).me(), String(authenticated)).toMatchObject({ authenticated })
    }
  })

  it('with revoke and revokeAll, which end no others', async () => {
    const auth = await createTestAuth()
    const [ada, twice, grace] = [
      await auth.signInAs({ name: 'Ada' }),
      await auth.signInAs({ name: 'Ada' }),
      await auth.signInAs({ name: 'Grace' }),
    ]
    expect(await ada.revoke()).toBe(true)
    expect(await ada.revoke()).toBe(false)
    expect(await clientOf(ada).me()).toEqual({ authenticated: false })
    expect(await clientOf(twice).me()).toMatchObject({ authenticated: true })
    expect(await auth.revokeAll(twice.user.id)).toBe(1)
    expect(await clientOf(twice).me()).toEqual({ authenticated: false })
    expect(await clientOf(grace).me()).toMatchObject({ authenticated: true })
  })

  it('with revoke after a step-up, which replaced the session', async () => {
    const auth = await createTestAuth()
    const ada = await auth.signInAs({ name: 'Ada' })
    auth.answerSignIns({ name: 'Ada' })
    const { redirectUrl } = await clientOf(ada).signin({ maxAge: 0 })
    const before = ada.cookie
    await ada.open(redirectUrl)
    expect(ada.cookie).not.toBe(before)
    expect(await ada.revoke()).toBe(true)
    expect(await clientOf(ada).me()).toEqual({ authenticated: false })
  })

  it('with a sign-out, which takes the cookie from the browser', async () => {
    const ada = await (await createTestAuth()).signInAs()
    await clientOf(ada).signout()
    expect(ada.cookie).toBe('')
    expect(await clientOf(ada).me()).toEqual({ authenticated: false })
  })

  it('when the date is faked', async () => {
    const ada = await (await createTestAuth({ idleTimeout: '30m' })).signInAs()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31 * 60_000 })
    try {
      expect(await clientOf(ada).me()).toEqual({ authenticated: false })
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('advance', () => {
  it('makes a sign-in too old for a guard and for the API', async () => {
    const auth = await createTestAuth()
    const ada = await auth.signInAs()
    const refusal = async () => {
      const who = await auth.authenticator.authenticate({ headers: { cookie: ada.cookie } })
      return who.ok ? checkRecentAuth(who.principal, { maxAge: 300 })?.problem.code : who.reason
    }
    expect(await refusal()).toBeUndefined()
    auth.clock.advance('6m')
    expect(await refusal()).toBe('AUTH_RECENT_SIGN_IN_REQUIRED')
    await expect(clientOf(ada).deleteUser()).rejects.toMatchObject({
      code: 'AUTH_RECENT_SIGN_IN_REQUIRED',
    })
  })

  it('lets a started sign-in expire', async () => {
    const auth = await createTestAuth()
    const browser = auth.browser()
    const { redirectUrl } = await clientOf(browser).signin()
    auth.clock.advance('11m')
    await browser.open(redirectUrl)
    expect(await clientOf(browser).me()).toEqual({ authenticated: false })
  })

  it.each(['soon', '5', '-1m', -1, NaN, Infinity])('rejects %s', async (duration) => {
    const { clock } = await createTestAuth()
    expect(() => clock.advance(duration as number)).toThrow(TypeError)
  })
})

describe('tokens', () => {
  it('are verified by a service with the keys of the API', async () => {
    const auth = await createTestAuth()
    const ada = await auth.signInAs({ id: 'u1', roles: ['clerk'], scopes: ['orders:read'] })
    const audience = 'https://orders.example'
    const guard = (audience: string) =>
      createTokenAuthenticator({ issuer: auth.origin, audience, fetch: auth.fetch })
    const request = { headers: { authorization: `Bearer ${await ada.token({ audience })}` } }
    expect(await guard(audience).authenticate(request)).toMatchObject({
      ok: true,
      principal: { subject: 'u1', roles: ['clerk'], scopes: ['orders:read'], scheme: 'bearer' },
    })
    expect(await guard('https://other.example').authenticate(request)).toMatchObject({ ok: false })
  })

  it('are not issued for a session that has ended', async () => {
    const ada = await (await createTestAuth()).signInAs()
    await ada.revoke()
    await expect(ada.token({ audience: 'https://orders.example' })).rejects.toThrow(/Sign in first/)
  })
})

describe('a sign-in that a page starts', () => {
  const signIn = async (auth: Awaited<ReturnType<typeof createTestAuth>>) => {
    const browser = auth.browser()
    const visited: string[] = []
    const client = createAuthClient({
      fetch: browser.fetch,
      navigate: (url) => void visited.push(url),
    })
    await client.redirectToSignIn({ redirectTo: '/orders?open=1' })
    const [address = ''] = visited
    return { client, browser, arrived: await browser.open(address) }
  }

  it('ends at its return target as the chosen user', async () => {
    const auth = await createTestAuth()
    auth.answerSignIns({ name: 'Grace', roles: ['clerk'] })
    const { client, arrived } = await signIn(auth)
    expect(arrived).toBe('http://localhost:3000/orders?open=1')
    expect(await client.me()).toMatchObject({
      user: { displayName: 'Grace' },
      session: { roles: ['clerk'] },
    })
  })

  it('is declined where the test says so', async () => {
    const auth = await createTestAuth()
    auth.answerSignIns('denied')
    const { client, browser, arrived } = await signIn(auth)
    expect(new URL(arrived).pathname).toBe('/api/v1/auth/callback')
    expect(await client.me()).toEqual({ authenticated: false })
    expect(browser.cookie).toBe('')
  })

  it.each<[string | undefined, boolean]>([
    ['mfa', true],
    [undefined, false],
  ])('confirms the class of the user: %s', async (acr, stepsUp) => {
    const auth = await createTestAuth()
    const ada = await auth.signInAs({ name: 'Ada' })
    auth.answerSignIns({ name: 'Ada', ...(acr !== undefined && { acr }) })
    const { redirectUrl } = await clientOf(ada).signin({ acrValues: ['mfa'], redirectTo: '/' })
    const arrived = await ada.open(redirectUrl)
    expect(arrived === 'http://localhost:3000/').toBe(stepsUp)
    const me = await clientOf(ada).session()
    expect(me.authenticated && me.session.acr).toBe(acr)
  })
})

describe('fetch', () => {
  it('is the engine: origins, bodies and unknown routes are refused', async () => {
    const { fetch } = await createTestAuth()
    const post = (init: RequestInit) => fetch('/api/v1/auth/signin', { method: 'POST', ...init })
    expect((await post({ headers: { origin: 'https://evil.example' } })).status).toBe(403)
    const json = { 'content-type': 'application/json' }
    expect((await post({ headers: json, body: '{"redirectTo":5}' })).status).toBe(422)
    expect((await post({ headers: json, body: JSON.stringify('x'.repeat(20_000)) })).status).toBe(
      413,
    )
    expect((await fetch('/api/v1/auth/none')).status).toBe(404)
  })

  it.each<[string, (fetch: typeof globalThis.fetch) => Promise<Response>]>([
    ['a URL', (fetch) => fetch(new URL('http://localhost:3000/api/v1/auth/me'))],
    ['a URL on another host', (fetch) => fetch('https://auth.example/api/v1/auth/me')],
    ['a Request', (fetch) => fetch(new Request('http://localhost/api/v1/auth/me'))],
    [
      'a Request with a body',
      (fetch) =>
        fetch(
          new Request('http://localhost/api/v1/auth/signin', {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: '{"redirectTo":"/orders"}',
          }),
        ),
    ],
  ])('takes %s', async (_what, send) => {
    const ada = await (await createTestAuth()).signInAs()
    const body = await (await send(ada.fetch)).json()
    expect(body.authenticated ?? body.started).toBe(true)
  })

  it('rejects when it is aborted', async () => {
    const { fetch } = await createTestAuth()
    const signal = AbortSignal.abort()
    await expect(fetch('/api/v1/auth/me', { signal })).rejects.toThrow(/aborted/)
  })
})

describe('a served app', () => {
  it('takes the cookie, as the engine sends it', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const origin = `http://localhost:${(server.address() as AddressInfo).port}`
    const auth = await createTestAuth({ origin })
    server.on('request', createAuthListener(auth.options))
    try {
      const ada = await auth.signInAs({ name: 'Ada' })
      const me = await fetch(`${origin}/api/v1/auth/me`, { headers: { cookie: ada.cookie } })
      expect(await me.json()).toMatchObject({ user: { displayName: 'Ada' } })

      const { redirectUrl } = await clientOf(auth.browser()).signin()
      expect(redirectUrl.startsWith(`${origin}/api/v1/auth/callback?`)).toBe(true)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('gets a storageState with the attributes that the API sets', async () => {
    const auth = await createTestAuth({ absoluteTimeout: '1h' })
    const browser = auth.browser()
    const { redirectUrl } = await clientOf(browser).signin()
    const callback = await browser.fetch(redirectUrl)
    const line = callback.headers.getSetCookie().find((one) => one.startsWith('__Host-ns_session='))
    const ada = await auth.signInAs()
    const [cookie, ...others] = ada.storageState('http://localhost:4000').cookies
    expect(others).toEqual([])
    const { name, value, domain, path, httpOnly, secure, sameSite, expires } = cookie!
    expect(`${name}=${value}`).toBe(ada.cookie)
    const attributes = [
      ...[`Path=${path}`, 'Max-Age=3600'],
      ...[httpOnly && 'HttpOnly', `SameSite=${sameSite}`, secure && 'Secure'],
    ]
    expect(line?.split('; ').slice(1)).toEqual(attributes)
    expect(domain).toBe('localhost')
    expect(Math.abs(expires - (Date.now() + HOUR) / 1000)).toBeLessThan(5)
  })
})
