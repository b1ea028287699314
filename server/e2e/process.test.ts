import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../../prisma/test-database.js'
import { startLocalProvider } from '../local/provider.js'
import { completeLogin } from './support/oidc-login.js'
import { type NetscriptProcess, startNetscript } from './support/process.js'
import { freePort } from '../local/loopback.js'
import { me, signIn, startSignIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

const running: NetscriptProcess[] = []
const netscript = (args: string[], env: Record<string, string>): NetscriptProcess => {
  const started = startNetscript(args, env)
  running.push(started)
  return started
}
afterEach(async () => {
  for (const one of running.splice(0)) await one.end('SIGKILL')
})

describe('netscript dev without configuration', () => {
  let dataDir: string
  let env: Record<string, string>
  let origin: string

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'netscript-dev-'))
    const [port, providerPort] = [await freePort(), await freePort()]
    origin = `http://localhost:${port}`
    env = {
      PORT: String(port),
      NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT: String(providerPort),
      NETSCRIPT_AUTH_DATA_DIR: dataDir,
    }
  })
  afterAll(() => rm(dataDir, { recursive: true, force: true }))

  it('serves a working sign-in, and the session outlives kill -9 and a clean restart', async () => {
    const first = netscript(['dev'], env)
    await first.waitFor(`Sign-in is ready:  ${origin}`)
    const lines = first.output().replaceAll(dataDir, '.data').split('\n')
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    const agent = createUserAgent(origin)
    expect((await agent.fetch('/health/ready')).status).toBe(200)
    expect((await signIn(agent)).status).toBe(303)
    expect((await me(agent)).user.displayName).toBe('Ada Lovelace')
    expect((await stat(join(dataDir, 'development-key'))).mode & 0o777).toBe(0o600)

    // The database outlives its parent; the next start takes it over.
    await first.end('SIGKILL')
    const second = netscript(['dev'], env)
    await second.waitFor('Sign-in is ready')
    expect((await me(agent)).user.displayName).toBe('Ada Lovelace')

    expect(await second.end('SIGTERM')).toBe(0)
    const third = netscript(['dev'], env)
    await third.waitFor('Sign-in is ready')
    expect((await me(agent)).authenticated).toBe(true)
    expect(await third.end('SIGINT')).toBe(0)
  })

  it('explains that the data directory is in use, and the fix', async () => {
    const first = netscript(['dev'], env)
    await first.waitFor('Sign-in is ready')
    const second = netscript(['dev'], {
      ...env,
      PORT: String(await freePort()),
      NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT: '0',
    })
    expect(await second.ended).toBe(1)
    expect(second.output()).toMatch(/NETSCRIPT_AUTH_DATA_DIR/)
    expect(second.output()).toMatch(/DATABASE_URL/)
    expect(await first.end()).toBe(0)
  })

  it('lets a dev server of a frontend call it, and tells the developer what to set', async () => {
    const dev = netscript(['dev'], env)
    await dev.waitFor('Sign-in is ready')
    const vite = 'http://localhost:5173'
    const click = (page: string, redirectTo: string) =>
      fetch(`${origin}/api/v1/auth/signin`, {
        method: 'POST',
        redirect: 'manual',
        headers: { origin: page, accept: 'text/html' },
        body: new URLSearchParams({ redirectTo }),
      })
    const started = await click(vite, '')
    expect(started.status).toBe(303)
    expect(started.headers.get('location')).toContain('/auth?')
    await dev.waitFor(`Accepting requests from pages on ${vite}:`)
    const preflight = await fetch(`${origin}/api/v1/auth/me`, { headers: { origin: vite } })
    expect(preflight.headers.get('access-control-allow-origin')).toBe(vite)
    expect(preflight.headers.get('access-control-allow-credentials')).toBe('true')

    // It may call, but is no return target.
    const returning = await click(vite, `${vite}/welcome`)
    expect(returning.status).toBe(422)
    expect(await returning.text()).not.toContain('NETSCRIPT')
    await dev.waitFor('list that origin in NETSCRIPT_AUTH_ALLOWED_RETURN_TO')

    const refused = await click('http://localhost.evil.example', '')
    expect(refused.status).toBe(403)
    expect(await refused.text()).not.toContain('NETSCRIPT')
    await dev.waitFor('list its origin in NETSCRIPT_AUTH_CORS_ORIGINS')
    expect(await dev.end()).toBe(0)
  })

  it('starts no local provider in production or on other addresses', async () => {
    for (const over of [{ NODE_ENV: 'production' }, { NETSCRIPT_AUTH_HOST: '0.0.0.0' }]) {
      const refused = netscript(['dev'], { ...env, ...over })
      expect(await refused.ended).toBe(1)
      expect(refused.output()).toMatch(/DATABASE_URL|NETSCRIPT_AUTH_HOST/)
    }
  })
})

describe('a service with a provider of its own', () => {
  it('loses no sign-in when it is killed between sign-in and callback', async () => {
    const [database, port] = [await createTestDatabase(), await freePort()]
    const origin = `http://localhost:${port}`
    const redirectUri = `${origin}/api/v1/auth/callback`
    const client = { clientId: 'client', clientSecret: 'secret' }
    const provider = await startLocalProvider({
      ...client,
      redirectUris: [redirectUri],
      postLogoutRedirectUris: [],
    })
    const env = {
      PORT: String(port),
      DATABASE_URL: database.url,
      NETSCRIPT_AUTH_ISSUER: provider.issuer,
      NETSCRIPT_AUTH_CLIENT_ID: client.clientId,
      NETSCRIPT_AUTH_CLIENT_SECRET: client.clientSecret,
      NETSCRIPT_AUTH_REDIRECT_URI: redirectUri,
      NETSCRIPT_AUTH_KV_OAUTH_KEY: randomBytes(32).toString('base64url'),
      NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'true',
    }
    try {
      const first = netscript(['start'], env)
      await first.waitFor('ready')
      const agent = createUserAgent(origin)
      const { redirectUrl } = await startSignIn(agent)
      const callback = await completeLogin(redirectUrl, { login: 'ada' })
      await first.end('SIGKILL')
      const second = netscript(['start'], env)
      await second.waitFor('ready')
      expect((await agent.fetch(callback)).status).toBe(303)
      expect((await me(agent)).authenticated).toBe(true)
      expect(await second.end('SIGTERM')).toBe(0)
    } finally {
      await provider.stop()
      await database.drop()
    }
  })
})

describe('a start that cannot work', () => {
  const TUTORIAL = {
    NETSCRIPT_AUTH_CLIENT_ID: 'id',
    NETSCRIPT_AUTH_CLIENT_SECRET: 'secret',
    NETSCRIPT_AUTH_REDIRECT_URI: 'http://localhost:8094/api/v1/auth/callback',
    DATABASE_URL: 'postgres://localhost:1/none',
  }
  const KEY = { NETSCRIPT_AUTH_KV_OAUTH_KEY: randomBytes(32).toString('base64url') }

  it.each<[string, Record<string, string>, RegExp]>([
    ['a missing key', TUTORIAL, /NETSCRIPT_AUTH_KV_OAUTH_KEY is not set. Make one/],
    ['a wrong key', { ...TUTORIAL, NETSCRIPT_AUTH_KV_OAUTH_KEY: 'x' }, /KEY must be 32 bytes/],
    ['an unknown backend', { NETSCRIPT_AUTH_BACKEND: 'ldap' }, /NETSCRIPT_AUTH_BACKEND.*kv-oauth/],
    [
      'an unknown preset',
      { ...TUTORIAL, ...KEY, NETSCRIPT_AUTH_PROVIDER_ID: 'missing' },
      /NETSCRIPT_AUTH_PROVIDER_ID/,
    ],
    [
      'half a provider',
      { ...TUTORIAL, ...KEY, NETSCRIPT_AUTH_CLIENT_ID: '' },
      /NETSCRIPT_AUTH_CLIENT_ID is not set/,
    ],
    [
      'an issuer over http',
      { ...TUTORIAL, ...KEY, NETSCRIPT_AUTH_ISSUER: 'http://localhost:9094' },
      /NETSCRIPT_AUTH_ISSUER uses http/,
    ],
    ['an unreachable database', { ...TUTORIAL, ...KEY }, /DATABASE_URL: nothing listens there/],
    [
      'a misspelt variable, after a warning,',
      {
        ...TUTORIAL,
        ...KEY,
        DATABASE_URL: 'postgres://localhost:1/none',
        NETSCRIPT_AUTH_ISUER: 'x',
      },
      /NETSCRIPT_AUTH_ISUER is not read\. Did you mean NETSCRIPT_AUTH_ISSUER\?[^]*redirect URI of google leads to port 8094/,
    ],
  ])(
    '%s ends with a sentence and exit code 1, and nothing listens',
    async (_what, env, message) => {
      const port = await freePort()
      const refused = netscript(['dev'], { ...env, PORT: String(port) })
      expect(await refused.ended).toBe(1)
      expect(refused.output()).toMatch(message)
      expect(refused.output()).not.toMatch(/\n\s+at /)
      await expect(
        new Promise((resolve, reject) => {
          connect(port, '127.0.0.1').once('connect', resolve).once('error', reject)
        }),
      ).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    },
  )
})
