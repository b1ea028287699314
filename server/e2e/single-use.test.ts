import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completeLogin, completeLogout } from './support/oidc-login.js'
import { startTestService, type TestService } from './support/service.js'
import { me, startSignIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

/** Headers of browsers that fetch an address before the user opens it. */
const PREFETCHES: readonly Readonly<Record<string, string>>[] = [
  { 'sec-purpose': 'prefetch' },
  { 'sec-purpose': 'prefetch;prerender' },
  { 'sec-purpose': 'prefetch;anonymous-client-ip' },
  { 'Sec-Purpose': 'PREFETCH' },
  { purpose: 'prefetch' },
  { 'x-purpose': 'preview' },
  { 'x-moz': 'prefetch' },
]

describe('a single-use URL', () => {
  let service: TestService
  beforeAll(async () => {
    service = await startTestService()
  })
  afterAll(() => service.close())

  /** Requests that fetch the URL without opening it, which must not consume it. */
  async function touch(agent: UserAgent, url: string): Promise<void> {
    for (const accept of ['*/*', 'text/html', 'application/json']) {
      const head = await agent.fetch(url, { method: 'HEAD', headers: { accept } })
      expect(head.status, `HEAD ${url}`).toBe(200)
      expect(head.headers.get('cache-control')).toBe('no-store')
      expect(head.headers.getSetCookie()).toEqual([])
      expect(head.headers.get('location')).toBeNull()
      for (const prefetch of PREFETCHES) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await agent.fetch(url, { method, headers: { ...prefetch, accept } })
          const what = `${method} ${url} with ${JSON.stringify(prefetch)}`
          expect(answer.status, what).toBe(503)
          expect(answer.headers.get('cache-control'), what).toBe('no-store')
          expect(answer.headers.getSetCookie(), what).toEqual([])
          expect(answer.headers.get('location'), what).toBeNull()
        }
      }
    }
  }

  it('is still valid after HEAD and prefetches: callback, logout and logged-out', async () => {
    const agent = createUserAgent(service.origin)
    const { redirectUrl } = await startSignIn(agent, { redirectTo: '/after' })
    const callback = await completeLogin(redirectUrl, { login: 'ada' })
    await touch(agent, callback)
    expect((await me(agent)).authenticated).toBe(false)
    expect((await agent.fetch(callback)).headers.get('location')).toBe(`${service.origin}/after`)
    expect((await me(agent)).user.displayName).toBe('Ada Lovelace')

    const signedOut = await agent.post('/api/v1/auth/signout', { redirectTo: '/bye' })
    const { logoutUrl } = (await signedOut.json()) as { logoutUrl: string }
    await touch(agent, logoutUrl)
    const leaving = await agent.fetch(logoutUrl)
    expect(leaving.status).toBe(303)
    const loggedOut = await completeLogout(leaving.headers.get('location') ?? '')
    await touch(agent, loggedOut)
    expect((await agent.fetch(loggedOut)).headers.get('location')).toBe(`${service.origin}/bye`)
  })

  it('does not use up the limit of callbacks by HEAD and prefetches', async () => {
    const limited = await service.startAnother({ NETSCRIPT_AUTH_RATE_LIMIT: '20' })
    const url = `${limited.url}/api/v1/auth/callback?code=a&state=b`
    await touch(createUserAgent(limited.url), url)
    expect((await fetch(url)).status).toBe(400)
  })

  it('answers other headers of the kind as it answers none', async () => {
    const url = `${service.origin}/api/v1/auth/callback?code=a&state=b`
    for (const headers of [{ purpose: 'x' }, { 'sec-purpose': 'noprefetching' }, { 'x-moz': '' }]) {
      expect((await fetch(url, { headers })).status).toBe(400)
    }
    const read = await fetch(`${service.origin}/api/v1/auth/me`, {
      headers: { 'sec-purpose': 'prefetch' },
    })
    expect(read.status).toBe(200)
  })
})
