import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { readConfig } from '../config/config.js'
import { freePort } from '../local/loopback.js'
import { createLogger } from '../log.js'
import { type AuthService, createAuthService } from '../service.js'

describe('the service on better-auth', () => {
  let database: TestDatabase
  let service: AuthService
  let origin: string
  const log: string[] = []
  beforeAll(async () => {
    database = await createTestDatabase()
    const port = await freePort()
    origin = `http://localhost:${port}`
    const env = {
      PORT: String(port),
      NETSCRIPT_AUTH_BACKEND: 'better-auth',
      BETTER_AUTH_SECRET: randomBytes(32).toString('base64url'),
    }
    service = await createAuthService({
      config: readConfig(env, { production: false }),
      env,
      logger: createLogger('debug', { write: (line: string) => void log.push(line) }),
      databaseUrl: database.url,
    })
  })
  afterAll(async () => {
    await service.close()
    await database.drop()
  })

  it.each([
    '/api/auth/reset-password/TOKEN?callbackURL=/TOKEN',
    '/api/auth/reset-password/TOKEN/',
    '/api/auth/reset-password/TOKEN/more',
    '/api/auth/reset-passwort/TOKEN',
    '/api/auth/TOKEN',
    '/api/auth//reset-password/TOKEN',
    '/API/auth/reset-password/TOKEN',
    '/prefix/api/auth/reset-password/TOKEN',
    '/api/auth/verify-email?token=TOKEN',
    '/api/auth/callback/github?code=TOKEN&state=TOKEN',
    '/api/auth/delete-user/callback?token=TOKEN',
  ])('logs no credential of the path or the query of %s', async (path) => {
    const token = randomBytes(18).toString('base64url')
    const before = log.length
    await (await fetch(origin + path.replaceAll('TOKEN', token), { redirect: 'manual' })).text()
    await expect.poll(() => log.length).toBeGreaterThan(before)
    expect(log.slice(before).join('')).not.toContain(token)
  })

  it('has a page on which a user signs up and in, without a script', async () => {
    const page = async (cookie = '', path = '/') =>
      (await fetch(origin + path, { headers: { cookie } })).text()
    expect(await page()).toContain('action="/api/auth/sign-in/email"')
    const post = async (path: string, fields: Record<string, string>) => {
      const response = await fetch(origin + path, {
        method: 'POST',
        redirect: 'manual',
        headers: { origin, accept: 'text/html' },
        body: new URLSearchParams(fields),
      })
      const cookie = response.headers.getSetCookie().map((line) => line.split(';', 1)[0])
      expect(response.status).toBe(303)
      return { location: response.headers.get('location'), cookie: cookie.join('; ') }
    }
    const ada = { name: 'Ada', email: 'ada@example.com', password: 'a-long-password' }
    const created = await post('/api/auth/sign-up/email', ada)
    expect(created.location).toBe(`${origin}/`)
    expect(await page(created.cookie)).toContain('Ada')
    const wrong = await post('/api/auth/sign-in/email', { ...ada, password: 'wrong-password' })
    expect(wrong).toEqual({ location: `${origin}/?error=INVALID_EMAIL_OR_PASSWORD`, cookie: '' })
    expect(await page('', '/?error=INVALID_EMAIL_OR_PASSWORD')).toContain('password is wrong')
    expect(await page('', '/?error=constructor')).toContain('did not work')
    const signedIn = await post('/api/auth/sign-in/email', { ...ada, callbackURL: '/welcome' })
    expect(signedIn.location).toBe(`${origin}/welcome`)
    expect(await page(signedIn.cookie)).toContain('Ada')
  })

  it('returns from the sign-in page for reverse proxies to the page that was asked for', async () => {
    const address = `${origin}/api/v1/auth/sign-in-page?redirectTo=${encodeURIComponent('/a?b=1&c')}`
    const page = await (await fetch(address)).text()
    const [, action = ''] = /action="([^"]*sign-in[^"]*)"/.exec(page) ?? []
    const [, callbackURL = ''] = /name="callbackURL" value="([^"]*)"/.exec(page) ?? []
    const fields = { name: 'Grace', email: 'grace@example.com', password: 'a-long-password' }
    const post = (path: string, body: Record<string, string>) =>
      fetch(origin + path, {
        method: 'POST',
        redirect: 'manual',
        headers: { origin, accept: 'text/html' },
        body: new URLSearchParams(body),
      })
    await post('/api/auth/sign-up/email', fields)
    const target = callbackURL.replaceAll('&amp;', '&')
    const response = await post(action, { ...fields, callbackURL: target })
    expect([response.status, response.headers.get('location')]).toEqual([303, `${origin}/a?b=1&c`])
  })

  it.each([
    '/api/auth/error?error=access_denied&error_description=GET%20/token',
    '/api/auth/callback/github?error=access_denied&state=unknown',
    '/api/auth/callback/unknown?code=x&state=unknown',
  ])('shows its own page for %s, without text of better-auth', async (path) => {
    const response = await fetch(origin + path, { headers: { accept: 'text/html' } })
    const page = await response.text()
    expect(page).not.toMatch(/access_denied|token|better-auth/i)
    expect(page).toMatch(/did not work|cannot be reached|nothing at this address/)
    expect(page).toContain('NetScript Auth')
  })

  it('logs the route of better-auth that handled the request', async () => {
    await fetch(`${origin}/api/auth/reset-password/abc?callbackURL=/`, { redirect: 'manual' })
    await expect.poll(() => log.join('')).toContain('GET /api/auth/reset-password/:token 302')
  })
})
