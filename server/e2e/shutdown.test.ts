import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { readConfig } from '../config/config.js'
import { createLogger } from '../log.js'
import { createAuthService } from '../service.js'
import { freePort } from '../local/loopback.js'

describe('shutdown', () => {
  let database: TestDatabase
  let provider: Server
  let issuer: string
  /** Resolves with the discovery request at the provider, still unanswered. */
  let asked: Promise<ServerResponse>
  beforeAll(async () => {
    database = await createTestDatabase()
    provider = createServer()
    asked = once(provider, 'request').then(([, res]) => res as ServerResponse)
    await once(provider.listen(0, '127.0.0.1'), 'listening')
    issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    provider.closeAllConnections()
    await new Promise((done) => provider.close(done))
    await database.drop()
  })

  it('finishes requests in flight, accepts no new ones, and then releases everything', async () => {
    const port = await freePort()
    const env = {
      PORT: String(port),
      NETSCRIPT_AUTH_ISSUER: issuer,
      NETSCRIPT_AUTH_CLIENT_ID: 'id',
      NETSCRIPT_AUTH_CLIENT_SECRET: 'secret',
      NETSCRIPT_AUTH_REDIRECT_URI: `http://localhost:${port}/api/v1/auth/callback`,
      NETSCRIPT_AUTH_KV_OAUTH_KEY: randomBytes(32).toString('base64url'),
      NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'true',
    }
    const service = await createAuthService({
      config: readConfig(env, { production: false }),
      databaseUrl: database.url,
      env,
      logger: createLogger('silent'),
    })
    const idle = new Agent({ keepAlive: true })
    await new Promise<void>((done) => {
      request(`${service.url}/health/live`, { agent: idle }, (res) =>
        res.resume().on('end', done),
      ).end()
    })

    const underWay = fetch(`${service.url}/api/v1/auth/signin`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    const discovery = await asked
    const closed = service.close()
    await expect(fetch(`${service.url}/health/live`)).rejects.toThrow()
    discovery.setHeader('content-type', 'application/json')
    discovery.end(
      JSON.stringify({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
      }),
    )
    expect((await underWay).status).toBe(200)
    await closed
    await service.close()
    idle.destroy()
  })
})
