import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { me, SESSION_COOKIE, signIn } from '../support/sign-in.js'
import { createUserAgent, type UserAgent } from '../support/user-agent.js'
import { ask, startLoad } from './load.js'
import { type Scene, startScene } from './scene.js'
import type { ServiceProcess } from './service-process.js'

/** Tables that the service writes to, including the audit trail. */
const TABLES = [
  'auth_keyv',
  'auth_provider_tokens',
  'auth_audit_events',
  'auth_rate_limits',
  'auth_users',
  'auth_accounts',
]
const MINUTE = 60_000

describe('the disk of Postgres is full', () => {
  let scene: Scene
  let service: ServiceProcess
  let db: pg.Client
  let agent: UserAgent
  beforeAll(async () => {
    scene = await startScene()
    service = scene.services[0]!
    db = new pg.Client({ connectionString: scene.settings.databaseUrl })
    await db.connect()
    // The error of Postgres when it cannot extend a file: 53100.
    await db.query(`CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
      END $$`)
    agent = createUserAgent(scene.settings.origin)
    expect((await signIn(agent)).status).toBe(303)
  })
  afterAll(async () => {
    await db.end()
    await scene.close()
  })

  const fill = async (tables = TABLES): Promise<void> => {
    for (const table of tables) {
      await db.query(`CREATE TRIGGER disk_full BEFORE INSERT OR UPDATE OR DELETE ON ${table}
        FOR EACH STATEMENT EXECUTE FUNCTION disk_full()`)
    }
  }
  const makeRoom = async (tables = TABLES): Promise<void> => {
    for (const table of tables) await db.query(`DROP TRIGGER IF EXISTS disk_full ON ${table}`)
  }
  afterEach(async () => {
    await makeRoom()
    service.expectUnharmed()
  })

  /** Moves all sign-ins and last uses back by this long. */
  const age = async (ms: number): Promise<void> => {
    await db.query(
      `UPDATE auth_keyv SET value = jsonb_set(value::jsonb, '{value,issuedAt}',
         to_jsonb(((value::jsonb)->'value'->>'issuedAt')::bigint - $1::bigint))::text
       WHERE user_id IS NOT NULL`,
      [ms],
    )
  }
  const expectUnavailable = async (response: Response): Promise<void> => {
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await response.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    // Nothing changed, so the cookie must stay.
    expect(response.headers.getSetCookie().join()).not.toContain(SESSION_COOKIE)
  }

  it('reads continue and no user is signed out, even when an extension is due', async () => {
    await age(20 * MINUTE)
    await fill()
    const load = startLoad(service.origin, scene.people)
    await load.more('right', 200)
    expect((await me(agent)).authenticated).toBe(true)
    expect(await service.readiness()).toBe(200)
    await load.finish(['right'])
    await makeRoom()
  })

  it('signing in is 503, and works again when there is space', async () => {
    await fill()
    const visitor = createUserAgent(scene.settings.origin)
    await expectUnavailable(await visitor.post('/api/v1/auth/signin'))
    await makeRoom()
    expect((await signIn(visitor, 'grace')).status).toBe(303)
    expect((await me(visitor)).session.subject).toBe('grace')
  })

  it.each(['auth_audit_events', 'auth_provider_tokens'])(
    'a callback that cannot write %s signs no user in',
    async (table) => {
      const visitor = createUserAgent(scene.settings.origin)
      expect((await signIn(visitor, 'grace')).status).toBe(303)
      const before = await me(visitor)
      await fill([table])
      const trying = createUserAgent(scene.settings.origin)
      const refused = await signIn(trying, 'grace').catch(() => undefined)
      if (refused) await expectUnavailable(refused)
      expect(await me(trying)).toEqual({ authenticated: false })
      await makeRoom([table])
      expect(await me(visitor)).toEqual(before)
    },
  )

  it.each([
    ['any table', TABLES],
    ['auth_keyv', ['auth_keyv']],
    ['auth_audit_events', ['auth_audit_events']],
  ])(
    'signing out that cannot write %s is 503 and leaves the session as it is',
    async (_which, tables) => {
      const before = await me(agent)
      await fill(tables)
      for (const input of [{}, { everywhere: true }]) {
        await expectUnavailable(await agent.post('/api/v1/auth/signout', input))
        expect(await me(agent)).toEqual(before)
      }
      await makeRoom(tables)
      expect((await agent.post('/api/v1/auth/signout')).status).toBe(200)
      expect(await me(agent)).toEqual({ authenticated: false })
      await signIn(agent)
    },
  )

  it('loses no session that was there before', async () => {
    for (const person of scene.people) expect(await ask(service.origin, person)).toBe('right')
  })
})
