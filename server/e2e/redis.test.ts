import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { describeWithRedis } from '../../backends/kv-oauth/storage/testing/describe-with-redis.js'
import {
  ask,
  startTestRedisCluster,
  type TestRedisCluster,
} from '../../backends/kv-oauth/storage/testing/redis-server.js'
import type { AuthService } from '../service.js'
import { type NetscriptProcess, startNetscript } from './support/process.js'
import { startTestService, type TestService } from './support/service.js'
import { me, signIn, startSignIn } from './support/sign-in.js'
import { completeLogin } from './support/oidc-login.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

describeWithRedis('the service with NETSCRIPT_AUTH_SESSION_STORE', () => {
  let cluster: TestRedisCluster
  let service: TestService
  let other: AuthService
  let db: pg.Client
  const running: NetscriptProcess[] = []
  beforeAll(async () => {
    cluster = await startTestRedisCluster()
    service = await startTestService({ env: { NETSCRIPT_AUTH_SESSION_STORE: cluster.urls } })
    other = await service.startAnother()
    db = new pg.Client({ connectionString: service.databaseUrl })
    await db.connect()
  })
  afterEach(async () => {
    for (const one of running.splice(0)) await one.end('SIGKILL')
  })
  afterAll(async () => {
    await db.end()
    await service.close()
    try {
      // The service has closed its connections; the one that asks is left.
      for (const { port } of cluster.nodes) {
        expect(await ask(port, 'info', 'clients')).toMatch(/connected_clients:1\b/)
      }
    } finally {
      await cluster.close()
    }
  })

  const keys = async (): Promise<string[]> => {
    const nodes = await Promise.all(cluster.nodes.map(({ port }) => ask(port, 'keys', '*')))
    return nodes.flatMap((text) => text.split('\n')).filter(Boolean)
  }
  const netscript = async (...args: string[]): Promise<{ code: number | null; text: string }> => {
    const started = startNetscript(['auth', ...args], {
      DATABASE_URL: service.databaseUrl,
      NETSCRIPT_AUTH_SESSION_STORE: cluster.urls,
    })
    running.push(started)
    return { code: await started.ended, text: started.output().trim() }
  }
  const signedIn = async (login: string): Promise<UserAgent> => {
    const agent = createUserAgent(service.origin)
    expect((await signIn(agent, login)).status).toBe(303)
    return agent
  }
  /** What the other process says to the same browser. */
  const meElsewhere = async (agent: UserAgent): Promise<unknown> => {
    const cookie = await agent.jar.getCookieString('https://localhost/')
    return (await fetch(`${other.url}/api/v1/auth/me`, { headers: { cookie } })).json()
  }

  it('signs in and out with nothing in Postgres but the user and the audit trail', async () => {
    const agent = await signedIn('ada')
    const { session } = await me(agent)
    expect(await meElsewhere(agent)).toMatchObject({ session: { id: session.id } })
    const stored = await keys()
    expect(stored).toContain(`ns:{session:${session.id}}`)
    expect(stored).toContain(`ns:{session:${session.id}}:tokens`)
    for (const table of ['auth_keyv', 'auth_provider_tokens']) {
      expect((await db.query(`SELECT * FROM ${table}`)).rows).toEqual([])
    }
    expect((await agent.post('/api/v1/auth/signout')).status).toBe(200)
    expect(await meElsewhere(agent)).toEqual({ authenticated: false })
    expect((await keys()).filter((key) => key.includes(session.id))).toEqual([])
    const { rows } = await db.query<{ type: string }>(
      'SELECT type FROM auth_audit_events WHERE session_id = $1 ORDER BY id',
      [session.id],
    )
    expect(rows.map(({ type }) => type)).toEqual(['sign-in.completed', 'session.signed-out'])
  })

  it('shows a sign-out from everywhere to the next request of every process', async () => {
    const [one, two] = [await signedIn('ada'), await signedIn('ada')]
    expect((await one.post('/api/v1/auth/signout', { everywhere: true })).status).toBe(200)
    for (const agent of [one, two]) {
      expect(await meElsewhere(agent)).toEqual({ authenticated: false })
      expect((await me(agent)).authenticated).toBe(false)
    }
  })

  it('lets an operator list, end, disable, enable and delete', async () => {
    const [one, two] = [await signedIn('grace'), await signedIn('grace')]
    const { user, session } = await me(one)
    const listed = await netscript('session', 'list', user.id, '--json')
    const { sessions } = JSON.parse(listed.text) as { sessions: { id: string }[] }
    expect(sessions.map(({ id }) => id)).toContain(session.id)
    expect(await netscript('session', 'revoke', session.id)).toEqual({ code: 0, text: 'Ended.' })
    expect((await me(one)).authenticated).toBe(false)
    expect((await netscript('user', 'disable', user.id)).text).toMatch(/^Disabled/)
    expect((await me(two)).authenticated).toBe(false)
    const { redirectUrl } = await startSignIn(two)
    const refused = await two.fetch(await completeLogin(redirectUrl, { login: 'grace' }))
    expect(refused.status).toBe(403)
    expect((await netscript('user', 'enable', user.id)).code).toBe(0)
    const three = await signedIn('grace')
    expect((await netscript('user', 'delete', user.id)).code).toBe(0)
    expect((await me(three)).authenticated).toBe(false)
  })

  it('is ready while Redis and Postgres are', async () => {
    expect((await fetch(`${service.origin}/health/ready`)).status).toBe(200)
  })

  it.each([
    ['is no address of Redis', 'memcached://secret@localhost', /SESSION_STORE must be redis:/],
    ['does not answer', 'redis://:secret@127.0.0.1:1', /session store is unavailable/i],
  ])('says so to an operator when it %s', async (_why, value, message) => {
    const started = startNetscript(['auth', 'session', 'list', 'nobody'], {
      DATABASE_URL: service.databaseUrl,
      NETSCRIPT_AUTH_SESSION_STORE: value,
    })
    running.push(started)
    expect(await started.ended).toBe(1)
    expect(started.output()).toMatch(message)
    expect(started.output()).not.toContain('secret')
  })
})
