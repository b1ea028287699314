import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createServiceKey } from '../tokens/service-keys.js'
import { RENEWALS_DUE } from './support/renewals-due.js'
import { startTestService, type TestService } from './support/service.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const AUDIENCE = 'https://orders.example'

describe('POST /provider-token with a real provider', () => {
  let service: TestService
  let db: pg.Pool
  let key: string
  beforeAll(async () => {
    service = await startTestService({
      env: {
        NETSCRIPT_AUTH_SCOPES: 'openid profile email offline_access',
        NETSCRIPT_AUTH_TOKEN_AUDIENCES: AUDIENCE,
        NETSCRIPT_AUTH_PROVIDER_TOKENS: 'true',
      },
    })
    db = new pg.Pool({ connectionString: service.databaseUrl })
    const limits = { name: 'orders', audience: AUDIENCE, providers: ['local'], scopes: [] }
    ;({ secret: key } = await createServiceKey(db, limits))
  })
  afterAll(async () => {
    await db?.end()
    await service?.close()
  })

  const ask = async (body: object, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${service.origin}/api/v1/auth/provider-token`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const subjectTokenOf = async (agent: UserAgent): Promise<string> => {
    const response = await agent.post('/api/v1/auth/token', { audience: AUDIENCE })
    return ((await response.json()) as { token: string }).token
  }
  const userInfo = (accessToken: string): Promise<Response> =>
    fetch(`${service.provider.issuer}/me`, { headers: { authorization: `Bearer ${accessToken}` } })

  it('returns a token that the provider accepts, renewed once for many callers, and audits it', async () => {
    const agent = createUserAgent(service.origin)
    await signIn(agent)
    const { session } = await me(agent)
    const subjectToken = await subjectTokenOf(agent)
    await db.query(RENEWALS_DUE)
    await db.query('UPDATE auth_provider_tokens SET expires_at = now()')
    const responses = await Promise.all(Array.from({ length: 10 }, () => ask({ subjectToken })))
    const tokens = (await Promise.all(responses.map((one) => one.json()))) as {
      accessToken: string
    }[]
    expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 200))
    expect(responses[0]?.headers.get('cache-control')).toContain('no-store')
    const [accessToken = '', ...others] = new Set(tokens.map((token) => token.accessToken))
    expect(others).toEqual([])
    expect(await (await userInfo(accessToken)).json()).toMatchObject({ sub: 'ada' })
    const { rows } = await db.query(
      `SELECT provider_id, session_id FROM auth_audit_events WHERE type = 'provider-token.issued'`,
    )
    expect(rows).toEqual(tokens.map(() => ({ provider_id: 'local', session_id: session.id })))
    expect(service.log.join('')).not.toContain(accessToken)
    expect(service.log.join('')).not.toContain(key)
  })

  it('returns no token with a scope, or of a provider, that the key is not for, also when none is named', async () => {
    const agent = createUserAgent(service.origin)
    await signIn(agent)
    const subjectToken = await subjectTokenOf(agent)
    const limits = { name: 'other', audience: AUDIENCE, providers: ['other'], scopes: [] }
    const { secret } = await createServiceKey(db, limits)
    const other = await ask({ subjectToken }, { authorization: `Bearer ${secret}` })
    expect(other.status).toBe(403)
    await db.query(
      `UPDATE auth_keyv SET value = jsonb_set(value::jsonb, '{value,scopes}', '["mail.send"]')::text
       WHERE user_id IS NOT NULL`,
    )
    const wider = await ask({ subjectToken })
    expect(wider.status).toBe(403)
    expect(await wider.json()).toMatchObject({ data: { missingScopes: ['mail.send'] } })
  })

  it('returns nothing once the user has signed out, while the token for the audience lives', async () => {
    const agent = createUserAgent(service.origin)
    await signIn(agent)
    const subjectToken = await subjectTokenOf(agent)
    expect((await ask({ subjectToken })).status).toBe(200)
    await agent.post('/api/v1/auth/signout', {})
    expect((await ask({ subjectToken })).status).toBe(401)
  })
})
