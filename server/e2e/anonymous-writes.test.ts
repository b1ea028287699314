import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithRedis } from '../../backends/kv-oauth/storage/testing/describe-with-redis.js'
import {
  ask,
  startTestRedis,
  type TestRedis,
} from '../../backends/kv-oauth/storage/testing/redis-server.js'
import { completeLogin } from './support/oidc-login.js'
import { startTestService, type TestService } from './support/service.js'
import { signIn, startSignIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

const API = '/api/v1/auth'
const FORM = 'application/x-www-form-urlencoded'
/** The longest that headers may be. */
const LONG = 'x'.repeat(8_000)

/** All requests that an anonymous caller can send and that are syntactically valid. */
const REQUESTS: [what: string, send: (service: TestService) => Promise<unknown>][] = [
  ['POST /signin', ({ origin }) => startSignIn(createUserAgent(origin))],
  [
    'POST /signin as a form',
    ({ origin }) =>
      createUserAgent(origin).fetch(`${API}/signin`, {
        method: 'POST',
        body: 'redirectTo=%2F&loginHint=ada',
        headers: { 'content-type': FORM, origin },
      }),
  ],
  [
    'POST /signin with long headers',
    ({ origin }) => createUserAgent(origin).post(`${API}/signin`, {}, { 'user-agent': LONG }),
  ],
  [
    'POST /signin for an unknown provider',
    ({ origin }) => createUserAgent(origin).post(`${API}/signin`, { providerId: 'unknown' }),
  ],
  [
    'GET /callback without a transaction',
    ({ origin }) => createUserAgent(origin).fetch(`${API}/callback?state=x&code=y`),
  ],
  [
    'GET /callback of a real transaction with a junk code',
    async ({ origin, provider }) => {
      const agent = createUserAgent(origin)
      const { state } = await startSignIn(agent)
      const query = new URLSearchParams({ state, code: 'junk', iss: provider.issuer })
      expect((await agent.fetch(`${API}/callback?${query.toString()}`)).status).toBe(502)
    },
  ],
  [
    'GET /callback of a real transaction that was declined',
    async ({ origin, provider }) => {
      const agent = createUserAgent(origin)
      const { state } = await startSignIn(agent)
      const query = new URLSearchParams({ state, error: 'access_denied', iss: provider.issuer })
      expect((await agent.fetch(`${API}/callback?${query.toString()}`)).status).toBe(403)
    },
  ],
  [
    'GET /callback of a real transaction from another provider',
    async ({ origin }) => {
      const agent = createUserAgent(origin)
      const { state } = await startSignIn(agent)
      await agent.fetch(`${API}/callback?provider=other&state=${state}&code=junk`)
    },
  ],
  ['POST /signout', ({ origin }) => createUserAgent(origin).post(`${API}/signout`)],
  [
    'POST /signout with a junk session',
    ({ origin }) =>
      createUserAgent(origin).post(
        `${API}/signout`,
        { everywhere: true },
        { cookie: `__Host-ns_session=${LONG}` },
      ),
  ],
  ['GET /logout', ({ origin }) => createUserAgent(origin).fetch(`${API}/logout?ticket=junk`)],
  [
    'GET /logged-out',
    ({ origin }) => createUserAgent(origin).fetch(`${API}/logged-out?state=junk`),
  ],
  [
    'POST /backchannel-logout',
    ({ origin }) =>
      createUserAgent(origin).fetch(`${API}/backchannel-logout`, {
        method: 'POST',
        body: 'logout_token=a.b.c',
        headers: { 'content-type': FORM },
      }),
  ],
  [
    'POST /token',
    ({ origin }) => createUserAgent(origin).post(`${API}/token`, { audience: 'https://x.example' }),
  ],
  ['GET /me', ({ origin }) => createUserAgent(origin).fetch(`${API}/me`)],
  ['GET /sessions', ({ origin }) => createUserAgent(origin).fetch(`${API}/sessions`)],
  [
    'DELETE /sessions',
    ({ origin }) =>
      createUserAgent(origin).fetch(`${API}/sessions`, { method: 'DELETE', headers: { origin } }),
  ],
  ['GET /', ({ origin }) => createUserAgent(origin).fetch('/')],
]

/** Tables that may grow for an anonymous caller, for at most ten minutes. */
const MAY_GROW = new Set(['auth_keyv', 'auth_rate_limits'])

function suite(redis?: () => TestRedis): void {
  let service: TestService
  let db: pg.Client
  beforeAll(async () => {
    service = await startTestService({
      env: { ...(redis && { NETSCRIPT_AUTH_SESSION_STORE: redis().url }) },
    })
    db = new pg.Client({ connectionString: service.databaseUrl })
    await db.connect()
    await signIn(createUserAgent(service.origin), 'ada')
  })
  afterAll(async () => {
    await db.end()
    await service.close()
  })

  async function rowCounts(): Promise<Map<string, number>> {
    const { rows } = await db.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
    )
    const counts = new Map<string, number>()
    for (const { name } of rows) {
      const counted = await db.query<{ count: string }>(`SELECT count(*) FROM "${name}"`)
      counts.set(name, Number(counted.rows[0]?.count))
    }
    return counts
  }

  /** The entries, with size in bytes and remaining lifetime in seconds. */
  async function entries(): Promise<{ size: number; seconds: number }[]> {
    const { rows } = await db.query<{ size: number; seconds: number }>(
      `SELECT length(key) + length(value) AS size,
         (expires_at / 1000 - extract(epoch FROM now()))::int AS seconds
       FROM auth_keyv WHERE user_id IS NULL`,
    )
    if (!redis) return rows
    expect(rows).toEqual([])
    const { port } = redis()
    const keys = (await ask(port, 'keys', 'ns:transaction:*')).split('\n').filter(Boolean)
    return Promise.all(
      keys.map(async (key) => ({
        size: key.length + Number(await ask(port, 'strlen', key)),
        seconds: Number(await ask(port, 'ttl', key)),
      })),
    )
  }

  it.each(REQUESTS)('%s leaves nothing but what expires in ten minutes', async (_, send) => {
    const before = await rowCounts()
    await send(service)
    const grown = [...(await rowCounts())].filter(([name, rows]) => rows > (before.get(name) ?? 0))
    expect(grown.map(([name]) => name).filter((name) => !MAY_GROW.has(name))).toEqual([])
    for (const { size, seconds } of await entries()) {
      expect(size).toBeLessThan(5_000)
      expect(seconds).toBeLessThanOrEqual(600)
    }
  })

  it('the start and the failure of a sign-in are in the log, not in the audit trail', async () => {
    const before = service.log.length
    const agent = createUserAgent(service.origin)
    const { state } = await startSignIn(agent)
    const query = new URLSearchParams({ state, code: 'junk', iss: service.provider.issuer })
    await agent.fetch(`${API}/callback?${query.toString()}`)
    const lines = service.log.slice(before).join('')
    expect(lines).toContain('"event":"sign-in.started"')
    expect(lines).toContain('"event":"sign-in.failed"')
    const { rows } = await db.query(
      `SELECT type FROM auth_audit_events WHERE type NOT IN ('key.rotated', 'sign-in.completed')`,
    )
    expect(rows).toEqual([])
  })

  it('a sign-in that fails after the identity was verified is in the audit trail with the user', async () => {
    const { rows: users } = await db.query<{ subject_hash: string }>(
      `SELECT subject_hash FROM auth_audit_events WHERE type = 'sign-in.completed'`,
    )
    await db.query('UPDATE auth_users SET disabled_at = now()')
    expect((await signIn(createUserAgent(service.origin), 'ada')).status).toBe(403)
    await db.query('UPDATE auth_users SET disabled_at = NULL')
    const { rows } = await db.query(
      `SELECT provider_id, subject_hash, reason FROM auth_audit_events WHERE type = 'sign-in.failed'`,
    )
    expect(rows).toEqual([
      {
        provider_id: 'local',
        subject_hash: users[0]?.subject_hash,
        reason: 'AUTH_USER_DISABLED',
      },
    ])
  })

  it.each([
    ['a long path', { redirectTo: `/${'x'.repeat(1_900)}` }, 200],
    ['a path that is too long', { redirectTo: `/${'x'.repeat(2_048)}` }, 422],
    ['a path that grows by encoding', { redirectTo: `/${'€'.repeat(1_000)}` }, 422],
    ['a path of quotation marks', { redirectTo: `/${'"'.repeat(1_000)}` }, 422],
    ['a query that grows by encoding', { redirectTo: `/?q=${'€'.repeat(1_000)}` }, 422],
    ['a fragment that grows by encoding', { redirectTo: `/#${'€'.repeat(1_000)}` }, 422],
    ['many scopes', { scopes: Array.from({ length: 50 }, () => 'openid') }, 200],
    ['long scopes', { scopes: Array.from({ length: 10 }, (_, n) => `${n}`.repeat(250)) }, 422],
    [
      'long scopes and a long path, each of which would fit',
      { redirectTo: `/${'x'.repeat(1_500)}`, scopes: Array<string>(50).fill('offline_access') },
      422,
    ],
  ])('POST /signin with %s', async (_, input, status) => {
    const agent = createUserAgent(service.origin)
    expect((await agent.post(`${API}/signin`, input)).status).toBe(status)
    for (const { size } of await entries()) expect(size).toBeLessThan(5_000)
  })

  it('POST /signout keeps no return address that grows by encoding', async () => {
    const agent = createUserAgent(service.origin)
    await signIn(agent, 'ada')
    const response = await agent.post(`${API}/signout`, { redirectTo: `/${'€'.repeat(1_000)}` })
    expect(response.status).toBe(422)
  })

  it('a completed transaction is deleted', async () => {
    const before = (await entries()).length
    const agent = createUserAgent(service.origin)
    const { redirectUrl } = await startSignIn(agent, { redirectTo: '/' })
    expect(await entries()).toHaveLength(before + 1)
    await agent.fetch(await completeLogin(redirectUrl, { login: 'ada' }))
    expect(await entries()).toHaveLength(before)
  })
}

describe('what an anonymous caller leaves behind in Postgres', () => suite())

describeWithRedis('what an anonymous caller leaves behind in Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startTestRedis()
  })
  afterAll(() => redis.close())
  suite(() => redis)
})
