import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import express, { type ErrorRequestHandler } from 'express'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { createKvOAuthBackend } from '../../../backends/kv-oauth/backend.js'
import { defineOAuthProvider } from '../../../backends/kv-oauth/define-provider.js'
import { createPool } from '../../../prisma/pool.js'
import { createTestDatabase } from '../../../prisma/test-database.js'
import { createAuthApp } from '../../adapters/express.js'
import { freePort } from '../../local/loopback.js'
import { startLocalProvider } from '../../local/provider.js'
import { createLogger } from '../../log.js'
import { BACKENDS_UNDER_TEST } from '../support/backends-under-test.js'
import { startTestService } from '../support/service.js'
import { signIn } from '../support/sign-in.js'
import { createUserAgent, type UserAgent } from '../support/user-agent.js'
import { attackSuite } from '../../attack/suite.js'
import type { AttackTarget } from '../../attack/target.js'

const ALLOWED = ['https://app.example.test', 'http://partner.example.test:8080']

interface Victim {
  readonly origin: string
  signedIn(): Promise<UserAgent>
  close(): Promise<void>
}

async function startKvOAuth(): Promise<Victim> {
  const service = await startTestService({
    env: { NETSCRIPT_AUTH_ALLOWED_RETURN_TO: ALLOWED.join(' ') },
  })
  return {
    origin: service.origin,
    close: () => service.close(),
    signedIn: signingIn(service.origin, service.provider.accounts),
  }
}

/** Signs in the accounts of a local provider, one after the other. */
function signingIn(origin: string, accounts: readonly { id: string }[]): Victim['signedIn'] {
  let signedIn = 0
  return async () => {
    const agent = createUserAgent(origin)
    await signIn(agent, accounts[signedIn++ % accounts.length]?.id)
    return agent
  }
}

/** The API alone, in an application of Express. */
async function startInExpress(): Promise<Victim> {
  const [database, port] = [await createTestDatabase(), await freePort()]
  const origin = `http://localhost:${port}`
  const redirectUri = `${origin}/api/v1/auth/callback`
  const client = { clientId: 'client', clientSecret: 'secret' }
  const idp = await startLocalProvider({
    ...client,
    redirectUris: [redirectUri],
    postLogoutRedirectUris: [`${origin}/api/v1/auth/logged-out`],
  })
  const pool = createPool(database.url)
  const backend = await createKvOAuthBackend({
    provider: defineOAuthProvider({ id: 'local', ...client, issuer: idp.issuer, redirectUri }),
    key: randomBytes(32).toString('base64url'),
    pool,
    allowInsecureRequests: true,
  })
  const app = express()
  app.disable('x-powered-by')
  app.use(
    createAuthApp({
      backend,
      origin,
      logger: createLogger('silent'),
      allowedReturnTo: ALLOWED,
      corsOrigins: [],
      rateLimit: false,
    }),
  )
  // The application's own errors disclose nothing internal.
  const isHosts: ErrorRequestHandler = (_error, _req, res, _next) => void res.sendStatus(400)
  app.use((_req, res) => void res.sendStatus(404))
  app.use(isHosts)
  const server = app.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin,
    signedIn: signingIn(origin, idp.accounts),
    async close() {
      server.closeAllConnections()
      server.close()
      await backend.close()
      await pool.end()
      await idp.stop()
      await database.drop()
    },
  }
}

const VICTIMS: Readonly<Record<string, () => Promise<Victim>>> = {
  ...BACKENDS_UNDER_TEST,
  'kv-oauth': startKvOAuth,
  'kv-oauth in Express': startInExpress,
}

describe.each(Object.keys(VICTIMS))('the HTTP surface of %s under attack', (name) => {
  let victim: Victim
  const target: AttackTarget = {
    // A getter, because the cases are listed before the service starts.
    get baseUrl() {
      return victim.origin
    },
    interactive: name.startsWith('kv-oauth'),
    allowedOrigins: name.startsWith('kv-oauth') ? ALLOWED : [],
    async signIn() {
      const cookies = Object.entries(await (await victim.signedIn()).cookies('/'))
      return cookies.map(([cookie, value]) => `${cookie}=${value}`).join('; ')
    },
  }
  const suite = attackSuite(target)
  beforeAll(async () => {
    victim = await VICTIMS[name]!()
  })
  afterAll(async () => {
    suite.close()
    await victim.close()
  })

  for (const { group, name: claim, skipped, run } of suite.cases) {
    it.skipIf(skipped !== undefined)(`${group}: ${claim}`, run)
  }
})
