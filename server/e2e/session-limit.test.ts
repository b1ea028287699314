import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPool } from '../../prisma/pool.js'
import { openStores } from '../../backends/kv-oauth/storage/stores.js'
import { sessionRecord } from '../../backends/kv-oauth/storage/session-store-suite.js'
import { describeWithRedis } from '../../backends/kv-oauth/storage/testing/describe-with-redis.js'
import { TEST_CHANGE } from '../../backends/kv-oauth/storage/testing/test-user.js'
import {
  startTestRedis,
  type TestRedis,
} from '../../backends/kv-oauth/storage/testing/redis-server.js'
import { createAuthClient } from '../../client/index.js'
import { createAuthClient as createValidatedClient } from '../../client/validated.js'
import { startNetscript } from './support/process.js'
import { startTestService, type TestService } from './support/service.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const SESSIONS = '/api/v1/auth/sessions'
const MAX = 3

interface Page {
  sessions: { session: { id: string }; current: boolean }[]
  cursor?: string
}

function suite(redis?: () => TestRedis): void {
  let service: TestService
  let db: pg.Client
  const env = (): Record<string, string> => ({
    NETSCRIPT_AUTH_MAX_SESSIONS_PER_USER: String(MAX),
    // A session that is used is marked as used after a second.
    NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS: '1',
    ...(redis && { NETSCRIPT_AUTH_SESSION_STORE: redis().url }),
  })
  beforeAll(async () => {
    service = await startTestService({ env: env() })
    db = new pg.Client({ connectionString: service.databaseUrl })
    await db.connect()
  })
  afterAll(async () => {
    await db.end()
    await service.close()
  })

  const signedIn = async (login: string): Promise<UserAgent> => {
    const agent = createUserAgent(service.origin)
    expect((await signIn(agent, login)).status).toBe(303)
    return agent
  }
  const pageOf = async (agent: UserAgent, query = ''): Promise<Page> => {
    const response = await agent.fetch(SESSIONS + query)
    expect(response.status).toBe(200)
    return (await response.json()) as Page
  }
  const isIn = async (agent: UserAgent): Promise<boolean> => (await me(agent)).authenticated

  it('a sign-in beyond the limit ends the least recently used session', async () => {
    const agents = [await signedIn('ada'), await signedIn('ada'), await signedIn('ada')]
    const foreign = await signedIn('grace')
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const { session: idle } = await me(agents[1]!)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    for (const used of [agents[0]!, agents[2]!]) expect(await isIn(used)).toBe(true)

    const newest = await signedIn('ada')
    expect(await isIn(agents[1]!)).toBe(false)
    for (const kept of [agents[0]!, agents[2]!, newest, foreign]) {
      expect(await isIn(kept)).toBe(true)
    }
    const { rows } = await db.query<{ type: string; reason: string }>(
      `SELECT type, reason FROM auth_audit_events
       WHERE session_id = $1 AND type <> 'session.refreshed' ORDER BY id`,
      [idle.id],
    )
    expect(rows).toEqual([
      { type: 'sign-in.completed', reason: null },
      { type: 'session.revoked', reason: 'session-limit' },
    ])
    expect(service.log.join('')).toContain('"event":"session.evicted"')
  })

  it('a session that the browser brought is replaced before any other ends', async () => {
    const agents = [
      await signedIn('katherine'),
      await signedIn('katherine'),
      await signedIn('katherine'),
    ]
    for (let again = 0; again < 3; again += 1) await signIn(agents[2]!, 'katherine')
    for (const agent of agents) expect(await isIn(agent)).toBe(true)
  })

  it('concurrent sign-ins in two processes leave exactly the maximum', async () => {
    const other = await service.startAnother()
    const started = await Promise.all(
      Array.from({ length: 8 }, () => signedIn('grace').then((agent) => ({ agent }))),
    )
    const states = await Promise.all(started.map(({ agent }) => isIn(agent)))
    expect(states.filter(Boolean).length).toBeLessThanOrEqual(MAX)
    expect(states.some(Boolean)).toBe(true)
    const agent = started[states.indexOf(true)]!.agent
    const cookie = await agent.jar.getCookieString('https://localhost/')
    const elsewhere = await fetch(other.url + SESSIONS, { headers: { cookie } })
    expect(((await elsewhere.json()) as Page).sessions).toHaveLength(MAX)
  })

  describe('a user who has thousands of sessions already', () => {
    const COUNT = 2_000
    let agent: UserAgent
    let current: string
    let userId: string
    let total: number
    beforeAll(async () => {
      agent = await signedIn('katherine')
      const { session, user } = await me(agent)
      ;[current, userId] = [session.id, user.id]
      total = (await pageOf(agent)).sessions.length + COUNT
      const pool = createPool(service.databaseUrl)
      const stores = await openStores({ pool, sessionStore: redis?.().url ?? '' })
      const account = { providerId: 'local', issuer: 'local', subject: userId }
      await stores.users.link(userId, account, TEST_CHANGE)
      const now = Date.now()
      for (let made = 0; made < COUNT; made += 100) {
        await Promise.all(
          Array.from({ length: 100 }, (_, n) =>
            stores.sessions.create(
              sessionRecord(userId, {
                ...account,
                // In groups of one millisecond, and all newer than the current one.
                issuedAt: now + Math.floor((made + n) / 10),
                expiresAt: now + 3_600_000,
                absoluteExpiresAt: now + 3_600_000,
              }),
            ),
          ),
        )
      }
      await stores.close()
      await pool.end()
    })

    it('GET /sessions answers a page, and all of them page by page', async () => {
      const first = await agent.fetch(SESSIONS)
      const text = await first.text()
      expect(text.length).toBeLessThan(100_000)
      const { sessions, cursor } = JSON.parse(text) as Page
      expect(sessions).toHaveLength(100)
      expect(cursor).toBeDefined()

      const ids = new Set<string>()
      let pages = 0
      let next: string | undefined
      do {
        const page = await pageOf(agent, next === undefined ? '' : `?cursor=${next}`)
        for (const { session } of page.sessions) ids.add(session.id)
        next = page.cursor
        pages += 1
      } while (next !== undefined)
      expect(ids.size).toBe(total)
      expect(ids).toContain(current)
      expect(pages).toBe(Math.ceil(total / 100))
    })

    it.each([
      ['the client', createAuthClient],
      ['the validated client', createValidatedClient],
    ])('%s asks for a page', async (_, create) => {
      const cookie = await agent.jar.getCookieString('https://localhost/')
      const client = create({ baseUrl: service.origin, headers: { cookie } })
      const first = await client.sessions({ limit: 2 })
      expect(first.sessions).toHaveLength(2)
      const second = await client.sessions({ limit: 3, cursor: first.cursor! })
      const ids = [...first.sessions, ...second.sessions].map(({ session }) => session.id)
      expect(ids).toEqual(
        (await client.sessions({ limit: 5 })).sessions.map(({ session }) => session.id),
      )
      expect((await client.sessions()).sessions).toHaveLength(100)
      const ended = AbortSignal.abort()
      await expect(client.sessions({ signal: ended })).rejects.toMatchObject({ code: 'ABORTED' })
    })

    it.each([
      ['limit=0', 'limit'],
      ['limit=101', 'limit'],
      ['limit=1.5', 'limit'],
      ['limit=x', 'limit'],
      ['limit=1&limit=2', 'limit'],
      ['cursor=x', 'cursor'],
      ['cursor=1.', 'cursor'],
      ['cursor=1.%00', 'cursor'],
      [`cursor=${'1'.repeat(20)}.x`, 'cursor'],
      [`cursor=1.${'x'.repeat(600)}`, 'cursor'],
    ])('GET /sessions?%s names the field that is wrong', async (query, field) => {
      const response = await agent.fetch(`${SESSIONS}?${query}`)
      expect(response.status).toBe(422)
      expect(await response.json()).toMatchObject({
        code: 'VALIDATION_ERROR',
        data: { fieldErrors: { [field]: [expect.any(String)] } },
      })
    })

    it('the page at / stays small, shows the current session and says that there are more', async () => {
      const text = await (await agent.fetch('/')).text()
      expect(text.length).toBeLessThan(30_000)
      expect(text.match(/data-revoke="(?!others)/g)).toHaveLength(19)
      expect(text).toContain('This one')
      expect(text).toContain('Only the newest sessions are shown.')
    })

    it('the operator lists page by page', async () => {
      const netscript = async (...args: string[]) => {
        const started = startNetscript(['auth', 'session', 'list', userId, ...args], {
          ...env(),
          DATABASE_URL: service.databaseUrl,
        })
        return { code: await started.ended, text: started.output().trim() }
      }
      const first = await netscript('--limit', '2', '--json')
      const page = JSON.parse(first.text) as { sessions: { id: string }[]; cursor: string }
      expect(page.sessions).toHaveLength(2)
      const next = await netscript('--limit', '2', '--cursor', page.cursor)
      expect(next.text).toMatch(/\nMore: --cursor \d+\./)
      for (const { id } of page.sessions) expect(next.text).not.toContain(id)
      expect((await netscript('--limit', '101')).text).toMatch(/--limit must be a number/)
      expect(await netscript('--cursor', 'x')).toMatchObject({ code: 1 })
    })

    it('each sign-in ends a hundred of them, and never its own', async () => {
      const count = async (): Promise<number> => {
        let counted = 0
        let cursor: string | undefined
        do {
          const page = await pageOf(agent, cursor === undefined ? '' : `?cursor=${cursor}`)
          counted += page.sessions.length
          cursor = page.cursor
        } while (cursor !== undefined)
        return counted
      }
      agent = await signedIn('katherine')
      expect(await count()).toBe(total + 1 - 100)
      agent = await signedIn('katherine')
      expect(await count()).toBe(total + 2 - 200)
    })
  })
}

describe('the maximum of sessions per user: Postgres', () => suite())

describeWithRedis('the maximum of sessions per user: Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startTestRedis()
  })
  afterAll(() => redis.close())
  suite(() => redis)
})
