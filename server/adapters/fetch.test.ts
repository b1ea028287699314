import { describe, expect, it, vi } from 'vitest'
import { createMemoryBackend } from '../testing/memory-backend.js'
import { createMemoryStore } from '../testing/memory-store.js'
import { createLogger } from '../log.js'
import { type AuthHandlerOptions, createAuthHandler } from './fetch.js'

const ORIGIN = 'https://auth.example.com'
const handler = createAuthHandler({
  backend: createMemoryBackend(createMemoryStore(), 'x'.repeat(32)),
  origin: ORIGIN,
  rateLimit: false,
  logger: createLogger('silent'),
})

it.each<[string, BodyInit]>([
  ['bytes', new TextEncoder().encode('{}')],
  ['a string', '{}'],
  ['a blob', new Blob(['{}'])],
])('POST /signin refuses %s without a media type of JSON as 415', async (_what, body) => {
  const request = new Request(`${ORIGIN}/api/v1/auth/signin`, { method: 'POST', body })
  const response = await handler(request)
  expect(response.status).toBe(415)
  expect(await response.json()).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' })
})

it('POST /signout without a body and without JSON is rejected for its origin', async () => {
  const response = await handler(new Request(`${ORIGIN}/api/v1/auth/signout`, { method: 'POST' }))
  expect(response.status).toBe(403)
})

describe('a handler whose options are created with the first request', () => {
  const options = {
    backend: createMemoryBackend(createMemoryStore(), 'x'.repeat(32)),
    origin: ORIGIN,
    rateLimit: false as const,
    logger: createLogger('silent'),
  }
  const me = () => new Request(`${ORIGIN}/api/v1/auth/me`)

  it('creates them once, however many requests arrive at the same time', async () => {
    const create = vi.fn(async () => options)
    const lazy = createAuthHandler(create)
    expect(create).not.toHaveBeenCalled()
    const responses = await Promise.all([lazy(me()), lazy(me()), lazy(me())])
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(create).toHaveBeenCalledTimes(1)
  })

  it.each<[string, () => never]>([
    ['throws', () => raise()],
    ['rejects', (async () => raise()) as unknown as () => never],
  ])('rejects while the function %s, and tries again with the next request', async (_how, fail) => {
    const create = vi.fn<() => typeof options>(() => options).mockImplementationOnce(fail)
    const lazy = createAuthHandler(create)
    await expect(lazy(me())).rejects.toThrow('The database is down.')
    expect((await lazy(me())).status).toBe(200)
    expect(create).toHaveBeenCalledTimes(2)
  })

  it('does not create them when the request refuses to be read, as in a build of Next.js', async () => {
    const create = vi.fn(() => options)
    const prerendered = new Proxy(me(), { get: () => raise() })
    await expect(createAuthHandler(create)(prerendered)).rejects.toThrow('The database is down.')
    expect(create).not.toHaveBeenCalled()
  })

  it('rejects when the rate limit cannot tell clients apart', async () => {
    const { rateLimit: _without, ...limited } = options
    await expect(createAuthHandler(() => limited)(me())).rejects.toThrow('set trustProxy')
  })
})

function raise(): never {
  throw new Error('The database is down.')
}

describe('the client of a request', () => {
  const limited = (passed: Pick<AuthHandlerOptions, 'passesClientAddress' | 'trustProxy'>) =>
    createAuthHandler({
      backend: createMemoryBackend(createMemoryStore(), 'x'.repeat(32)),
      origin: ORIGIN,
      rateLimit: { perMinute: 1 },
      logger: createLogger('silent'),
      ...passed,
    })
  const signIn = (forwarded?: string) =>
    new Request(`${ORIGIN}/api/v1/auth/signin`, {
      method: 'POST',
      body: '{}',
      headers: {
        'content-type': 'application/json',
        ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }),
      },
    })

  it('is the address that the host passes', async () => {
    const limitedHandler = limited({ passesClientAddress: true })
    const from = async (clientAddress: string) =>
      (await limitedHandler(signIn(), { clientAddress })).status
    expect(await from('192.0.2.1')).not.toBe(429)
    expect(await from('192.0.2.2')).not.toBe(429)
    expect(await from('192.0.2.1')).toBe(429)
  })

  it.each<[string, (at: number) => object]>([
    ['Next.js', (at) => ({ params: Promise.resolve({ path: [`${at}`] }) })],
    ['Deno', (at) => ({ remoteAddr: { hostname: `192.0.2.${at}`, port: at } })],
    ['Bun', (at) => ({ requestIP: () => ({ address: `192.0.2.${at}` }) })],
    ['Hono', (at) => ({ req: {}, env: { clientAddress: `192.0.2.${at}` } })],
    ['a host with an address of another form', (at) => ({ clientAddress: [`192.0.2.${at}`] })],
  ])('does not come from the second argument of %s', async (_host, info) => {
    const limitedHandler = limited({ trustProxy: 1 })
    const from = async (at: number) =>
      (await limitedHandler(signIn('198.51.100.7'), info(at))).status
    expect(await from(1)).not.toBe(429)
    expect(await from(2)).toBe(429)
  })
})
