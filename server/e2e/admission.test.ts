import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { startTestService, type TestService } from './support/service.js'
import { RENEWALS_DUE } from './support/renewals-due.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

/** Every account of the local provider has a verified address of this domain. */
const DOMAIN = { NETSCRIPT_AUTH_ALLOWED_EMAIL_DOMAINS: 'example.test' }

describe('who may sign in', () => {
  let service: TestService
  let db: pg.Pool
  let agent: UserAgent

  const start = async (env: Record<string, string>): Promise<void> => {
    service = await startTestService({ env })
    db = new pg.Pool({ connectionString: service.databaseUrl })
    agent = createUserAgent(service.origin)
  }
  afterEach(async () => {
    await db.end()
    await service.close()
  })
  const count = async (table: string): Promise<number> =>
    (await db.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`)).rows[0]!
      .count
  const ends = async (): Promise<unknown[]> =>
    (
      await db.query<{ reason: string }>(
        `SELECT reason FROM auth_audit_events WHERE type = 'session.revoked'`,
      )
    ).rows.map(({ reason }) => reason)

  it.each<[string, Record<string, string>]>([
    ['the domain', DOMAIN],
    ['the address', { NETSCRIPT_AUTH_ALLOWED_EMAILS: 'x@y.org, ADA@example.test' }],
    ['the subject', { NETSCRIPT_AUTH_ALLOWED_SUBJECTS: 'ada' }],
    ['everyone', { NETSCRIPT_AUTH_ALLOWED_EMAILS: '*' }],
  ])('are those with %s', async (_what, env) => {
    await start(env)
    expect((await signIn(agent)).status).toBe(303)
    expect((await me(agent)).authenticated).toBe(true)
  })

  it.each<[string, Record<string, string>]>([
    ['of another domain', { NETSCRIPT_AUTH_ALLOWED_EMAIL_DOMAINS: 'test' }],
    ['with another address', { NETSCRIPT_AUTH_ALLOWED_EMAILS: 'grace@example.test' }],
    ['with another subject', { NETSCRIPT_AUTH_ALLOWED_SUBJECTS: 'Ada' }],
    ['without a group', { ...DOMAIN, NETSCRIPT_AUTH_ALLOWED_GROUPS: 'members' }],
    ['without a tenant', { ...DOMAIN, NETSCRIPT_AUTH_ALLOWED_TENANTS: 'one' }],
  ])('are rejected %s, and nothing of them is stored', async (_what, env) => {
    await start({ ...env, NETSCRIPT_AUTH_CONTACT: 'it@example.test' })
    const answer = await signIn(agent)
    expect(answer.status).toBe(403)
    expect(await answer.json()).toMatchObject({
      code: 'AUTH_NOT_ADMITTED',
      detail: expect.stringContaining('Ask it@example.test for access.') as string,
    })
    expect((await me(agent)).authenticated).toBe(false)
    for (const table of ['auth_users', 'auth_accounts', 'auth_provider_tokens', 'auth_keyv']) {
      expect(await count(table), table).toBe(0)
    }
    const { rows } = await db.query(
      `SELECT type, reason FROM auth_audit_events WHERE type <> 'key.rotated'`,
    )
    expect(rows).toEqual([{ type: 'sign-in.failed', reason: 'AUTH_NOT_ADMITTED' }])
    expect(service.log.join('')).toMatch(/"rule":"[^"]*(email|subject|groups|tenants)/)
  })

  it('changes for a live session at its next extension', async () => {
    await start(DOMAIN)
    await signIn(agent)
    await service.restart({ NETSCRIPT_AUTH_ALLOWED_EMAIL_DOMAINS: 'other.example' })
    expect((await me(agent)).authenticated).toBe(true)
    await db.query(
      `UPDATE auth_keyv SET value = jsonb_set(value::jsonb, '{value,issuedAt}',
         to_jsonb(((value::jsonb)->'value'->>'issuedAt')::bigint - 1200000))::text
       WHERE user_id IS NOT NULL`,
    )
    expect((await me(agent)).authenticated).toBe(false)
    expect(await ends()).toEqual(['not-admitted'])
  })

  it('changes for a live session when the provider renews its tokens', async () => {
    await start({ ...DOMAIN, NETSCRIPT_AUTH_SCOPES: 'openid profile email offline_access' })
    await signIn(agent)
    await db.query(RENEWALS_DUE)
    expect((await me(agent)).authenticated).toBe(true)
    await service.restart({
      NETSCRIPT_AUTH_ALLOWED_EMAILS: 'grace@example.test',
      NETSCRIPT_AUTH_ALLOWED_EMAIL_DOMAINS: '',
    })
    await db.query(RENEWALS_DUE)
    expect((await me(agent)).authenticated).toBe(false)
    expect(await ends()).toEqual(['not-admitted'])
  })
})
