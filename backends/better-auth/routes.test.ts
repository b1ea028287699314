import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRouteFinder } from './routes.js'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { AuthError } from '../errors.js'
import { startTestServer, type TestServer } from './testing/server.js'

const endpoint = (path: string | undefined, method?: string | string[], metadata?: object) =>
  Object.assign(() => undefined, { path, options: { method, metadata } })

const api = {
  error: endpoint('/error', 'GET'),
  reset: endpoint('/reset-password', 'POST'),
  resetLink: endpoint('/reset-password/:token', 'GET'),
  callback: endpoint('/callback/:id', ['GET', 'POST']),
  any: endpoint('/any', '*'),
  files: endpoint('/files/**:rest', 'GET'),
  dotted: endpoint('/.well-known/jwks.json', 'GET'),
  secret: endpoint('/secret', 'POST', { SERVER_ONLY: true }),
  unrouted: endpoint(undefined, 'POST'),
}

describe('createRouteFinder', () => {
  const find = createRouteFinder({ api, options: {} })

  it.each([
    ['GET', '/error', '/error'],
    ['GET', '/reset-password/abc', '/reset-password/:token'],
    ['POST', '/reset-password', '/reset-password'],
    ['POST', '/callback/github', '/callback/:id'],
    ['DELETE', '/any', '/any'],
    ['GET', '/files/a/b', '/files/**:rest'],
    ['GET', '/.well-known/jwks.json', '/.well-known/jwks.json'],
    [undefined, '/reset-password/abc', '/reset-password/:token'],
    ['POST', '/error', undefined],
    ['get', '/error', undefined],
    ['GET', '/error/', undefined],
    ['GET', '//error', undefined],
    ['GET', '/reset-password/', undefined],
    ['GET', '/reset-password/a/b', undefined],
    ['GET', '/xwell-known/jwks.json', undefined],
    ['POST', '/secret', undefined],
    ['GET', '/', undefined],
    ['GET', `/reset-password/${'x'.repeat(300)}`, undefined],
  ])('%s %s is %s', (method, path, route) => {
    expect(find(path, method)).toBe(route)
  })

  it('accepts a trailing slash like better-auth', () => {
    const lenient = createRouteFinder({ api, options: { advanced: { skipTrailingSlashes: true } } })
    expect(lenient('/error/', 'GET')).toBe('/error')
    expect(lenient('/error//', 'GET')).toBeUndefined()
  })
})

const RULE = { window: 3600, max: 3 }

describe('the limiter of better-auth', () => {
  let server: TestServer<[]>
  let origin: string
  let close: () => void
  beforeAll(async () => {
    server = await startTestServer({
      betterAuthOptions: {
        // Long windows, so that a slow machine also sends several requests in one.
        rateLimit: { enabled: true, customRules: { '/ok': RULE, '/reset-password/*': RULE } },
      },
    })
    const app = express()
    app.set('trust proxy', 'loopback')
    app.use((req, res, next) => {
      server.backend.handler(req, res).catch((error: unknown) => {
        if (!(error instanceof AuthError)) return next(error)
        res.status(error.status).end()
      })
    })
    const listening = createServer(app)
    await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done))
    origin = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
    close = () => void listening.close()
  })
  afterAll(async () => {
    close()
    await server.close()
  })
  beforeEach(() => server.pool.query('DELETE FROM auth_rate_limits'))

  const get = async (path: string, address = '203.0.113.7') => {
    const response = await fetch(`${origin}/api/auth${path}`, {
      redirect: 'manual',
      headers: { 'x-forwarded-for': address },
    })
    await response.arrayBuffer()
    return response.status
  }
  const counters = async () =>
    (await server.pool.query<{ key: string }>('SELECT key FROM auth_rate_limits')).rows.map(
      ({ key }) => key,
    )

  it('does not count unknown or overlong paths', async () => {
    const random = (bytes: number) => randomBytes(bytes).toString('base64url')
    for (let count = 0; count < 200; count += 1) {
      expect(await get(`/${random(count % 2 ? 24 : 10_000)}`)).toBe(404)
      expect(await get(`/reset-password/${random(10_000)}?callbackURL=/`)).toBe(404)
    }
    expect(await get('/sign-in/email')).toBe(404)
    expect(await counters()).toEqual([])
  })

  it('has one counter per route, whatever its parameters are', async () => {
    const statuses = new Set<number>()
    for (let count = 0; count < 10; count += 1) {
      statuses.add(await get(`/reset-password/${randomBytes(24).toString('hex')}?callbackURL=/`))
    }
    expect(statuses).toEqual(new Set([302, 429]))
    expect(await counters()).toHaveLength(1)
    expect((await counters())[0]).toMatch(/^better-auth\/reset-password\/:token\/32:\d+$/)
  })

  it.each([
    ['an address', '203.0.113.7', '203.0.113.8'],
    ['an address with a port', '203.0.113.7:1', '203.0.113.8:1'],
    ['IPv6', '2001:db8:1::1', '2001:db8:2::1'],
    ['IPv6 with a port', '[2001:db8:1::1]:1', '[2001:db8:2::1]:1'],
  ])('counts each client separately: %s', async (_name, one, other) => {
    for (let count = 0; count < 3; count += 1) expect(await get('/ok', one)).toBe(200)
    expect(await get('/ok', one)).toBe(429)
    expect(await get('/ok', other)).toBe(200)
  })

  it.each([
    ['from any port', (count: number) => `203.0.113.7:${count + 1}`],
    ['from any port of an IPv6 address', (count: number) => `[2001:db8::1]:${count + 1}`],
    ['from any address of a /64', (count: number) => `2001:db8::${count + 1}`],
  ])('counts a client as one: %s', async (_name, address) => {
    for (let count = 0; count < 3; count += 1) expect(await get('/ok', address(count))).toBe(200)
    expect(await get('/ok', address(3))).toBe(429)
  })

  it('charges the surrounding networks of a client too', async () => {
    const statuses: number[] = []
    for (let count = 0; count < 14; count += 1) {
      statuses.push(await get('/ok', `2001:db8:0:${count.toString(16)}::1`))
    }
    expect(statuses).toEqual([...Array<number>(12).fill(200), 429, 429])
  })

  it('does not limit reading the own session', async () => {
    for (let count = 0; count < 110; count += 1) expect(await get('/get-session')).toBe(200)
    expect(await counters()).toEqual([])
  })

  it('fails requests that it cannot count because the database fails', async () => {
    await server.pool.query('ALTER TABLE auth_rate_limits RENAME TO away')
    expect(await get('/ok')).toBeGreaterThanOrEqual(500)
    await server.pool.query('ALTER TABLE away RENAME TO auth_rate_limits')
    expect(await get('/ok')).toBe(200)
  })
})
