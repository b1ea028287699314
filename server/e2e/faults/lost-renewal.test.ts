import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { RENEWALS_DUE } from '../support/renewals-due.js'
import { me, signIn } from '../support/sign-in.js'
import { createUserAgent, type UserAgent } from '../support/user-agent.js'
import { localProvider, type Scene, startScene } from './scene.js'

/**
 * The provider rotated the tokens, but its response was lost, or Postgres or the process failed before
 * the new ones were stored. The next refresh can only send the old token, which the provider must treat
 * as stolen.
 */
describe('renewed tokens that got lost', () => {
  let scene: Scene
  let front: TokenFront
  let db: pg.Client
  beforeAll(async () => {
    scene = await startScene({
      async provider(origin) {
        const provider = await localProvider(origin, {
          configure: (configuration) => ({ ...configuration, rotateRefreshToken: true }),
        })
        front = await startTokenFront(`${provider.issuer}/token`)
        const stop = async (): Promise<void> => {
          await front.close()
          await provider.stop()
        }
        return { ...provider, stop, tokenEndpoint: front.url }
      },
    })
    db = new pg.Client({ connectionString: scene.settings.databaseUrl })
    await db.connect()
    await db.query(`CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
      END $$`)
  })
  afterAll(async () => {
    await db.end()
    await scene.close()
  })
  beforeEach(() => db.query('DELETE FROM auth_keyv'))

  const signedIn = async (): Promise<UserAgent> => {
    const agent = createUserAgent(scene.settings.origin)
    expect((await signIn(agent)).status).toBe(303)
    await db.query(RENEWALS_DUE)
    return agent
  }
  /** Simulates the time of the next attempt: leases have expired and refreshes are due. */
  const later = async (): Promise<void> => {
    await db.query(`UPDATE auth_provider_tokens SET lease_until = now() - interval '1 second'
                    WHERE lease_until IS NOT NULL`)
    await db.query(RENEWALS_DUE)
  }
  const expectKept = async (agent: UserAgent): Promise<void> => {
    const asked = front.renewals
    for (let read = 0; read < 3; read += 1) {
      expect(await me(agent)).toMatchObject({ authenticated: true, session: { subject: 'ada' } })
    }
    expect(front.renewals).toBe(asked + 1)
    expect((await agent.post('/api/v1/auth/signout')).status).toBe(200)
    expect(await me(agent)).toEqual({ authenticated: false })
    scene.services[0]!.expectUnharmed()
  }

  it('because they could not be stored end no session', async () => {
    const agent = await signedIn()
    await db.query(`CREATE TRIGGER disk_full BEFORE UPDATE OF refresh_token ON auth_provider_tokens
      FOR EACH STATEMENT EXECUTE FUNCTION disk_full()`)
    expect((await me(agent)).session.subject).toBe('ada')
    await db.query('DROP TRIGGER disk_full ON auth_provider_tokens')
    await later()
    await expectKept(agent)
  })

  it('because the answer was lost, end no session', async () => {
    const agent = await signedIn()
    front.loseAnswers(true)
    expect((await me(agent)).session.subject).toBe('ada')
    front.loseAnswers(false)
    await later()
    await expectKept(agent)
  })

  it('while a grant that the provider has ended ends the session, and no other', async () => {
    const [agent, other] = [await signedIn(), await signedIn()]
    const before = await db.query<{ session_key: string; refresh_token: string }>(
      'SELECT session_key, refresh_token FROM auth_provider_tokens',
    )
    expect((await me(agent)).session.subject).toBe('ada')
    // The first refresh revoked this token, so using it again looks like theft.
    for (const { session_key, refresh_token } of before.rows) {
      await db.query('UPDATE auth_provider_tokens SET refresh_token = $2 WHERE session_key = $1', [
        session_key,
        refresh_token,
      ])
    }
    await later()
    expect(await me(agent)).toEqual({ authenticated: false })
    expect((await me(other)).session.subject).toBe('ada')
  })
})

/** A proxy for a token endpoint that can drop responses. */
interface TokenFront {
  readonly url: string
  /** Number of refresh requests that it forwarded. */
  readonly renewals: number
  loseAnswers(lose: boolean): void
  close(): Promise<void>
}

async function startTokenFront(endpoint: string): Promise<TokenFront> {
  let renewals = 0
  let lose = false
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const form = await text(incoming)
    if (form.includes('grant_type=refresh_token')) renewals += 1
    const { authorization = '', 'content-type': type = '' } = incoming.headers
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization, 'content-type': type },
      body: form,
    })
    const body = await answer.text()
    if (lose) outgoing.destroy()
    else outgoing.writeHead(answer.status, { 'content-type': 'application/json' }).end(body)
  }
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    get renewals() {
      return renewals
    },
    loseAnswers(next) {
      lose = next
    },
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
