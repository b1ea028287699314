import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { createTestDatabase } from '../../../prisma/test-database.js'
import { signUp } from '../../../backends/better-auth/testing/sign-up.js'
import { startWorkosApi } from '../../../backends/workos/testing/workos-api.js'
import { readConfig } from '../../config/config.js'
import { createLogger } from '../../log.js'
import { createAuthService } from '../../service.js'
import { freePort } from '../../local/loopback.js'
import { startTestService } from './service.js'
import { signIn } from './sign-in.js'
import { createUserAgent, type UserAgent } from './user-agent.js'

/** One backend behind a real service over HTTP. */
export interface BackendUnderTest {
  readonly origin: string
  /** Its database; WorkOS has the keys of tokens alone there. */
  readonly databaseUrl: string
  /** A browser in which a new user is signed in. */
  signedIn(): Promise<UserAgent>
  /** Makes the store of the backend unavailable; `agent` is signed in. */
  outage(): Promise<{ agent: UserAgent; restore: () => Promise<void> }>
  /** A browser whose next request brings a new cookie; absent where a read sets none. */
  renewalDue?(): Promise<UserAgent>
  /** A bearer token that reads accept; absent where the backend takes none. */
  bearer?(): Promise<string>
  /** Makes ending a session fail at the provider; absent when ending it sends no request. */
  signOutFailure?(): () => void
  /** Disables all signed-in users; absent when the backend cannot. */
  disableUsers?(): Promise<void>
  /** Stops the provider of the redirect flow; absent without a flow. */
  stopProvider?(): Promise<void>
  close(): Promise<void>
}

/** The service that tokens are for. */
export const AUDIENCE = 'https://orders.example'

/** Starts a service with each backend: the switch is one variable. */
export const BACKENDS_UNDER_TEST: Readonly<Record<string, () => Promise<BackendUnderTest>>> = {
  'kv-oauth': () => startKvOAuth(),
  workos: startWorkos,
  'better-auth': startBetterAuth,
}

/** kv-oauth whose redirect URI has this path. */
export async function startKvOAuth(
  callbackPath = '/api/v1/auth/callback',
): Promise<BackendUnderTest> {
  const service = await startTestService({
    callbackPath,
    env: { NETSCRIPT_AUTH_TOKEN_AUDIENCES: AUDIENCE },
  })
  let people = 0
  const signedIn = async (): Promise<UserAgent> => {
    const agent = createUserAgent(service.origin)
    const { accounts } = service.provider
    await signIn(agent, accounts[people++ % accounts.length]?.id)
    return agent
  }
  return {
    signedIn,
    origin: service.origin,
    databaseUrl: service.databaseUrl,
    outage: async () => ({
      agent: await signedIn(),
      restore: await databaseOutage(service.databaseUrl),
    }),
    async disableUsers() {
      await query(service.databaseUrl, 'UPDATE auth_users SET disabled_at = now()')
    },
    stopProvider: () => service.provider.stop(),
    close: () => service.close(),
  }
}

async function startWorkos(): Promise<BackendUnderTest> {
  const api = await startWorkosApi()
  // For the keys of tokens; WorkOS has everything else.
  const database = await createTestDatabase()
  const { origin, service } = await startService(
    {
      NETSCRIPT_AUTH_BACKEND: 'workos',
      WORKOS_API_KEY: api.apiKey,
      WORKOS_CLIENT_ID: api.clientId,
      WORKOS_COOKIE_PASSWORD: api.cookiePassword,
      WORKOS_API_URL: api.url,
    },
    database.url,
  )
  let people = 0
  const signedIn = async (options: { expiresIn?: number } = {}): Promise<UserAgent> => {
    people += 1
    const { cookie } = await api.sealSession(
      {
        id: `user_${people}`,
        email: `person-${people}@example.test`,
        emailVerified: true,
        firstName: 'Person',
        lastName: String(people),
      },
      options,
    )
    const agent = createUserAgent(origin)
    const url = origin.replace('http:', 'https:')
    await agent.jar.setCookie(`wos-session=${cookie}; Path=/; Secure`, url)
    return agent
  }
  return {
    origin,
    databaseUrl: database.url,
    signedIn: () => signedIn(),
    renewalDue: () => signedIn({ expiresIn: -60 }),
    bearer: async () => (await api.sealSession({ id: 'user_bearer' })).accessToken,
    outage: async () => {
      // A live token and a known key are enough to answer; an expired token has to be renewed.
      const agent = await signedIn({ expiresIn: -60 })
      api.down()
      return { agent, restore: async () => api.up() }
    },
    signOutFailure() {
      api.fail('revoke', 500, { message: 'down' })
      return () => api.up()
    },
    async close() {
      await service.close()
      await api.stop()
      await database.drop()
    },
  }
}

async function startBetterAuth(): Promise<BackendUnderTest> {
  const database = await createTestDatabase()
  const { origin, service } = await startService(
    {
      NETSCRIPT_AUTH_BACKEND: 'better-auth',
      BETTER_AUTH_SECRET: randomBytes(32).toString('base64url'),
    },
    database.url,
  )
  const signedIn = async (): Promise<UserAgent> => {
    const person = await signUp({ origin })
    const agent = createUserAgent(origin)
    for (const pair of (await person.cookieHeader()).split('; ')) {
      await agent.jar.setCookie(`${pair}; Path=/`, origin.replace('http:', 'https:'))
    }
    return agent
  }
  return {
    origin,
    databaseUrl: database.url,
    signedIn,
    async renewalDue() {
      const agent = await signedIn()
      // Older than a day: better-auth extends it, and says so in its cookie.
      await query(database.url, `UPDATE auth_sessions SET expires_at = now() + interval '5 days'`)
      return agent
    },
    outage: async () => ({ agent: await signedIn(), restore: await databaseOutage(database.url) }),
    async close() {
      await service.close()
      await database.drop()
    },
  }
}

async function startService(variables: Record<string, string>, databaseUrl: string) {
  const port = await freePort()
  const env = {
    PORT: String(port),
    NETSCRIPT_AUTH_RATE_LIMIT: '100000',
    NETSCRIPT_AUTH_TOKEN_AUDIENCES: AUDIENCE,
    ...variables,
  }
  const service = await createAuthService({
    config: readConfig(env, { production: false }),
    env,
    logger: createLogger('silent'),
    databaseUrl,
  })
  return { origin: `http://localhost:${port}`, service }
}

/** Refuses new connections and terminates existing ones, like a database restart. */
async function databaseOutage(url: string): Promise<() => Promise<void>> {
  const name = new URL(url).pathname.slice(1)
  const admin = new URL(url)
  admin.pathname = '/postgres'
  await query(admin.href, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
  await query(
    admin.href,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
  )
  return () => query(admin.href, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
