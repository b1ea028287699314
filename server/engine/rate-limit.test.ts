import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { AuthBackendPort, AuthProviderRegistryPort } from '../../backends/port.js'
import { createAuthApp } from '../adapters/express.js'
import { createLogger } from '../log.js'
import { createRateLimiter, type RateLimiter, type RateLimitOptions } from './rate-limit.js'

const ORIGIN = 'https://auth.example'

const providers = [{ id: 'google', displayName: 'Google', kind: 'oidc' as const }]
const registry: AuthProviderRegistryPort = {
  listProviders: () => providers,
  getProvider: (id) => providers.find((provider) => provider.id === id),
}

describe('the budgets of a client', () => {
  const PER_MINUTE = 10
  const link = (n: number): string => `2001:db8:1:${n.toString(16)}::1`

  async function passing(
    limiter: RateLimiter,
    addresses: readonly string[],
    route = 'callback',
  ): Promise<number> {
    let passed = 0
    for (const address of addresses) {
      if ((await limiter.charge(route, address)).refusedBy === undefined) passed += 1
    }
    return passed
  }

  it.each([
    ['one IPv4 address', ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201'], 1],
    ['IPv4 addresses beside each other', ['192.0.2.1', '192.0.2.2', '192.0.2.3'], 3],
    ['addresses of one /64', ['2001:db8:1:2::1', '2001:db8:1:2:ffff::1'], 1],
    ['three /64 of one /56', [link(1), link(2), link(3)], 3],
    ['eleven /64 of one /56', Array.from({ length: 11 }, (_, n) => link(n)), 4],
    ['eleven /56 of one /48', Array.from({ length: 11 }, (_, n) => link(n << 8)), 11],
    ['forty /56 of one /48', Array.from({ length: 40 }, (_, n) => link(n << 8)), 16],
    ['forty /48', Array.from({ length: 40 }, (_, n) => `2001:db8:${n.toString(16)}::1`), 40],
    ['what is no address', ['', 'unknown', '192.0.2.256'], 1],
  ])('%s: as many as its networks have together', async (_, addresses, budgets) => {
    const limiter = createRateLimiter({ perMinute: PER_MINUTE })
    const requests = Array.from({ length: 2 * PER_MINUTE }, () => addresses).flat()
    expect(await passing(limiter, requests)).toBe(budgets * PER_MINUTE)
  })

  it('requests that a /64 was refused do not use up the budget of its /56 and /48', async () => {
    const limiter = createRateLimiter({ perMinute: PER_MINUTE })
    const flood = Array<string>(100 * PER_MINUTE).fill(link(1))
    expect(await passing(limiter, flood)).toBe(PER_MINUTE)
    for (const neighbour of [link(2), link(3), link(4)]) {
      expect(await passing(limiter, Array<string>(PER_MINUTE).fill(neighbour))).toBe(PER_MINUTE)
    }
  })

  it('reports the prefix of the exhausted network, and the remaining requests', async () => {
    const limiter = createRateLimiter({ perMinute: 1 })
    const [first, again] = [
      await limiter.charge('callback', link(1)),
      await limiter.charge('callback', link(1)),
    ]
    expect(first.refusedBy).toBeUndefined()
    expect(first.headers.get('RateLimit')).toBe('"callback"; r=0; t=60')
    expect(first.headers.get('RateLimit-Policy')).toMatch(
      /^"callback"; q=1; w=60; pk=:[\w+/]{16}:$/,
    )
    expect(first.headers.has('Retry-After')).toBe(false)
    expect(again.refusedBy).toBe(64)
    expect(again.headers.get('Retry-After')).toBe('60')
    for (const n of [2, 3, 4]) expect(await passing(limiter, [link(n)])).toBe(1)
    const home = await limiter.charge('callback', link(5))
    expect(home.refusedBy).toBe(56)
    expect(home.headers.get('RateLimit-Policy')).toMatch(/q=4;/)
  })

  it('says without counting whether one more request may pass', async () => {
    const limiter = createRateLimiter({ perMinute: 1 })
    const mayPass = async () =>
      (await limiter.charge('callback', '192.0.2.1', 0)).refusedBy === undefined
    expect([await mayPass(), await mayPass()]).toEqual([true, true])
    expect(await passing(limiter, ['192.0.2.1'])).toBe(1)
    expect(await mayPass()).toBe(false)
    const { headers } = await limiter.charge('callback', '192.0.2.1', 0)
    expect(headers.get('RateLimit')).toBe('"callback"; r=0; t=60')
    expect(headers.get('Retry-After')).toBe('60')
  })

  it('counts each route for itself', async () => {
    const limiter = createRateLimiter({ perMinute: 1 })
    for (const route of ['signin', 'callback', 'token']) {
      expect(await passing(limiter, ['192.0.2.1', '192.0.2.1'], route)).toBe(1)
    }
  })
})

describe('limits in memory', () => {
  let server: Server
  afterEach(() => server.close())

  const backend = {
    name: 'nobody',
    providers: registry,
    capabilities: {},
    authenticate: async () => ({ ok: false, reason: 'credential-missing', setCookies: [] }),
  } as unknown as AuthBackendPort

  async function start(
    rateLimit?: RateLimitOptions | false,
  ): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
    server = createServer(
      createAuthApp({
        backend,
        origin: ORIGIN,
        logger: createLogger('silent'),
        ...(rateLimit !== undefined && { rateLimit }),
      }),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return (path, init) => fetch(`http://127.0.0.1:${port}/api/v1/auth${path}`, init)
  }

  const callback = '/callback?code=a&state=b'
  const signin = {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json', origin: ORIGIN },
  }

  it('counts what reaches a handler, and neither HEAD nor what is refused before', async () => {
    const call = await start({ perMinute: 2 })
    const refused = [
      await call('/callback', { method: 'POST' }),
      await call('/signin'),
      await call('/signin', { ...signin, headers: { origin: 'https://evil.example' } }),
      await call('/callback/'),
      await call('/Callback'),
      await call('/%63allback'),
      await call('//callback'),
    ]
    expect(refused.map(({ status }) => status)).toEqual([405, 405, 403, 404, 404, 404, 404])
    for (const { headers } of refused) expect(headers.get('ratelimit')).toBeNull()

    expect((await call(callback)).status).toBe(502)
    expect((await call(callback, { method: 'HEAD' })).status).toBe(200)
    expect((await call(callback)).status).toBe(502)
    expect((await call(callback)).status).toBe(429)
    expect((await call('/signin', signin)).status).toBe(502)
    expect((await call('/me')).headers.get('ratelimit')).toBeNull()
  })

  it('refuses before it reads the body', async () => {
    const call = await start({ perMinute: 1 })
    const unreadable = { ...signin, body: '{' }
    expect((await call('/signin', unreadable)).status).toBe(400)
    expect((await call('/signin', unreadable)).status).toBe(429)
  })

  it('limits a callback and a sign-in to 120 a minute unless told otherwise', async () => {
    const call = await start()
    const { headers } = await call(callback)
    expect(headers.get('ratelimit')).toMatch(/^"callback"; r=119; t=(5\d|60)$/)
    expect(headers.get('ratelimit-policy')).toMatch(/^"callback"; q=120; w=60; pk=:[\w+/=]+:$/)
    expect((await call('/signin', signin)).headers.get('ratelimit')).toMatch(/^"signin"; r=119;/)
  })

  it('can be left out', async () => {
    const call = await start(false)
    expect((await call(callback)).headers.get('ratelimit')).toBeNull()
  })
})
