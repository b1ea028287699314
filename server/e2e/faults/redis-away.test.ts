import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeWithRedis } from '../../../backends/kv-oauth/storage/testing/describe-with-redis.js'
import {
  ask as askRedis,
  DURABLE,
  startTestRedis,
  type TestRedis,
} from '../../../backends/kv-oauth/storage/testing/redis-server.js'
import { freePort } from '../../local/loopback.js'
import { type CrashablePostgres, startCrashablePostgres } from './crashable-postgres.js'
import { ask, type Load, startLoad } from './load.js'
import { expectRecovery } from './recovery.js'
import { type Scene, startScene } from './scene.js'
import type { ServiceProcess } from './service-process.js'
import { startVisits, type Visits } from './visits.js'

describeWithRedis('sessions are in Redis', () => {
  let redis: TestRedis
  let postgres: CrashablePostgres
  let scene: Scene
  let service: ServiceProcess
  let load: Load
  let visits: Visits
  beforeAll(async () => {
    redis = await startTestRedis(DURABLE)
    postgres = await startCrashablePostgres(await freePort())
    scene = await startScene({ databaseUrl: postgres.url, sessionStore: redis.url })
    service = scene.services[0]!
  })
  afterAll(async () => {
    await scene.close()
    await redis.close()
    await postgres.close()
  })

  beforeEach(async () => {
    load = startLoad(service.origin, scene.people)
    visits = startVisits(scene.settings.origin, scene.logins)
    await load.more('right', 100)
    await bothWays()
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

  describe('and Redis', () => {
    it('is killed and restarted repeatedly: 503 meanwhile, and it recovers within 2 s', async () => {
      for (let round = 0; round < 3; round += 1) {
        await redis.stop()
        await load.more('unavailable', 50)
        expect(await service.readiness()).toBe(503)
        await redis.start()
        const returned = performance.now()
        await service.untilReadiness(200)
        await expectRecovery(load, returned)
      }
      await expectKept()
      for (const person of scene.people) expect(await ask(service.origin, person)).toBe('right')
    })

    it('loses connections repeatedly: a response is right or 503', async () => {
      for (let round = 0; round < 30; round += 1) {
        await load.more('right', 20)
        await askRedis(redis.port, 'client', 'kill', 'type', 'normal', 'skipme', 'yes')
      }
      await expectRecovery(load, performance.now())
      await expectKept()
    })

    it('stalls: 503 in bounded time, and everything recovers afterwards', async () => {
      process.kill(redis.pid, 'SIGSTOP')
      try {
        await load.more('unavailable', 50)
        expect(await service.readiness()).toBe(503)
      } finally {
        process.kill(redis.pid, 'SIGCONT')
      }
      const returned = performance.now()
      await service.untilReadiness(200)
      await expectRecovery(load, returned)
      await expectKept()
    })

    it('has no room left: no sign-in works, no session ends', async () => {
      await visits.stop()
      await askRedis(redis.port, 'config', 'set', 'maxmemory', '1')
      const refused = startVisits(scene.settings.origin, scene.logins)
      await load.more('right', 200)
      await refused.stop()
      expect(refused.signedIn).toEqual([])
      refused.expectRefusals(/^POST signin 503$/)
      await askRedis(redis.port, 'config', 'set', 'maxmemory', '0')
      visits = startVisits(scene.settings.origin, scene.logins)
      await bothWays()
      await visits.stop()
      await load.finish(['right'])
      await visits.expectKept(service.origin)
    })
  })

  describe('and Postgres', () => {
    it('is killed: sessions go on, sign-ins and sign-outs are refused', async () => {
      await postgres.crash('SIGKILL')
      await load.more('right', 200)
      expect(await service.readiness()).toBe(503)
      const [person] = scene.people
      const left = await fetch(`${service.origin}/api/v1/auth/signout`, {
        method: 'POST',
        headers: { cookie: person!.cookie, 'content-type': 'application/json' },
        body: '{}',
      })
      expect(left.status).toBe(503)
      // No action without its audit event.
      expect(await ask(service.origin, person!)).toBe('right')
      await postgres.start()
      await service.untilReadiness(200)
      await bothWays()
      await visits.stop()
      await load.finish(['right'])
      visits.expectRefusals(/ 503$/)
      await visits.expectKept(service.origin)
    })
  })
})
