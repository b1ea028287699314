import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../prisma/test-database.js'
import { ask, type Load, startLoad } from './load.js'
import { expectRecovery } from './recovery.js'
import { type Scene, startScene } from './scene.js'
import type { ServiceProcess } from './service-process.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'
import { startVisits, type Visits } from './visits.js'

/** The pool of the service. */
const CONNECTIONS = 10

describe('the way to Postgres', () => {
  let database: TestDatabase
  let proxy: TcpProxy
  let scene: Scene
  let service: ServiceProcess
  let load: Load
  let visits: Visits
  beforeAll(async () => {
    database = await createTestDatabase()
    proxy = await startTcpProxy(database.url)
    scene = await startScene({
      databaseUrl: database.url,
      through: async (url) => proxy.url(url),
    })
    service = scene.services[0]!
  })
  afterAll(async () => {
    await scene.close()
    await proxy.close()
    await database.drop()
  })

  beforeEach(async () => {
    load = startLoad(service.origin, scene.people)
    visits = startVisits(scene.settings.origin, scene.logins)
    await load.more('right', 50)
  })
  afterEach(async () => {
    await visits.stop()
    await load.stop()
    service.expectUnharmed()
  })

  const bothWays = async (): Promise<void> => {
    const [inside, outside] = [visits.signedIn.length, visits.signedOut.length]
    await expect.poll(() => visits.signedIn.length, { timeout: 20_000 }).toBeGreaterThan(inside)
    await expect.poll(() => visits.signedOut.length, { timeout: 20_000 }).toBeGreaterThan(outside)
  }
  /** Every response during the fault was right or 503, and still holds. */
  const expectKept = async (): Promise<void> => {
    await bothWays()
    await visits.stop()
    await load.finish(['right', 'unavailable'])
    visits.expectRefusals(/ 503$/)
    await visits.expectKept(service.origin)
  }

  it('is slow: every answer is right, and late', async () => {
    proxy.slow(20)
    await load.more('right', 100)
    expect(await service.readiness()).toBe(200)
    await bothWays()
    proxy.slow(0)
    await visits.stop()
    await load.finish(['right'])
    visits.expectRefusals(/^$/)
    await visits.expectKept(service.origin)
  })

  it('breaks in the middle of answers, again and again', async () => {
    for (let round = 0; round < 20; round += 1) {
      const before = proxy.cut
      proxy.cutMidAnswer()
      await expect.poll(() => proxy.cut, { interval: 5 }).toBeGreaterThan(before)
      await load.more('right', 10)
    }
    await expectRecovery(load, performance.now())
    expect(load.count('unavailable')).toBeGreaterThan(0)
    await expectKept()
  })

  it.each(['service', 'postgres'] as const)('is closed halfway, towards %s', async (towards) => {
    for (let round = 0; round < 10; round += 1) {
      proxy.halfClose(towards)
      await load.more('right', 10)
    }
    await expectRecovery(load, performance.now())
    await expectKept()
  })

  it('stalls: every response is 503, and everything recovers afterwards', async () => {
    proxy.stall()
    await expect.poll(() => service.readiness(), { timeout: 15_000 }).toBe(503)
    await load.more('unavailable', 6)
    proxy.resume()
    const returned = performance.now()
    await service.untilReadiness(200)
    await expectRecovery(load, returned)
    await expectKept()
  })

  it('drops every connection silently, like a firewall: that costs one timeout, not one per connection', async () => {
    await visits.stop()
    await load.finish(['right'])
    const [person] = scene.people
    // Lists are not read together, so that each takes a connection of its own.
    await Promise.all(
      Array.from({ length: 2 * CONNECTIONS }, () =>
        fetch(`${service.origin}/api/v1/auth/sessions`, { headers: { cookie: person!.cookie } }),
      ),
    )
    expect(proxy.links).toBeGreaterThanOrEqual(CONNECTIONS / 2)
    proxy.forget()
    // A lost packet and a slow response look the same until the timeout.
    expect(await ask(service.origin, person!)).toBe('unavailable')
    const noticed = performance.now()
    load = startLoad(service.origin, scene.people)
    await expectRecovery(load, noticed)
    await load.finish(['right'])
  })

  it('has no connection left: 503 in bounded time, and abandoned queries do not remain', async () => {
    const db = new pg.Pool({ connectionString: database.url, max: 3 })
    // Two transactions: one that took both locks in turn could deadlock with a sign-in.
    const [tokens, sessions] = [await db.connect(), await db.connect()]
    const busy = async (): Promise<number> => {
      const { rows } = await db.query<{ busy: number }>(
        `SELECT count(*)::int AS busy FROM pg_stat_activity WHERE state = 'active'
         AND datname = current_database() AND application_name = 'netscript-auth'`,
      )
      return rows[0]!.busy
    }
    try {
      await tokens.query('BEGIN')
      await tokens.query('LOCK TABLE auth_provider_tokens IN ACCESS EXCLUSIVE MODE')
      // A sign-out reads the tokens, and more users sign out than there are connections.
      const leaving = scene.people.map(({ cookie }) => signOut(service.origin, cookie))
      await expect.poll(busy, { timeout: 5_000 }).toBe(CONNECTIONS)
      // From now on everything that touches a session waits.
      await sessions.query('BEGIN')
      await sessions.query('LOCK TABLE auth_keyv IN ACCESS EXCLUSIVE MODE')
      await expect.poll(() => service.readiness(), { timeout: 15_000 }).toBe(503)
      expect(new Set(await Promise.all(leaving))).toEqual(new Set([503]))
      // Readers continue; by now the first queries have timed out.
      for (let answers = 0; answers < 2; answers += 1) {
        await load.more('unavailable')
        expect(await busy()).toBeLessThanOrEqual(CONNECTIONS)
      }
      await sessions.query('ROLLBACK')
      await tokens.query('ROLLBACK')
      const returned = performance.now()
      await service.untilReadiness(200)
      await expectRecovery(load, returned)
    } finally {
      tokens.release(true)
      sessions.release(true)
      await db.end()
    }
    await expectKept()
    // A rejected request signed no user out.
    for (const person of scene.people) expect(await ask(service.origin, person)).toBe('right')
  })
})

async function signOut(origin: string, cookie: string): Promise<number> {
  const response = await fetch(`${origin}/api/v1/auth/signout`, {
    method: 'POST',
    headers: { cookie, 'content-type': 'application/json' },
    body: '{}',
  })
  await response.arrayBuffer()
  return response.status
}
