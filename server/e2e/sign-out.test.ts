import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseKeyring } from '../../backends/keyring.js'
import { createPostgresProviderTokenStore } from '../../backends/kv-oauth/storage/postgres-provider-token-store.js'
import { startTestService, type TestService } from './support/service.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

describe('sign-out at the provider', () => {
  let service: TestService
  let db: pg.Pool
  beforeAll(async () => {
    service = await startTestService()
    db = new pg.Pool({ connectionString: service.databaseUrl })
  })
  afterAll(async () => {
    await db.end()
    await service.close()
  })

  /** Asks the provider itself with the refresh token of a session. */
  async function refreshAtProvider(refreshToken: string): Promise<unknown> {
    const { variables } = service.config
    const credentials = `${variables.NETSCRIPT_AUTH_CLIENT_ID}:${variables.NETSCRIPT_AUTH_CLIENT_SECRET}`
    const response = await fetch(`${service.provider.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    })
    return response.json()
  }

  it('revokes the refresh token, and deletes what was kept of it', async () => {
    const agent = createUserAgent(service.origin)
    await signIn(agent)
    const { session } = await me(agent)
    const owner = { id: session.id, providerId: 'local' }
    const tokens = createPostgresProviderTokenStore(db, parseKeyring(service.key))
    const { refreshToken = '' } = (await tokens.read(owner, 'local')) ?? {}
    expect(refreshToken).not.toBe('')
    await agent.post('/api/v1/auth/signout', {})
    expect(await tokens.read(owner, 'local')).toBeUndefined()
    expect(await refreshAtProvider(refreshToken)).toMatchObject({ error: 'invalid_grant' })
  })

  it('signs out here when the provider is unreachable, without a logout address', async () => {
    const agent = createUserAgent(service.origin)
    await signIn(agent)
    await service.restart()
    await service.provider.stop()
    const response = await agent.post('/api/v1/auth/signout', {})
    expect(await response.json()).toEqual({ signedOut: true })
    expect((await me(agent)).authenticated).toBe(false)
    expect((await agent.post('/api/v1/auth/signin', {})).status).toBe(502)
  })
})
