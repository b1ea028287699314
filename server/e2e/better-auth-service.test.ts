import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { readConfig } from '../config/config.js'
import { freePort } from '../local/free-port.js'
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

  it('logs the route of better-auth that answered', async () => {
    await fetch(`${origin}/api/auth/reset-password/abc?callbackURL=/`, { redirect: 'manual' })
    await expect.poll(() => log.join('')).toContain('GET /api/auth/reset-password/:token 302')
  })
})
