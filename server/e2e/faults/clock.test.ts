import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../local/loopback.js'
import { me, signIn } from '../support/sign-in.js'
import { createUserAgent, type UserAgent } from '../support/user-agent.js'
import { ask, type Load, startLoad } from './load.js'
import { type Person, signInPeople } from './people.js'
import { type Scene, startScene } from './scene.js'
import type { ServiceProcess } from './service-process.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** The default idle limit. */
const IDLE = DAY

const CLOCK_SHIFT = new URL('clock-shift.mjs', import.meta.url).pathname

describe('time goes by', () => {
  let scene: Scene
  let service: ServiceProcess
  let db: pg.Client
  let person: Person
  let load: Load | undefined
  beforeAll(async () => {
    scene = await startScene()
    service = scene.services[0]!
    db = new pg.Client({ connectionString: scene.settings.databaseUrl })
    await db.connect()
  })
  afterAll(async () => {
    await db.end()
    await scene.close()
  })
  beforeEach(async () => {
    const [one] = await signInPeople(scene.settings, 1)
    person = one!
  })

  afterEach(async () => {
    await load?.stop()
    service.expectUnharmed()
  })

  /** Simulates the passage of time: moves every instant of the session into the past. */
  const pass = async (ms: number): Promise<void> => {
    await db.query(
      `UPDATE auth_keyv SET value = (
         SELECT jsonb_set(
           jsonb_set(value::jsonb, '{expires}', to_jsonb(((value::jsonb)->>'expires')::bigint - $2)),
           '{value}', (value::jsonb)->'value' || jsonb_object_agg(name, instant::bigint - $2))::text
         FROM jsonb_each_text((value::jsonb)->'value') AS each(name, instant)
         WHERE name IN ('issuedAt', 'expiresAt', 'absoluteExpiresAt', 'refreshedAt'))
       WHERE key = $1`,
      [`session:${person.sessionId}`, ms],
    )
  }
  /** Remaining lifetime of the session by the database's clock. */
  const leftMs = async (): Promise<number> => {
    const { rows } = await db.query<{ left: number }>(
      `SELECT (expires_at - extract(epoch from clock_timestamp()) * 1000)::float8 AS left
       FROM auth_keyv WHERE key = $1`,
      [`session:${person.sessionId}`],
    )
    return rows[0]?.left ?? -Infinity
  }
  const known = (at = service): Promise<string> => ask(at.origin, person)

  it('past the idle limit the session has expired, and a late read does not revive it', async () => {
    await pass(IDLE + 1)
    expect(await Promise.all(Array.from({ length: 20 }, () => known()))).toEqual(
      Array.from({ length: 20 }, () => 'wrong: anonymous'),
    )
    expect(await leftMs()).toBeLessThan(0)
  })

  it('before the idle limit a use extends it, again and again, until the absolute limit', async () => {
    // 7 days are 168 hours: after seven times 23 hours 7 are left, and no use extends them.
    for (let day = 1; day <= 7; day += 1) {
      await pass(23 * HOUR)
      expect(await known()).toBe('right')
      const left = Math.min(IDLE, 7 * DAY - day * 23 * HOUR)
      expect(await leftMs()).toBeGreaterThan(left - MINUTE)
      expect(await leftMs()).toBeLessThanOrEqual(left)
    }
    await pass(7 * HOUR)
    expect(await known()).toBe('wrong: anonymous')
  })

  it('moves all sessions under load: none is lost before the limit, none kept after it', async () => {
    load = startLoad(service.origin, scene.people)
    for (let day = 1; day <= 6; day += 1) {
      await load.more('right', 50)
      for (const one of scene.people) {
        person = one
        await pass(23 * HOUR)
        expect(await known()).toBe('right')
      }
    }
    await load.finish(['right'])
    for (const one of scene.people) {
      person = one
      await pass(IDLE)
      expect(await known()).toBe('wrong: anonymous')
    }
  })

  describe('and the clock of a process is wrong', () => {
    const wrong: ServiceProcess[] = []
    beforeAll(async () => {
      for (const shift of [-25_000, 20 * MINUTE, -2 * DAY, 2 * DAY]) {
        const env = { FAULT_CLOCK_SHIFT_MS: String(shift) }
        wrong.push(await scene.startService(await freePort(), env, [CLOCK_SHIFT]))
      }
    })

    it('by two days: the clock of the database decides who is signed in, everywhere', async () => {
      for (const at of wrong) expect(await known(at)).toBe('right')
      await pass(IDLE - MINUTE)
      for (const at of [...wrong, service]) expect(await known(at)).toBe('right')
      await pass(8 * DAY)
      for (const at of [...wrong, service]) expect(await known(at)).toBe('wrong: anonymous')
    })

    it('by two days: no use shortens a session, and none takes it past its absolute limit', async () => {
      for (const at of wrong) {
        const [one] = await signInPeople(scene.settings, 1)
        person = one!
        await pass(23 * HOUR)
        const before = await leftMs()
        expect(await known(at)).toBe('right')
        expect(await leftMs()).toBeGreaterThan(before - MINUTE)
        expect(await leftMs()).toBeLessThanOrEqual(7 * DAY - 23 * HOUR)
      }
    })

    it.each([
      ['25 seconds behind, which is what the check of an id_token tolerates', 0],
      ['20 minutes ahead, which is within the life of an id_token', 1],
    ])('%s: a sign-in works and holds everywhere', async (_how, index) => {
      const agent = createUserAgent(wrong[index]!.origin.replace('127.0.0.1', 'localhost'))
      expect((await signInThere(agent)).status).toBe(303)
      const { session } = await me(agent)
      expect(session.subject).toBe('ada')
      const cookie = await agent.jar.getCookieString('https://localhost/')
      for (const at of [...wrong, service]) {
        const response = await fetch(`${at.origin}/api/v1/auth/me`, { headers: { cookie } })
        expect(await response.json()).toMatchObject({ session: { id: session.id } })
      }
    })

    it('all at once: every process works', () => {
      for (const at of [...wrong, service]) at.expectUnharmed()
    })

    /** The redirect URI names the first process; send the callback to the requested one. */
    async function signInThere(agent: UserAgent): Promise<Response> {
      const there: UserAgent = {
        ...agent,
        fetch: (url, init) => agent.fetch(url.replace(scene.settings.origin, ''), init),
      }
      return signIn(there)
    }
  })
})
