import { randomBytes } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AuthConfig } from '../../config/auth-config.js'
import { readConfig } from '../../config/config.js'
import { createTestDatabase, type TestDatabase } from '../../../prisma/test-database.js'
import { freePort } from '../../local/loopback.js'
import { startLocalProvider } from '../../local/provider.js'
import { createLogger } from '../../log.js'
import { type AuthService, createAuthService } from '../../service.js'

/** The last HTTP server of this process on a port. */
const servers = new Map<string, Server>()
subscribe('http.server.request.start', (message) => {
  const { server } = message as { server: Server }
  const { port } = (server.address() ?? {}) as Partial<AddressInfo>
  if (port !== undefined) servers.set(String(port), server)
})

/** Closes a service without its second of grace for the kept-alive connections of `fetch`. */
async function closeAtOnce(service: AuthService): Promise<void> {
  const closed = service.close()
  servers.get(new URL(service.url).port)?.closeIdleConnections()
  await closed
}

type LocalProvider = Awaited<ReturnType<typeof startLocalProvider>>
type LocalProviderOptions = Parameters<typeof startLocalProvider>[0]

/** A service under test, over HTTP, on a database and a provider of its own. */
export interface TestService {
  readonly origin: string
  readonly config: AuthConfig
  readonly databaseUrl: string
  /** NETSCRIPT_AUTH_KV_OAUTH_KEY of the service. */
  readonly key: string
  readonly provider: LocalProvider
  /** Every log line so far. */
  readonly log: readonly string[]
  /** Another process, as far as it can tell: same database, key and provider, another port. */
  startAnother(env?: Record<string, string>): Promise<AuthService>
  /** Stops the service, but not what it runs on; it can be started again. */
  restart(env?: Record<string, string>): Promise<void>
  close(): Promise<void>
}

/** Options of {@link startTestService}. */
export interface TestServiceOptions {
  /** Dropped when the service closes. Default: a new one with all tables in `public`. */
  database?: TestDatabase
  /** Default: any free port. */
  port?: number
  /** Variables of the service, over those of the local provider. */
  env?:
    | Record<string, string>
    | ((local: Readonly<Record<string, string | undefined>>) => Record<string, string>)
  provider?: Partial<LocalProviderOptions>
  /** The path of the redirect URI. Default: `/api/v1/auth/callback`. */
  callbackPath?: string
}

/** Starts the service as `netscript dev` would, with the variables of an operator. */
export async function startTestService(options: TestServiceOptions = {}): Promise<TestService> {
  const database = options.database ?? (await createTestDatabase())
  const port = options.port ?? (await freePort())
  const origin = `http://localhost:${port}`
  const redirectUri = origin + (options.callbackPath ?? '/api/v1/auth/callback')
  const client = { clientId: 'test-client', clientSecret: randomBytes(16).toString('hex') }
  const provider = await startLocalProvider({
    ...client,
    redirectUris: [redirectUri],
    postLogoutRedirectUris: [`${origin}/api/v1/auth/logged-out`],
    ...options.provider,
  })
  const local: Record<string, string> = {
    PORT: String(port),
    NETSCRIPT_AUTH_KV_OAUTH_KEY: randomBytes(32).toString('base64url'),
    NETSCRIPT_AUTH_PROVIDER_ID: 'local',
    NETSCRIPT_AUTH_ISSUER: provider.issuer,
    NETSCRIPT_AUTH_CLIENT_ID: client.clientId,
    NETSCRIPT_AUTH_CLIENT_SECRET: client.clientSecret,
    NETSCRIPT_AUTH_REDIRECT_URI: redirectUri,
    NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'true',
    // Tests sign in more often than users do.
    NETSCRIPT_AUTH_RATE_LIMIT: '100000',
  }
  const over = typeof options.env === 'function' ? options.env(local) : options.env
  const env = { ...local, ...over }
  const log: string[] = []
  const logger = createLogger('debug', { write: (line: string) => void log.push(line) })
  // On a busy machine many requests at once may wait for a connection longer than users should.
  const databaseUrl = `${database.url}${database.url.includes('?') ? '&' : '?'}connect_timeout=60`
  const start = (further: Record<string, string> = {}): Promise<AuthService> => {
    const variables = { ...env, ...further }
    const config = readConfig(variables, { production: false })
    return createAuthService({ config, databaseUrl, env: variables, logger })
  }
  const others: AuthService[] = []
  let service = await start()
  return {
    origin,
    log,
    provider,
    config: readConfig(env, { production: false }),
    databaseUrl: database.url,
    key: env.NETSCRIPT_AUTH_KV_OAUTH_KEY ?? '',
    async startAnother(further = {}) {
      const another = await start({ PORT: '0', ...further })
      others.push(another)
      return another
    },
    async restart(further = {}) {
      await closeAtOnce(service)
      service = await start(further)
    },
    async close() {
      await Promise.all([service, ...others].map(closeAtOnce))
      await provider.stop()
      await database.drop()
    },
  }
}
