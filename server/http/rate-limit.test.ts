import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { AuthBackendPort, AuthProviderRegistryPort } from '../../backends/port.js'
import { createAuthApp } from '../app.js'
import { createLogger } from '../log.js'
import { addressKey, providerKey, type RateLimitOptions } from './rate-limit.js'

const ORIGIN = 'https://auth.example'

const providers = ['google', 'github'].map((id) => ({ id, displayName: id, kind: 'oidc' as const }))
const registry: AuthProviderRegistryPort = {
  listProviders: () => providers,
  getProvider: (id) => providers.find((provider) => provider.id === id),
}

describe('addressKey', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['192.0.2.1:50123', '192.0.2.1'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:0000:0000:0000:0009', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::1]', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::1]:50123', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['fe80::1%a/9', 'fe80::/64'],
    ['::1', '::/64'],
    ['unknown', ''],
    ['192.0.2.1, 192.0.2.2', ''],
    ['192.0.2.256', ''],
    [undefined, ''],
  ])('counts %s for %s', (ip, key) => {
    expect(addressKey({ ip })).toBe(key)
  })
})

describe('providerKey', () => {
  it.each([
    [undefined, 'google'],
    ['google', 'google'],
    ['github', 'github'],
    ['gitlab', ''],
    ['__proto__', ''],
    [['github', 'github'], ''],
    [1, ''],
    [null, ''],
  ])('counts providerId %j for %j', (named, key) => {
    expect(providerKey('signin', { body: { providerId: named }, query: {} }, registry)).toBe(key)
    const query = { provider: named } as Record<string, string>
    expect(providerKey('callback', { body: undefined, query }, registry)).toBe(key)
  })

  it('reads a sign-in from the body alone, and a callback from the query alone', () => {
    const req = { body: { providerId: 'github' }, query: { provider: 'google' } }
    expect(providerKey('signin', req, registry)).toBe('github')
    expect(providerKey('callback', req, registry)).toBe('google')
  })

  it('has a place for backends without providers', () => {
    const none: AuthProviderRegistryPort = {
      listProviders: () => [],
      getProvider: () => undefined,
    }
    expect(providerKey('signin', { body: {}, query: {} }, none)).toBe('')
  })
})

describe('limits in memory', () => {
  let server: Server
  afterEach(() => server.close())

  const backend = {
    name: 'nobody',
    providers: registry,
    capabilities: { interactive: false },
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

  it('counts what reaches a handler, HEAD as well, and nothing that is refused before', async () => {
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

    expect((await call(callback, { method: 'HEAD' })).status).toBe(502)
    expect((await call(callback)).status).toBe(502)
    expect((await call(callback)).status).toBe(429)
    expect((await call(callback, { method: 'HEAD' })).status).toBe(429)
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
