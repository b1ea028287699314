import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../local/loopback.js'
import { type CrashablePostgres, startCrashablePostgres } from './crashable-postgres.js'
import { ask, type Load, startLoad } from './load.js'
import { expectRecovery } from './recovery.js'
import { type Scene, startScene } from './scene.js'
import type { ServiceProcess } from './service-process.js'
import { startVisits, type Visits } from './visits.js'

describe('Postgres goes away and comes back', () => {
  let postgres: CrashablePostgres
  let scene: Scene
  let service: ServiceProcess
  let load: Load | undefined
  let visits: Visits | undefined
  beforeAll(async () => {
    postgres = await startCrashablePostgres(await freePort())
    scene = await startScene({ databaseUrl: postgres.url })
    service = scene.services[0]!
  })
  afterAll(async () => {
    await scene.close()
    await postgres.close()
  })

  afterEach(async () => {
    await visits?.stop()
    await load?.stop()
    service.expectUnharmed()
  })

  const terminate = async (): Promise<number> => {
    const admin = new pg.Client({ connectionString: postgres.url })
    await admin.connect()
    const { rowCount } = await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'netscript-auth'`,
    )
    await admin.end()
    return rowCount ?? 0
  }

  // First, because the first sign-in loads a library that would hide the effect.
  it('without requests, before the first sign-in', async () => {
    for (let round = 0; round < 5; round += 1) {
      expect(await service.readiness()).toBe(200)
      expect(await terminate()).toBeGreaterThan(0)
      await service.untilReadiness(200)
      expect(await ask(service.origin, scene.people[0]!)).toBe('right')
      service.expectUnharmed()
    }
  })

  it.each(['SIGQUIT', 'SIGKILL'] as const)(
    'by %s: no request is anonymous or another user, and it recovers within 2 s',
    async (signal) => {
      load = startLoad(service.origin, scene.people)
      visits = startVisits(scene.settings.origin, scene.logins)
      await load.more('right', 200)
      await expect.poll(() => visits!.signedOut.length, { timeout: 20_000 }).toBeGreaterThan(1)

      await postgres.crash(signal)
      await load.more('unavailable', 50)
      expect(await service.readiness()).toBe(503)
      await postgres.start()
      const returned = performance.now()
      await service.untilReadiness(200)

      await expectRecovery(load, returned)
      const before = visits.signedOut.length
      await expect.poll(() => visits!.signedOut.length, { timeout: 20_000 }).toBeGreaterThan(before)
      await visits.stop()
      await load.finish(['right', 'unavailable'])
      visits.expectRefusals(/ 503$/)
      await visits.expectKept(service.origin)
    },
  )

  it('loses connections repeatedly: a response is right or 503, and the next one is right', async () => {
    load = startLoad(service.origin, scene.people)
    visits = startVisits(scene.settings.origin, scene.logins)
    let terminated = 0
    for (let round = 0; round < 30; round += 1) {
      await load.more('right', 20)
      terminated += await terminate()
    }
    const returned = performance.now()
    expect(terminated).toBeGreaterThan(30)

    await expectRecovery(load, returned)
    await expect.poll(() => visits!.signedOut.length, { timeout: 20_000 }).toBeGreaterThan(0)
    await expect.poll(() => visits!.signedIn.length, { timeout: 20_000 }).toBeGreaterThan(0)
    await visits.stop()
    await load.finish(['right', 'unavailable'])
    visits.expectRefusals(/ 503$/)
    await visits.expectKept(service.origin)
    expect(await ask(service.origin, scene.people[0]!)).toBe('right')
  })
})
