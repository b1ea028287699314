import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { AuthConfigurationError } from '../errors.js'
import { createPool } from '../../prisma/pool.js'
import { createKvOAuthBackend } from './backend.js'
import { defineOAuthProvider } from './define-provider.js'
import { providers } from './presets.js'

const KEY = randomBytes(32).toString('base64url')
const google = (redirectUri = 'http://localhost:8094/api/v1/auth/callback') =>
  providers.google({ clientId: 'id', clientSecret: 'secret', redirectUri })

describe('createKvOAuthBackend', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  })
  afterAll(() => database.drop())
  afterEach(() => vi.unstubAllEnvs())

  const environment = (key: string | undefined, url: string | undefined) => {
    vi.stubEnv('NETSCRIPT_AUTH_KV_OAUTH_KEY', key)
    vi.stubEnv('DATABASE_URL', url)
  }

  it('needs only a provider when key and database are in the environment', async () => {
    environment(KEY, database.url)
    const backend = await createKvOAuthBackend({ provider: google() })
    expect(backend.name).toBe('kv-oauth')
    expect(backend.interactive).toBeDefined()
    expect(backend.providers.listProviders()).toEqual([
      { id: 'google', displayName: 'Google', kind: 'oidc', stepUp: false },
    ])
    await backend.probe()
    await backend.close()
  })

  it.each<[string, string | undefined, string | undefined, RegExp]>([
    ['the key', undefined, 'postgres://x', /NETSCRIPT_AUTH_KV_OAUTH_KEY is not set/],
    ['a valid key', 'short', 'postgres://x', /NETSCRIPT_AUTH_KV_OAUTH_KEY must be 32 bytes/],
    ['the database', KEY, undefined, /DATABASE_URL is not set/],
    [
      'a reachable database',
      KEY,
      'postgres://missing@127.0.0.1:1/x',
      /DATABASE_URL: nothing listens/,
    ],
    ['a valid database URL', KEY, 'mysql://x', /DATABASE_URL must begin with postgres/],
  ])('rejects without %s', async (_what, key, url, message) => {
    environment(key, url)
    await expect(createKvOAuthBackend({ provider: google() })).rejects.toThrow(message)
  })

  it('names everything that is missing in one error', async () => {
    environment(undefined, undefined)
    const failure = await createKvOAuthBackend({}).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(AuthConfigurationError)
    expect((failure as Error).message).toMatch(
      /needs a provider.*\n.*NETSCRIPT_AUTH_KV_OAUTH_KEY is not set.*\n.*DATABASE_URL is not set/,
    )
  })

  it('rejects an empty provider list, duplicate ids and an unsafe cookie name', async () => {
    const pool = createPool(database.url)
    const options = { key: KEY, pool }
    await expect(createKvOAuthBackend(options)).rejects.toThrow(/needs a provider/)
    await expect(
      createKvOAuthBackend({ ...options, providers: [google(), google()] }),
    ).rejects.toThrow(/Two providers have the id "google"/)
    for (const cookieName of ['session', '__Host-a b', '__Host-a;b']) {
      await expect(
        createKvOAuthBackend({ ...options, provider: google(), cookieName }),
      ).rejects.toThrow(/NETSCRIPT_AUTH_COOKIE_NAME/)
    }
    await pool.end()
  })

  it.each([
    'issuer',
    'discoveryUrl',
    'authorizationEndpoint',
    'tokenEndpoint',
    'userInfoEndpoint',
    'revocationEndpoint',
    'endSessionEndpoint',
  ])('rejects http in the %s of a provider, unless allowed', async (option) => {
    const pool = createPool(database.url)
    const own = defineOAuthProvider({
      id: 'own',
      clientId: 'id',
      issuer: 'https://own.example',
      redirectUri: 'https://auth.example/api/v1/auth/callback',
      [option]: 'http://localhost:9094',
    })
    const options = { key: KEY, pool, providers: [google(own.redirectUri), own] }
    await expect(createKvOAuthBackend(options)).rejects.toThrow(/"own".* uses http/)
    const backend = await createKvOAuthBackend({ ...options, allowInsecureRequests: true })
    await backend.close()
    await pool.end()
  })

  it('rejects two providers with equivalent redirect URIs', async () => {
    const pool = createPool(database.url)
    const [one, two] = ['https://auth.example/cb', 'https://AUTH.example:443/cb'].map(google)
    const list = [one!, { ...two!, id: 'two' }]
    await expect(createKvOAuthBackend({ key: KEY, pool, providers: list })).rejects.toThrow(
      /"google" and "two" have the redirect URI/,
    )
    await pool.end()
  })

  it('gives each of several providers its own redirect URI', async () => {
    const pool = createPool(database.url)
    const own = defineOAuthProvider({
      id: 'own',
      clientId: 'id',
      authorizationEndpoint: 'https://own.example/authorize',
      tokenEndpoint: 'https://own.example/token',
      userInfoEndpoint: 'https://own.example/me',
      redirectUri: 'https://auth.example/api/v1/auth/callback',
      scopes: ['user'],
    })
    const backend = await createKvOAuthBackend({
      key: KEY,
      pool,
      providers: [own, google('https://auth.example/api/v1/auth/callback')],
    })
    const { toAuthnRequest } = await import('../request.js')
    const started = await backend.interactive.signIn(toAuthnRequest({ headers: {} }), {
      returnTo: 'https://auth.example/',
    })
    expect(started.providerId).toBe('own')
    expect(new URL(started.redirectUrl).searchParams.get('redirect_uri')).toBe(
      'https://auth.example/api/v1/auth/callback/own',
    )
    await pool.end()
  })
})
