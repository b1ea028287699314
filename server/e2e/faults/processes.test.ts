import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../../local/loopback.js'
import { ask, type Load, startLoad } from './load.js'
import { type RoundRobin, startRoundRobin } from './round-robin.js'
import { type Scene, startScene } from './scene.js'
import { startVisits, type Visits } from './visits.js'

describe('processes come and go', () => {
  let scene: Scene
  let proxy: RoundRobin | undefined
  let load: Load
  let visits: Visits
  const startBehindProxy = async (count: number): Promise<string> => {
    proxy = await startRoundRobin(0)
    const ports = await Promise.all(Array.from({ length: count }, () => freePort()))
    scene = await startScene({ ports, originPort: proxy.port })
    proxy.use(scene.services.map(({ origin }) => origin))
    return `http://127.0.0.1:${proxy.port}`
  }
  const startUse = async (at: string): Promise<void> => {
    load = startLoad(at, scene.people)
    visits = startVisits(scene.settings.origin, scene.logins)
    await load.more('right', 100)
    await someVisits()
  }
  const someVisits = async (): Promise<void> => {
    const [inside, outside] = [visits.signedIn.length, visits.signedOut.length]
    await expect.poll(() => visits.signedIn.length, { timeout: 20_000 }).toBeGreaterThan(inside)
    await expect.poll(() => visits.signedOut.length, { timeout: 20_000 }).toBeGreaterThan(outside)
  }
  afterEach(async () => {
    await visits.stop()
    await load.stop()
    await proxy?.close()
    proxy = undefined
    await scene.close()
  })

  it('the only one is killed with -9 and started again: what it acknowledged still holds', async () => {
    const port = await freePort()
    scene = await startScene({ ports: [port] })
    const at = scene.services[0]!.origin
    await startUse(at)
    await scene.services[0]!.end('SIGKILL')
    await load.more('unreachable', 10)
    const again = await scene.startService(port)
    expect(await again.readiness()).toBe(200)
    await load.more('right', 100)
    await someVisits()
    await visits.stop()
    await load.finish(['right', 'unreachable'])
    visits.expectRefusals(/unreachable$/)
    await visits.expectKept(at)
    again.expectUnharmed()
  })

  it.each([2, 3])('one of %i is killed with -9: readers do not notice', async (count) => {
    const at = await startBehindProxy(count)
    await startUse(at)
    const [killed, ...others] = scene.services
    await killed!.end('SIGKILL')
    await load.more('right', 200)
    await someVisits()
    await visits.stop()
    await load.finish(['right'])
    expect(proxy!.retried).toBeGreaterThan(0)
    // Requests in flight to the killed process: they cannot be retried, and a callback is single-use.
    visits.expectRefusals(/^(POST \w+ 502|GET callback 400)$/)
    for (const other of others) {
      await visits.expectKept(other.origin)
      other.expectUnharmed()
    }
  })

  it('two are replaced one after the other, by SIGTERM: not one request fails', async () => {
    const at = await startBehindProxy(2)
    await startUse(at)
    const current = [...scene.services]
    for (const [index, old] of current.entries()) {
      expect(await old.end('SIGTERM')).toBe(0)
      const port = Number(new URL(old.origin).port)
      current[index] = await scene.startService(port)
      expect(await current[index].readiness()).toBe(200)
      await load.more('right', 100)
      await someVisits()
    }
    await visits.stop()
    await load.finish(['right'])
    visits.expectRefusals(/^$/)
    for (const service of current) {
      await visits.expectKept(service.origin)
      expect(await ask(service.origin, scene.people[0]!)).toBe('right')
      service.expectUnharmed()
    }
  })
})
