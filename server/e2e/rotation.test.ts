import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuthService } from '../service.js'
import { startTestService, type TestService } from './support/service.js'
import { completeLogin } from './support/oidc-login.js'
import { RENEWALS_DUE } from './support/renewals-due.js'
import { me, SESSION_COOKIE, signIn, startSignIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

describe('key rotation: append, roll, move first, roll, drop', () => {
  const [old, fresh] = [randomBytes(32), randomBytes(32)].map((key) => key.toString('base64url'))
  let service: TestService
  let db: pg.Client
  beforeAll(async () => {
    service = await startTestService({
      env: { NETSCRIPT_AUTH_KV_OAUTH_KEY: old ?? '' },
    })
    db = new pg.Client({ connectionString: service.databaseUrl })
    await db.connect()
  })
  afterAll(async () => {
    await db.end()
    await service.close()
  })

  const start = (...keys: (string | undefined)[]): Promise<AuthService> =>
    service.startAnother({ NETSCRIPT_AUTH_KV_OAUTH_KEY: keys.join(',') })
  const signedIn = async (): Promise<UserAgent> => {
    const agent = createUserAgent(service.origin)
    await signIn(agent)
    return agent
  }
  /** Whether the process knows who holds the session of the browser, and can renew its tokens. */
  const isKnown = async (process: AuthService, agent: UserAgent): Promise<boolean> => {
    await db.query(RENEWALS_DUE)
    const cookie = `${SESSION_COOKIE}=${(await agent.cookies('/'))[SESSION_COOKIE]}`
    const response = await fetch(`${process.url}/api/v1/auth/me`, { headers: { cookie } })
    return ((await response.json()) as { authenticated: boolean }).authenticated
  }

  it('loses no session during rotation, and ends those of a dropped key', async () => {
    const early = await signedIn()
    const appended = await start(old, fresh)
    expect(await isKnown(appended, early)).toBe(true)

    const moved = await start(fresh, old)
    expect(await isKnown(moved, early)).toBe(true)
    // A sign-in that began under the old key completes under the new one, and the other way round.
    const late = await signInAcross(service, moved)
    expect(await isKnown(moved, late)).toBe(true)
    expect(await isKnown(appended, late)).toBe(true)

    const dropped = await start(fresh)
    expect(await isKnown(dropped, late)).toBe(true)
    expect(await isKnown(dropped, early)).toBe(false)
    expect(service.log.join('')).toContain('not signed with a key of the keyring')
    expect((await me(early)).authenticated).toBe(true)
  })

  it('has each key in the audit trail once', async () => {
    const { rows } = await db.query(
      `SELECT reason FROM auth_audit_events WHERE type = 'key.rotated'`,
    )
    expect(rows).toHaveLength(2)
  })
})

/** Begins at the service and completes at another process, which signs with its own first key. */
async function signInAcross(service: TestService, other: AuthService): Promise<UserAgent> {
  const agent = createUserAgent(service.origin)
  const { redirectUrl } = await startSignIn(agent)
  const callback = new URL(await completeLogin(redirectUrl, { login: 'grace' }))
  const cookie = await agent.jar.getCookieString(service.origin.replace('http:', 'https:'))
  const response = await fetch(`${other.url}${callback.pathname}${callback.search}`, {
    redirect: 'manual',
    headers: { cookie },
  })
  expect(response.status).toBe(303)
  for (const line of response.headers.getSetCookie()) {
    await agent.jar.setCookie(line, service.origin.replace('http:', 'https:'))
  }
  return agent
}
