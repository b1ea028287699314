import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startLocalProvider } from '../local/provider.js'
import { startTestService, type TestService } from './support/service.js'
import { RENEWALS_DUE } from './support/renewals-due.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const MINUTE = 60_000

describe('refresh on read', () => {
  let service: TestService
  let db: pg.Pool
  let agent: UserAgent

  const start = async (provider = {}): Promise<void> => {
    service = await startTestService({
      provider,
      env: { NETSCRIPT_AUTH_SCOPES: 'openid profile email offline_access' },
    })
    db = new pg.Pool({ connectionString: service.databaseUrl })
    agent = createUserAgent(service.origin)
    await signIn(agent)
  }
  beforeEach(() => start())
  const stop = async (): Promise<void> => {
    await db.end()
    await service.close()
  }
  afterEach(() => stop())

  /** Moves the sign-in and the last use of the session back by this long. */
  const age = async (ms: number): Promise<void> => {
    await db.query(
      `UPDATE auth_keyv SET value = jsonb_set(value::jsonb, '{value,issuedAt}',
         to_jsonb(((value::jsonb)->'value'->>'issuedAt')::bigint - $1::bigint))::text
       WHERE user_id IS NOT NULL`,
      [ms],
    )
  }
  const row = async (): Promise<{ xmin: string; record: Record<string, number> }> => {
    const { rows } = await db.query<{ xmin: string; record: Record<string, number> }>(
      `SELECT xmin::text, (value::jsonb)->'value' AS record FROM auth_keyv WHERE user_id IS NOT NULL`,
    )
    return rows[0] ?? { xmin: '', record: {} }
  }
  const tokens = async (): Promise<{ refresh_token: string; lease_until: Date | null }> => {
    const { rows } = await db.query<{ refresh_token: string; lease_until: Date | null }>(
      'SELECT refresh_token, lease_until FROM auth_provider_tokens',
    )
    return rows[0]!
  }

  it('writes nothing within the refresh window', async () => {
    const before = await row()
    for (let read = 0; read < 5; read += 1) expect((await me(agent)).authenticated).toBe(true)
    expect(await row()).toEqual(before)
  })

  it('extends the idle deadline past the window, once', async () => {
    await age(20 * MINUTE)
    const before = await row()
    const reads = await Promise.all(Array.from({ length: 20 }, () => me(agent)))
    expect(reads.every(({ authenticated }) => authenticated)).toBe(true)
    const after = await row()
    expect(after.record.version).toBe(before.record.version! + 1)
    const { session } = await me(agent)
    expect(session.refreshedAt).toBeDefined()
    expect(Date.parse(session.expiresAt)).toBeGreaterThan(before.record.expiresAt!)
    expect(await row()).toEqual(after)
  })

  it('never extends past the absolute limit', async () => {
    await age(20 * MINUTE)
    await db.query(
      `UPDATE auth_keyv SET value = jsonb_set(value::jsonb, '{value,absoluteExpiresAt}',
         to_jsonb((extract(epoch from now()) * 1000)::bigint + 90000))::text WHERE user_id IS NOT NULL`,
    )
    await me(agent)
    const { record } = await row()
    expect(record.expiresAt).toBe(record.absoluteExpiresAt)
  })

  it('ends by the clock of the database, idle or absolute', async () => {
    await db.query(
      `UPDATE auth_keyv SET value = jsonb_set(value::jsonb, '{expires}', '1')::text WHERE user_id IS NOT NULL`,
    )
    expect(await me(agent)).toEqual({ authenticated: false })
  })

  it('renews the tokens of the provider with one request, however many read', async () => {
    for (let renewal = 0; renewal < 3; renewal += 1) {
      await db.query(RENEWALS_DUE)
      const before = await tokens()
      const reads = await Promise.all(Array.from({ length: 20 }, () => me(agent)))
      expect(reads.every(({ authenticated }) => authenticated)).toBe(true)
      // The provider rotates refresh tokens and ends the grant when an old one comes back.
      const after = await tokens()
      expect(after.refresh_token).not.toBe(before.refresh_token)
      expect(after.lease_until).toBeNull()
    }
    expect(service.log.join('')).not.toContain('session.ended')
  })

  it('does not refresh one-minute tokens during their first half', async () => {
    await stop()
    await start({ accessTokenTtlSeconds: 60 })
    const before = await tokens()
    for (let read = 0; read < 3; read += 1) expect((await me(agent)).authenticated).toBe(true)
    expect(await tokens()).toEqual(before)
    const { record } = await row()
    const wait = record.tokenRefreshAt! - record.issuedAt!
    expect(wait).toBeGreaterThan(15_000)
    expect(wait).toBeLessThanOrEqual(30_000)
  })

  it('keeps the session while the provider is unavailable, and backs off', async () => {
    await db.query(RENEWALS_DUE)
    await service.provider.stop()
    expect((await me(agent)).authenticated).toBe(true)
    const { record } = await row()
    expect(record.tokenRefreshFailures).toBe(1)
    expect(record.tokenRefreshAt).toBeGreaterThan(Date.now())
    expect((await me(agent)).authenticated).toBe(true)
    expect((await row()).record).toEqual(record)
  })

  it('ends the session when the provider says that the grant has ended', async () => {
    await db.query(RENEWALS_DUE)
    const { issuer } = service.provider
    await service.provider.stop()
    const { variables } = service.config
    // A new instance on the same port does not know the refresh token.
    const amnesiac = await startLocalProvider({
      port: Number(new URL(issuer).port),
      clientId: variables.NETSCRIPT_AUTH_CLIENT_ID ?? '',
      clientSecret: variables.NETSCRIPT_AUTH_CLIENT_SECRET ?? '',
      redirectUris: [variables.NETSCRIPT_AUTH_REDIRECT_URI ?? ''],
      postLogoutRedirectUris: [],
    })
    try {
      expect(await me(agent)).toEqual({ authenticated: false })
      expect(service.log.join('')).toContain('invalid_grant')
      expect(await row()).toEqual({ xmin: '', record: {} })
    } finally {
      await amnesiac.stop()
    }
  })

  it('restores no session when refreshes race sign-outs', async () => {
    for (let round = 0; round < 10; round += 1) {
      await signIn(agent)
      await db.query(RENEWALS_DUE)
      const [, , signout] = await Promise.all([
        me(agent).catch(() => undefined),
        me(agent).catch(() => undefined),
        agent.post('/api/v1/auth/signout', {}),
        me(agent).catch(() => undefined),
      ])
      expect(signout?.status).toBe(200)
      expect(await row()).toEqual({ xmin: '', record: {} })
    }
  })
})
