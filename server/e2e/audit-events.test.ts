import { randomBytes, randomUUID } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBetterAuthOperator } from '../../backends/better-auth/operator.js'
import { createOperator } from '../../backends/kv-oauth/operator.js'
import type { Operator } from '../../backends/operator.js'
import { createPool } from '../../prisma/pool.js'
import { createTestDatabase } from '../../prisma/test-database.js'
import { readConfig } from '../config/config.js'
import { freePort } from '../local/loopback.js'
import { createLogger } from '../log.js'
import { createAuthService } from '../service.js'
import { startTestService } from './support/service.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const API = '/api/v1/auth'
const MAX = 2
const SETTINGS = { NETSCRIPT_AUTH_MAX_SESSIONS_PER_USER: String(MAX) }

/** A service on one of the backends. */
interface Scene {
  readonly pool: PostgresPool
  readonly operator: Operator
  /** Creates a user with an account and no session, who can sign in repeatedly. */
  newUser(): Promise<User>
  close(): Promise<void>
}

interface User {
  signIn(): Promise<{ agent: Agent; status: number }>
}

/** A browser of the user at the service. */
interface Agent extends UserAgent {
  readonly origin: string
}

const agentOf = (origin: string): Agent => ({ ...createUserAgent(origin), origin })

async function kvOAuth(): Promise<Scene> {
  const service = await startTestService({ env: SETTINGS })
  const pool = createPool(service.databaseUrl)
  const operator = createOperator(pool)
  return {
    pool,
    operator,
    async newUser() {
      for (const { id } of (await operator.findUsers()).users) await operator.deleteUser(id)
      return {
        async signIn() {
          const agent = agentOf(service.origin)
          return { agent, status: (await signIn(agent, 'ada')).status }
        },
      }
    },
    async close() {
      await pool.end()
      await service.close()
    },
  }
}

async function betterAuth(): Promise<Scene> {
  const database = await createTestDatabase()
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const env = {
    ...SETTINGS,
    PORT: String(port),
    NETSCRIPT_AUTH_BACKEND: 'better-auth',
    BETTER_AUTH_SECRET: randomBytes(32).toString('base64url'),
  }
  const service = await createAuthService({
    config: readConfig(env, { production: false }),
    env,
    logger: createLogger('silent'),
    databaseUrl: database.url,
  })
  const pool = createPool(database.url)
  return {
    pool,
    operator: createBetterAuthOperator(pool),
    async newUser() {
      const person = {
        name: 'Ada',
        email: `${randomUUID()}@example.com`,
        password: 'a-long-password',
      }
      const post = async (path: string) => {
        const agent = agentOf(origin)
        const { status } = await agent.post(`/api/auth/${path}`, person, { origin })
        return { agent, status }
      }
      const { agent } = await post('sign-up/email')
      expect((await agent.post(`${API}/signout`, {}, { origin })).status).toBe(200)
      return { signIn: () => post('sign-in/email') }
    },
    async close() {
      await pool.end()
      await service.close()
      await database.drop()
    },
  }
}

const idsOf = async (agent: Agent): Promise<{ userId: string; sessionId: string }> => {
  const { user, session } = await me(agent)
  return { userId: user.id, sessionId: session.id }
}
const remove = (agent: Agent, path: string): Promise<Response> =>
  agent.fetch(API + path, { method: 'DELETE', headers: { origin: agent.origin } })

/** Actions after a user signed in twice, in two browsers. */
const ACTS: Record<string, (scene: Scene, user: User, agents: [Agent, Agent]) => Promise<unknown>> =
  {
    nothing: () => Promise.resolve(),
    'a sign-out': (_, _user, [agent]) => agent.post(`${API}/signout`, {}, { origin: agent.origin }),
    'a sign-out, twice': async (_, _user, [agent]) => {
      await agent.post(`${API}/signout`, {}, { origin: agent.origin })
      await agent.post(`${API}/signout`, {}, { origin: agent.origin })
    },
    'a sign-out everywhere': (_, _user, [agent]) =>
      agent.post(`${API}/signout`, { everywhere: true }, { origin: agent.origin }),
    'the end of the other session': async (_, _user, [agent, other]) =>
      remove(agent, `/sessions/${(await idsOf(other)).sessionId}`),
    'the end of all other sessions': (_, _user, [agent]) => remove(agent, '/sessions'),
    'the end of a session by an operator': async ({ operator }, _user, [agent]) =>
      operator.revokeSession((await idsOf(agent)).sessionId),
    'the end of all sessions by an operator': async ({ operator }, _user, [agent]) =>
      operator.revokeSessions((await idsOf(agent)).userId),
    'a sign-in too many': (_, user) => user.signIn(),
    disabling: async ({ operator }, _user, [agent]) =>
      operator.disableUser((await idsOf(agent)).userId),
    'disabling, and a sign-in afterwards': async ({ operator }, user, [agent]) => {
      const { userId } = await idsOf(agent)
      await operator.disableUser(userId)
      expect((await user.signIn()).status).toBe(403)
      await operator.enableUser(userId)
    },
    deletion: async ({ operator }, _user, [agent]) =>
      operator.deleteUser((await idsOf(agent)).userId),
  }

interface Event {
  type: string
  reason: string | null
  session: number
  user: number
  hasProvider: boolean
}

/** The events of an action, with users and sessions replaced by numbers. */
async function eventsOf(scene: Scene, act: (typeof ACTS)[string]): Promise<Event[]> {
  // Tests sign in more often than users do.
  await scene.pool.query('DELETE FROM auth_rate_limits')
  const user = await scene.newUser()
  const { rows: before } = await scene.pool.query<{ last: string }>(
    'SELECT coalesce(max(id), 0) AS last FROM auth_audit_events',
  )
  const agents: [Agent, Agent] = [(await user.signIn()).agent, (await user.signIn()).agent]
  await act(scene, user, agents)
  const { rows } = await scene.pool.query<Record<string, string | null>>(
    `SELECT type, reason, session_id, subject_hash, provider_id FROM auth_audit_events
     WHERE id > $1 AND type <> 'session.refreshed' ORDER BY id`,
    [before[0]?.last],
  )
  const numberOf = (column: string, value: string | null | undefined): number =>
    [...new Set(rows.map((row) => row[column]))].indexOf(value)
  const events = rows.map((row) => ({
    type: row.type!,
    reason: row.reason ?? null,
    session: row.session_id == null ? -1 : numberOf('session_id', row.session_id),
    user: row.subject_hash == null ? -1 : numberOf('subject_hash', row.subject_hash),
    hasProvider: row.provider_id != null,
  }))
  const order = ({ type, reason, session }: Event): string => `${type} ${reason} ${session}`
  return events.sort((a, b) => order(a).localeCompare(order(b)))
}

describe('the audit trail', () => {
  let scenes: Record<'kvOAuth' | 'betterAuth', Scene>
  beforeAll(async () => {
    scenes = { kvOAuth: await kvOAuth(), betterAuth: await betterAuth() }
  })
  afterAll(async () => {
    await scenes.kvOAuth.close()
    await scenes.betterAuth.close()
  })

  it.each(Object.entries(ACTS))(
    'has the same events for %s on better-auth as on kv-oauth',
    async (_, act) => {
      const events = await eventsOf(scenes.kvOAuth, act)
      expect(events.length).toBeGreaterThanOrEqual(2)
      expect(await eventsOf(scenes.betterAuth, act)).toEqual(events)
    },
  )

  it('records neither an unverified sign-up nor the end of its session', async () => {
    const { betterAuth: scene } = scenes
    const { pool } = scene
    await pool.query('DELETE FROM auth_rate_limits')
    const count = async () =>
      (await pool.query<{ count: string }>('SELECT count(*) FROM auth_audit_events')).rows[0]?.count
    const before = await count()
    await scene.newUser()
    expect(await count()).toBe(before)
  })
})
