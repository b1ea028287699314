import { RENEWALS_DUE } from './support/renewals-due.js'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { examine } from '../cli/doctor/doctor.js'
import { freePort } from '../local/loopback.js'
import { startTestService, type TestService } from './support/service.js'
import { me, startSignIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

const SECRET = 'a+b/c=d'

/** Debian's packages are for Debian's Python. */
const PYTHON = '/usr/bin/python3'
const TOOLKIT = '/usr/lib/python3/dist-packages/oauth2_provider'
const SCHEMA = '/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3'

/** All of them must run on CI. */
function describeWithFiles(name: string, files: readonly string[], tests: () => void): void {
  const isSkipped = !process.env.CI && !files.every((file) => existsSync(file))
  if (isSkipped) console.warn(`Skipped: ${name} is not installed.`)
  describe.skipIf(isSkipped)(name, tests)
}

const privateKeyPair = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })

// It compares the credentials of Basic as they are sent, without decoding them.
describeWithFiles('glewlwyd', ['/usr/bin/glewlwyd', SCHEMA], () => {
  let directory: string
  let server: ChildProcess
  let base: string
  let service: TestService
  let cookie = ''

  async function call(method: string, path: string, body?: object): Promise<Response> {
    const response = await fetch(new URL(path, base), {
      method,
      redirect: 'manual',
      headers: { cookie, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return response
  }
  const must = async (...args: Parameters<typeof call>): Promise<void> =>
    expect([args[1], (await call(...args)).status]).toEqual([args[1], 200])

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'glewlwyd-'))
    const [port, own] = [await freePort(), await freePort()]
    base = `http://localhost:${port}`
    const database = join(directory, 'glewlwyd.db')
    execFileSync('sqlite3', [database, `.read ${SCHEMA}`])
    const modules = '/usr/lib/glewlwyd'
    const settings = {
      external_url: base,
      login_url: 'login.html',
      api_prefix: 'api',
      log_mode: 'console',
      log_level: 'ERROR',
      cookie_domain: 'localhost',
      session_key: 'GLEWLWYD2_SESSION_ID',
      admin_scope: 'g_admin',
      profile_scope: 'g_profile',
      user_module_path: `${modules}/user`,
      client_module_path: `${modules}/client`,
      user_auth_scheme_module_path: `${modules}/scheme`,
      plugin_module_path: `${modules}/plugin`,
      hash_algorithm: 'SHA512',
    }
    const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"`)
    const config = join(directory, 'glewlwyd.conf')
    await writeFile(
      config,
      [
        `port=${port}`,
        'cookie_secure=0',
        'session_expiration=3600',
        'login_api_enabled=true',
        ...lines,
        `database = { type = "sqlite3"; path = "${database}"; };`,
      ].join('\n'),
    )
    server = spawn('glewlwyd', [`--config-file=${config}`], { stdio: 'ignore' })
    await vi.waitFor(() => fetch(`${base}/config`), { timeout: 30_000, interval: 100 })

    const key = privateKeyPair()
    const off = ['token', 'none', 'password', 'client', 'device', 'implicit']
    await must('POST', '/api/auth/', { username: 'admin', password: 'password' })
    await must('POST', '/api/mod/plugin/', {
      module: 'oidc',
      name: 'oidc',
      display_name: 'OIDC',
      parameters: {
        ...{ iss: `${base}/api/oidc`, 'jwt-type': 'rsa', 'jwt-key-size': '256' },
        ...{ key: key.privateKey, cert: key.publicKey, 'subject-type': 'public' },
        ...{ 'access-token-duration': 3600, 'refresh-token-duration': 86_400 },
        ...{ 'code-duration': 600, 'refresh-token-rolling': true, 'allow-non-oidc': false },
        ...Object.fromEntries(off.map((name) => [`auth-type-${name}-enabled`, false])),
        ...{ 'auth-type-code-enabled': true, 'auth-type-id-token-enabled': true },
        ...{ 'auth-type-refresh-enabled': true, 'pkce-allowed': true },
        'pkce-method-plain-allowed': false,
      },
    })
    await must('POST', '/api/client/?source=database', {
      ...{ client_id: 'app', name: 'app', confidential: true, enabled: true, scope: ['openid'] },
      client_secret: SECRET,
      redirect_uri: [`http://localhost:${own}/api/v1/auth/callback`],
      authorization_type: ['code', 'refresh_token'],
      token_endpoint_auth_method: ['client_secret_basic', 'client_secret_post'],
    })
    await must('POST', '/api/user/?source=database', {
      ...{ username: 'ada', password: 'lovelace1', name: 'Ada', enabled: true },
      scope: ['openid', 'g_profile'],
    })
    cookie = ''
    await must('POST', '/api/auth/', { username: 'ada', password: 'lovelace1' })
    await must('PUT', '/api/auth/grant/app', { scope: 'openid' })
    service = await startTestService({
      port: own,
      env: {
        NETSCRIPT_AUTH_PROVIDER_ID: 'glewlwyd',
        NETSCRIPT_AUTH_ISSUER: `${base}/api/oidc`,
        NETSCRIPT_AUTH_CLIENT_ID: 'app',
        NETSCRIPT_AUTH_CLIENT_SECRET: SECRET,
        NETSCRIPT_AUTH_SCOPES: 'openid',
      },
    })
  })
  afterAll(async () => {
    await service.close()
    server.kill()
    await rm(directory, { recursive: true, force: true })
  })

  async function signedIn(origin: string): Promise<boolean> {
    const agent = createUserAgent(origin)
    const { redirectUrl } = await startSignIn(agent)
    const back = await call('GET', `${redirectUrl}&g_continue`)
    await agent.fetch(back.headers.get('location') ?? '')
    return (await me(agent)).authenticated
  }

  it('refuses a secret that Basic encodes, and the log and the doctor say what to set', async () => {
    expect(await signedIn(service.origin)).toBe(false)
    const lines = service.log.filter((line) => line.includes('provider.client-refused'))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('client_secret_basic percent-encodes')
    const failed = service.log.filter((line) => line.includes('"event":"sign-in.failed"'))
    expect(failed).toEqual([expect.stringContaining('"cause":"client-refused"')])
    const { variables } = service.config
    const env = Object.fromEntries(
      Object.entries(variables).flatMap(([name, value]) =>
        typeof value === 'string' || typeof value === 'boolean' ? [[name, String(value)]] : [],
      ),
    )
    const findings = await examine(
      { ...env, NETSCRIPT_AUTH_KV_OAUTH_KEY: service.key, NETSCRIPT_AUTH_SCOPES: 'openid' },
      { production: false },
    )
    expect(findings.find(({ code }) => code === 'CLIENT')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('but accepts it by client_secret_post.') as string,
      fix: 'Set NETSCRIPT_AUTH_CLIENT_AUTH_METHOD=client_secret_post.',
    })
  })

  it('signs in with client_secret_post', async () => {
    await service.restart({ NETSCRIPT_AUTH_CLIENT_AUTH_METHOD: 'client_secret_post' })
    expect(await signedIn(service.origin)).toBe(true)
  })
})

describeWithFiles('django-oauth-toolkit', [PYTHON, TOOLKIT], () => {
  let directory: string
  let server: ChildProcess
  let base: string
  let service: TestService

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'django-'))
    const [port, own] = [await freePort(), await freePort()]
    base = `http://localhost:${port}`
    const script = fileURLToPath(new URL('support/django-provider.py', import.meta.url))
    const redirectUri = `http://localhost:${own}/api/v1/auth/callback`
    const database = join(directory, 'django.db')
    server = spawn(PYTHON, [script, String(port), database, redirectUri, SECRET], {
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    server.stdin?.end(privateKeyPair().privateKey)
    await vi.waitFor(() => fetch(base), { timeout: 60_000, interval: 100 })
    service = await startTestService({
      port: own,
      env: {
        NETSCRIPT_AUTH_PROVIDER_ID: 'django',
        NETSCRIPT_AUTH_ISSUER: `${base}/o`,
        NETSCRIPT_AUTH_CLIENT_ID: 'app',
        NETSCRIPT_AUTH_CLIENT_SECRET: SECRET,
      },
    })
  })
  afterAll(async () => {
    await service.close()
    server.kill()
    await rm(directory, { recursive: true, force: true })
  })

  it('redirects the address of its metadata, which is followed', async () => {
    const metadata = await fetch(`${base}/o/.well-known/openid-configuration`, {
      redirect: 'manual',
    })
    expect(metadata.status).toBe(301)
    expect(metadata.headers.get('location')).toBe('/o/.well-known/openid-configuration/')
    const { redirectUrl } = await startSignIn(createUserAgent(service.origin))
    expect(redirectUrl).toContain(`${base}/o/authorize/?`)
  })

  it('signs in, renews the tokens and signs out', async () => {
    const [agent, atProvider] = [createUserAgent(service.origin), createUserAgent(base)]
    const { redirectUrl } = await startSignIn(agent)
    const toLogin = await atProvider.fetch(redirectUrl)
    const loginUrl = new URL(toLogin.headers.get('location') ?? '', base).href
    const loggedIn = await atProvider.fetch(loginUrl, {
      method: 'POST',
      body: new URLSearchParams({ username: 'ada', password: 'lovelace' }),
    })
    const back = await atProvider.fetch(loggedIn.headers.get('location') ?? '')
    expect((await agent.fetch(back.headers.get('location') ?? '')).status).toBe(303)
    const db = new pg.Client(service.databaseUrl)
    await db.connect()
    await db.query(RENEWALS_DUE)
    expect(await me(agent)).toMatchObject({
      authenticated: true,
      user: { displayName: 'Ada', email: 'ada@example.test' },
    })
    const { rows } = await db.query<{ reason: string }>(
      `SELECT reason FROM auth_audit_events WHERE reason LIKE 'tokens-%'`,
    )
    await db.end()
    expect(rows).toEqual([{ reason: 'tokens-renewed' }])
    expect((await agent.post('/api/v1/auth/signout')).status).toBe(200)
    expect((await me(agent)).authenticated).toBe(false)
  })
})
