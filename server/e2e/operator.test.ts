import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startTestServer } from '../../backends/better-auth/testing/server.js'
import { signUp } from '../../backends/better-auth/testing/sign-up.js'
import { createPool } from '../../prisma/pool.js'
import { createPostgresUserStore } from '../../backends/kv-oauth/storage/postgres-user-store.js'
import { sessionRecord } from '../../backends/kv-oauth/storage/session-store-suite.js'
import { createPostgresStores } from '../../backends/kv-oauth/storage/stores.js'
import { startWorkosApi } from '../../backends/workos/testing/workos-api.js'
import { applyMigrations } from '../../prisma/migrate.js'
import { startEmbeddedPostgres } from '../local/postgres.js'
import { type NetscriptProcess, startNetscript } from './support/process.js'
import { startTestService, type TestService } from './support/service.js'
import { me, signIn, startSignIn } from './support/sign-in.js'
import { completeLogin } from './support/oidc-login.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const AUDIENCE = 'https://orders.example'

describe('netscript auth', () => {
  let service: TestService
  const running: NetscriptProcess[] = []
  beforeAll(async () => {
    service = await startTestService({ env: { NETSCRIPT_AUTH_TOKEN_AUDIENCES: AUDIENCE } })
  })
  afterEach(async () => {
    for (const one of running.splice(0)) await one.end('SIGKILL')
  })
  afterAll(() => service.close())

  const netscriptWith = async (
    env: Record<string, string>,
    ...args: string[]
  ): Promise<{ code: number | null; text: string }> => {
    const started = startNetscript(['auth', ...args], env)
    running.push(started)
    return { code: await started.ended, text: started.output().trim() }
  }
  const netscript = (...args: string[]) =>
    netscriptWith({ DATABASE_URL: service.databaseUrl }, ...args)
  const signedIn = async (login: string): Promise<UserAgent> => {
    const agent = createUserAgent(service.origin)
    await signIn(agent, login)
    return agent
  }

  it('lists and ends the sessions of a user, at once and of no other', async () => {
    const [one, two, other] = [
      await signedIn('ada'),
      await signedIn('ada'),
      await signedIn('grace'),
    ]
    const { user, session } = await me(one)
    const listed = await netscript('session', 'list', user.id, '--json')
    const { sessions } = JSON.parse(listed.text) as { sessions: { id: string }[] }
    expect(sessions.map(({ id }) => id)).toContain(session.id)
    expect(await netscript('session', 'revoke', session.id)).toEqual({ code: 0, text: 'Ended.' })
    expect(await netscript('session', 'revoke', session.id)).toMatchObject({ code: 1 })
    expect((await me(one)).authenticated).toBe(false)
    const all = await netscript('session', 'revoke-all', user.id)
    expect(all).toEqual({ code: 0, text: 'Ended 1 session.' })
    expect((await me(two)).authenticated).toBe(false)
    expect((await me(other)).authenticated).toBe(true)
  })

  it.each(['-', '--', '-h', '-V', '-j'])(
    'ends a session whose id begins with %s, which is no option',
    async (start) => {
      const id = start.padEnd(43, 'x')
      const pool = createPool(service.databaseUrl)
      const { users, sessions } = createPostgresStores(pool)
      const identity = { providerId: 'local', issuer: 'local', subject: 'dash' }
      const { userId } = await users.signIn({ ...identity, profile: {} })
      await sessions.create(sessionRecord(userId, { ...identity, id }))
      expect(await netscript('session', 'revoke', id, '--json')).toEqual({
        code: 0,
        text: '{"revoked":1}',
      })
      expect(await sessions.get(id)).toBeUndefined()
      await pool.end()
    },
  )

  it('disables a user: no session, no sign-in, until they are enabled again', async () => {
    const agent = await signedIn('grace')
    const { id } = (await me(agent)).user
    expect((await netscript('user', 'disable', id)).text).toBe('Disabled; all sessions are ended.')
    expect((await me(agent)).authenticated).toBe(false)
    const { redirectUrl } = await startSignIn(agent)
    const refused = await agent.fetch(await completeLogin(redirectUrl, { login: 'grace' }))
    expect(refused.status).toBe(403)
    expect(await refused.json()).toMatchObject({ code: 'AUTH_USER_DISABLED' })
    expect((await netscript('user', 'enable', id)).code).toBe(0)
    expect((await me(await signedIn('grace'))).user.id).toBe(id)
  })

  it('deletes a user; the next sign-in makes a new one', async () => {
    const agent = await signedIn('katherine')
    const { id } = (await me(agent)).user
    expect((await netscript('user', 'delete', id)).code).toBe(0)
    expect((await me(agent)).authenticated).toBe(false)
    expect((await me(await signedIn('katherine'))).user.id).not.toBe(id)
    expect(await netscript('user', 'delete', id)).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^There is no such user\./) as string,
    })
  })

  it('gives and takes roles, in force at the next request and in the next token', async () => {
    const agent = await signedIn('ada')
    const other = await signedIn('grace')
    const { id } = (await me(agent)).user
    const rolesOf = async (one: UserAgent): Promise<readonly string[]> =>
      ((await me(one)).session as unknown as { roles: string[] }).roles
    const rolesOfToken = async (): Promise<unknown> => {
      const response = await agent.post('/api/v1/auth/token', { audience: AUDIENCE })
      return decodeJwt(((await response.json()) as { token: string }).token).roles
    }
    const before = await rolesOf(agent)
    const added = await netscript('user', 'roles', 'add', id, 'admin', 'Sales, EU')
    expect(added).toEqual({ code: 0, text: 'Roles of the operator:\n  admin\n  Sales, EU' })
    expect(await rolesOf(agent)).toEqual(['admin', 'Sales, EU', ...before])
    expect(await rolesOf(other)).toEqual(before)
    expect(await rolesOfToken()).toEqual(await rolesOf(agent))
    expect((await netscript('user', 'show', id)).text).toMatch(/^Roles +admin, Sales, EU/m)
    expect((await netscript('session', 'list', id)).text).toMatch(/^ROLES +admin, Sales, EU/m)
    expect(await rolesOf(await signedIn('ada'))).toEqual(['admin', 'Sales, EU', ...before])
    const removed = await netscript('user', 'roles', 'remove', id, 'admin', '--json')
    expect(JSON.parse(removed.text)).toEqual({ found: true, roles: ['Sales, EU'] })
    expect(await rolesOf(agent)).toEqual(['Sales, EU', ...before])
    expect(await rolesOfToken()).toEqual(await rolesOf(agent))
    expect((await netscript('user', 'roles', 'remove', id, 'Sales, EU')).text).toBe(
      'The operator gives no roles.',
    )
    expect(await netscript('user', 'roles', 'add', id, ' ')).toMatchObject({
      code: 1,
      text: expect.stringContaining('A role has 1 to 256 characters') as string,
    })
  })

  it('finds a user by e-mail address, name, user id, subject and provider', async () => {
    const { user, session } = await me(await signedIn('ada'))
    const found = async (...args: string[]): Promise<string[]> => {
      const { text } = await netscript('user', ...args, '--json')
      return (JSON.parse(text) as { users: { id: string }[] }).users.map(({ id }) => id)
    }
    for (const text of [user.email, 'ADA@EXAMPLE', 'lovelace', user.id, session.subject]) {
      expect(await found('find', text ?? ''), text).toEqual([user.id])
    }
    expect(await found('list', '--provider', 'local')).toContain(user.id)
    expect(await found('list', '--provider', 'google')).toEqual([])
    expect(await netscript('user', 'find', '100%')).toEqual({ code: 1, text: 'No user matches.' })
    const shown = await netscript('user', 'show', user.id)
    expect(shown.code).toBe(0)
    for (const text of [user.id, user.email, 'local: ', 'Live sessions']) {
      expect(shown.text).toContain(text)
    }
  })

  it.each([
    ['session', 'list'],
    ['session', 'revoke-all'],
    ['user', 'show'],
    ['user', 'disable'],
    ['user', 'roles', 'add', 'unknown-id', 'admin'],
    ['user', 'roles', 'remove', 'unknown-id', 'admin'],
  ])('%s %s of a user that does not exist says so and ends with 1', async (...command) => {
    const id = command.length === 2 ? ['unknown-id'] : []
    expect(await netscript(...command, ...id)).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^There is no such user\./) as string,
    })
  })

  it('works on the sessions of WorkOS when that is the backend, and refuses by name what WorkOS cannot do', async () => {
    const api = await startWorkosApi()
    onTestFinished(() => api.stop())
    const { sessionId } = await api.sealSession({ id: 'user_1', email: 'one@example.com' })
    const workos = (...args: string[]) =>
      netscriptWith(
        {
          NETSCRIPT_AUTH_BACKEND: 'workos',
          WORKOS_API_KEY: api.apiKey,
          WORKOS_CLIENT_ID: api.clientId,
          WORKOS_COOKIE_PASSWORD: api.cookiePassword,
          WORKOS_API_URL: api.url,
        },
        ...args,
      )
    expect((await workos('user', 'find', 'one@example.com')).text).toContain('user_1')
    expect((await workos('session', 'list', 'user_1')).text).toContain(sessionId)
    expect(await workos('user', 'disable', 'user_1')).toMatchObject({
      code: 1,
      text: expect.stringContaining('workos does not support disabling a user') as string,
    })
    expect(await workos('user', 'roles', 'add', 'user_1', 'admin')).toMatchObject({
      code: 1,
      text: expect.stringContaining('workos does not support giving roles') as string,
    })
    expect(api.isActive(sessionId)).toBe(true)
    expect(await workos('session', 'revoke-all', 'user_1')).toMatchObject({
      code: 0,
      text: expect.stringMatching(
        /^Ended 1 session\.\s+An access token .*\suntil\s+it\s+expires/s,
      ) as string,
    })
    expect(api.isActive(sessionId)).toBe(false)
  })

  it('acts on the users and sessions of better-auth', async () => {
    const server = await startTestServer()
    onTestFinished(() => server.close())
    const person = await signUp(server)
    const betterAuth = (...args: string[]) =>
      netscriptWith(
        {
          NETSCRIPT_AUTH_BACKEND: 'better-auth',
          BETTER_AUTH_SECRET: server.secret,
          DATABASE_URL: server.databaseUrl,
        },
        ...args,
      )
    expect(await betterAuth('user', 'roles', 'add', person.userId, 'admin')).toMatchObject({
      code: 1,
      text: expect.stringContaining('better-auth does not support giving roles') as string,
    })
    const [session] = await server.prisma.authSession.findMany()
    const { code, text } = await betterAuth('session', 'list', person.userId, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(text)).toMatchObject({
      sessions: [{ id: session?.id, provider: 'better-auth' }],
    })
    expect(text).not.toContain(session?.token)
    expect(await betterAuth('session', 'revoke-all', person.userId)).toEqual({
      code: 0,
      text: 'Ended 1 session.',
    })
    expect((await person.client.getSession()).data).toBeNull()
    expect(await betterAuth('user', 'disable', person.userId)).toMatchObject({ code: 0 })
    expect((await person.client.signIn.email(person.credentials)).error?.status).toBe(403)
    expect(await betterAuth('user', 'disable', 'nobody')).toMatchObject({ code: 1 })
    expect(await betterAuth('user', 'enable', person.userId)).toMatchObject({ code: 0 })
    expect((await person.client.signIn.email(person.credentials)).error).toBeNull()
  })

  it('uses the embedded database without DATABASE_URL, as netscript db does', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'netscript-operator-'))
    const postgres = await startEmbeddedPostgres({
      dataDir: join(directory, 'postgres'),
      settings: { fsync: 'off', max_connections: '20', shared_buffers: '1MB' },
    })
    onTestFinished(async () => {
      await postgres.stop()
      rmSync(directory, { recursive: true })
    })
    const pool = createPool(postgres.url)
    await applyMigrations(pool)
    const identity = { providerId: 'local', issuer: 'local', subject: 'ada', profile: {} }
    const { userId } = await createPostgresUserStore(pool).signIn(identity)
    await pool.end()
    const env = { NETSCRIPT_AUTH_DATA_DIR: directory }
    expect((await netscriptWith(env, 'session', 'list', userId)).text).toBe('No live sessions.')
    expect((await netscriptWith(env, 'user', 'show', userId)).text).toContain('local: ada')
  })

  it('lists the providers that are configured, without secrets, and the presets', async () => {
    const google = {
      NETSCRIPT_AUTH_CLIENT_ID: 'my-client',
      NETSCRIPT_AUTH_CLIENT_SECRET: 'my-secret',
      NETSCRIPT_AUTH_REDIRECT_URI: 'https://auth.example/api/v1/auth/callback',
    }
    const { code, text } = await netscriptWith(google, 'provider', 'list')
    expect(code).toBe(0)
    expect(text).toMatch(
      /^google +Google +oidc +https:\/\/auth\.example\/api\/v1\/auth\/callback$/m,
    )
    expect(text).toMatch(/^Presets: .*github/m)
    expect(text).not.toContain('my-secret')
    const json = await netscriptWith({}, 'provider', 'list', '--json')
    expect(JSON.parse(json.text)).toMatchObject({ backend: 'kv-oauth', providers: [] })
    const half = { NETSCRIPT_AUTH_CLIENT_SECRET: 'my-secret' }
    expect(await netscriptWith(half, 'provider', 'list')).toMatchObject({
      code: 1,
      text: expect.stringContaining(
        'NETSCRIPT_AUTH_CLIENT_ID, NETSCRIPT_AUTH_REDIRECT_URI are not set',
      ) as string,
    })
  })

  it('generates secrets that the service accepts', async () => {
    const { text } = await netscript('secret', 'generate')
    expect(text).toMatch(/^[\w-]{43}$/)
    expect((await netscript('secret', 'generate', 'better-auth')).text).toHaveLength(64)
    expect(await netscript('secret', 'generate', 'soup')).toMatchObject({
      code: 1,
      text: expect.stringContaining('Use one of: kv-oauth-key') as string,
    })
  })
})
