import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  createEmptyTestDatabase,
  createTestDatabase,
  type TestDatabase,
} from '../prisma/test-database.js'
import { createAuthHandler } from './adapters/fetch.js'
import { authFromEnv } from './environment.js'

let database: TestDatabase
let env: Record<string, string>
beforeAll(async () => {
  database = await createTestDatabase()
  env = {
    DATABASE_URL: database.url,
    NETSCRIPT_AUTH_KV_OAUTH_KEY: randomBytes(32).toString('base64url'),
    NETSCRIPT_AUTH_PROVIDER: 'google',
    NETSCRIPT_AUTH_CLIENT_ID: 'id',
    NETSCRIPT_AUTH_CLIENT_SECRET: 'secret',
    NETSCRIPT_AUTH_REDIRECT_URI: 'https://app.example.com/api/v1/auth/callback',
    NETSCRIPT_AUTH_ALLOWED_EMAILS: '*',
    NETSCRIPT_AUTH_TRUST_PROXY: '1',
    NETSCRIPT_AUTH_LOG_LEVEL: 'silent',
  }
})
afterAll(() => database.drop())

const opened: { close(): Promise<void> }[] = []
const open = async (more: Record<string, string> = {}) => {
  const auth = await authFromEnv({ ...env, ...more })
  opened.push(auth)
  return auth
}
afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())))

const API = 'https://app.example.com/api/v1/auth'

describe('authFromEnv', () => {
  it('has the settings of the service', async () => {
    const auth = await open({
      NETSCRIPT_AUTH_ALLOWED_RETURN_TO: 'https://shop.example.com',
      NETSCRIPT_AUTH_CORS_ORIGINS: 'https://www.example.com',
      NETSCRIPT_AUTH_RATE_LIMIT: '7',
    })
    expect(auth).toMatchObject({
      origin: 'https://app.example.com',
      trustProxy: 1,
      allowedReturnTo: ['https://shop.example.com'],
      corsOrigins: ['https://www.example.com'],
      rateLimit: { perMinute: 7, shared: expect.anything() as unknown },
    })
    expect(auth.tokens).toBeUndefined()
    const response = await createAuthHandler(auth)(new Request(`${API}/describe`))
    expect(await response.json()).toMatchObject({ providers: [{ id: 'google' }] })
  })

  it('issues tokens for the audiences, and serves their keys', async () => {
    const auth = await open({ NETSCRIPT_AUTH_TOKEN_AUDIENCES: 'https://orders.example' })
    const jwks = new Request('https://app.example.com/.well-known/jwks.json')
    const response = await createAuthHandler(auth)(jwks)
    expect(await response.json()).toMatchObject({ keys: [{ kty: 'EC' }] })
  })

  it('is opened once for the same variables, also where the module is loaded twice', async () => {
    const auth = await open()
    expect(await open({ UNRELATED: 'a' })).toBe(auth)
    const copy: string = './environment.js?again'
    const again = (await import(copy)) as { authFromEnv: typeof authFromEnv }
    expect(again.authFromEnv).not.toBe(authFromEnv)
    expect(await again.authFromEnv(env)).toBe(auth)
    expect(await open({ NETSCRIPT_AUTH_RATE_LIMIT: '7' })).not.toBe(auth)
  })

  it('is opened again after it was closed', async () => {
    const auth = await open()
    await Promise.all([auth.close(), auth.close()])
    const next = await open()
    expect(next).not.toBe(auth)
    expect((await createAuthHandler(next)(new Request(`${API}/me`))).status).toBe(200)
  })

  it('leaves no connection behind when it is closed', async () => {
    const auth = await open()
    await createAuthHandler(auth)(new Request(`${API}/me`))
    await auth.close()
    const admin = new pg.Client({ connectionString: database.url })
    await admin.connect()
    const { rows } = await admin.query(
      'SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    )
    await admin.end()
    expect(rows).toEqual([])
  })

  it('names all variables that are missing', async () => {
    await expect(authFromEnv({})).rejects.toThrow(
      /NETSCRIPT_AUTH_KV_OAUTH_KEY[^]*DATABASE_URL[^]*NETSCRIPT_AUTH_CLIENT_ID/,
    )
  })

  it('names the command that creates the tables, and tries again with the next call', async () => {
    const empty = await createEmptyTestDatabase()
    try {
      const incomplete = { ...env, DATABASE_URL: empty.url }
      for (const attempt of [1, 2]) {
        await expect(authFromEnv(incomplete), `attempt ${attempt}`).rejects.toThrow(
          /DATABASE_URL: .*netscript db migrate/,
        )
      }
    } finally {
      await empty.drop()
    }
  })
})
