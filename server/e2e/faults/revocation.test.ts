import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../local/loopback.js'
import { startLoad } from './load.js'
import { type Person, signInPeople } from './people.js'
import { type Scene, startScene } from './scene.js'

const REVOCATIONS = 1_000
const AT_ONCE = 16

describe('a revocation is seen by the next request on every process', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await startScene({ ports: [await freePort(), await freePort()] })
  })
  afterAll(() => scene.close())

  it(`${REVOCATIONS} revocations under load over two processes: 0 stale answers`, async () => {
    const { settings, services } = scene
    const [first, second] = services.map(({ origin }) => origin)
    const database = { databaseUrl: settings.databaseUrl, key: settings.key }
    // Each revocation has a session that ends and another one of the same user, which stays.
    const pairs = chunk(await signInPeople(database, REVOCATIONS, { sessionsEach: 2 }), 2) as [
      Person,
      Person,
    ][]
    const load = startLoad([first!, second!], scene.people, 2)
    const tally = { acknowledged: 0, stale: 0, wrong: [] as unknown[] }

    const revoke = async (ending: Person, staying: Person, number: number): Promise<void> => {
      const [here, there] = number % 2 ? [first!, second!] : [second!, first!]
      // Concurrent reads may return either result, but must not cache it for others.
      const underWay = [here, there].map((origin) => whoIs(origin, ending))
      const status = number % 4 < 2 ? await signOut(here, ending) : await end(here, staying, ending)
      if (status !== 200) return void tally.wrong.push(status)
      tally.acknowledged += 1
      const next = await Promise.all([here, there].map((origin) => whoIs(origin, ending)))
      tally.stale += next.filter((subject) => subject !== undefined).length
      const others = await Promise.all([...underWay, whoIs(there, staying)])
      const known = others.filter((subject) => subject !== undefined)
      tally.wrong.push(...known.filter((subject) => subject !== ending.subject))
      if (others.at(-1) === undefined) tally.wrong.push('signed out with the other one')
    }
    const queue = pairs.entries()
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const [number, [ending, staying]] of queue) await revoke(ending, staying, number)
      }),
    )
    await load.finish(['right'])
    expect(tally).toEqual({ acknowledged: REVOCATIONS, stale: 0, wrong: [] })
    for (const service of services) service.expectUnharmed()
  })
})

/** The subject that GET /me returns, `undefined` when anonymous. */
async function whoIs(origin: string, { cookie }: Person): Promise<string | undefined> {
  const response = await fetch(`${origin}/api/v1/auth/me`, { headers: { cookie } })
  const body = (await response.json()) as { authenticated?: boolean; session?: { subject: string } }
  if (response.status !== 200) throw new Error(`me answered ${response.status}`)
  return body.authenticated ? body.session?.subject : undefined
}

function signOut(origin: string, { cookie }: Person): Promise<number> {
  return status(`${origin}/api/v1/auth/signout`, 'POST', cookie)
}

/** Ends a session from another browser of the same user. */
function end(origin: string, { cookie }: Person, { sessionId }: Person): Promise<number> {
  return status(`${origin}/api/v1/auth/sessions/${sessionId}`, 'DELETE', cookie)
}

async function status(url: string, method: string, cookie: string): Promise<number> {
  const headers = { cookie, 'content-type': 'application/json' }
  const response = await fetch(url, { method, headers, ...(method === 'POST' && { body: '{}' }) })
  await response.arrayBuffer()
  return response.status
}

function chunk<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
