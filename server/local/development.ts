import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AUTH_PATH_PREFIX, protocolContractV1 } from '@netscript/auth-contract'
import { defineOAuthProvider } from '@netscript/auth-kv-oauth'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import type { AuthConfig } from '../config/auth-config.js'
import { readConfig } from '../config/config.js'
import { isLoopback, isLoopbackHost } from '../config/loopback.js'
import { admissionOf } from '../config/providers.js'
import type { Logger } from '../log.js'
import { type AuthService, startService } from '../service.js'
import type { DemoNotice } from '../pages/sign-in-page.js'
import { freePort } from './loopback.js'
import type { startLocalProvider } from './provider.js'

/** Options of {@link startDevelopment}. */
export interface DevelopmentOptions {
  env: NodeJS.ProcessEnv
  /** Makes the logger once the level is known. */
  logger: (level: string) => Logger
  /** Called with a message when a step takes time. */
  onProgress: (message: string) => void
}

/** The running service and its local stand-ins. */
export interface Development {
  readonly config: AuthConfig
  readonly service: AuthService
  /** Present when the local provider runs. */
  readonly demo?: DemoNotice
  readonly embeddedDatabase: boolean
  close(): Promise<void>
}

type Closer = () => Promise<void>

/**
 * Starts the service with local stand-ins for what is not configured: an embedded Postgres when
 * DATABASE_URL is not set, a local OpenID provider and a key when no provider is. Everything binds to
 * loopback.
 */
export async function startDevelopment(options: DevelopmentOptions): Promise<Development> {
  const config = readConfig(options.env, { production: false })
  const closers: Closer[] = []
  const close: Closer = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    return await compose(options, config, closers, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function compose(
  { env, logger, onProgress }: DevelopmentOptions,
  given: AuthConfig,
  closers: Closer[],
  close: Closer,
): Promise<Development> {
  const { variables } = given
  const needsProvider =
    variables.NETSCRIPT_AUTH_BACKEND === 'kv-oauth' && given.providers.length === 0
  const local = needsProvider ? await startLocal(given, closers) : undefined
  const config = local?.config ?? given
  const databaseUrl = config.usesDatabase
    ? (variables.DATABASE_URL ?? (await startDatabase(variables, onProgress, closers)))
    : undefined
  const key =
    env.NETSCRIPT_AUTH_KV_OAUTH_KEY ||
    (local ? await developmentKey(variables.NETSCRIPT_AUTH_DATA_DIR) : undefined)
  const service = await startService(
    {
      config,
      ...(databaseUrl !== undefined && { databaseUrl }),
      logger: logger(variables.NETSCRIPT_AUTH_LOG_LEVEL),
      env: { ...env, NETSCRIPT_AUTH_KV_OAUTH_KEY: key },
    },
    local?.demo,
  )
  closers.push(() => service.close())
  return {
    config,
    service,
    embeddedDatabase: config.usesDatabase && variables.DATABASE_URL === undefined,
    ...(local && { demo: local.demo }),
    close,
  }
}

async function startDatabase(
  variables: AuthConfig['variables'],
  onProgress: (message: string) => void,
  closers: Closer[],
): Promise<string> {
  const { startEmbeddedPostgres } = await import('./postgres.js')
  const database = await startEmbeddedPostgres({
    dataDir: join(variables.NETSCRIPT_AUTH_DATA_DIR, 'postgres'),
    onProgress,
  })
  closers.push(() => database.stop())
  return database.url
}

const LOCAL_SCOPES = ['openid', 'profile', 'email', 'offline_access']

async function startLocal(
  config: AuthConfig,
  closers: Closer[],
): Promise<{ config: AuthConfig; demo: DemoNotice }> {
  if (!isLoopbackHost(config.host)) {
    throw new AuthConfigurationError(
      `NETSCRIPT_AUTH_HOST is ${config.host}, but the local provider serves this machine only. Unset it, or configure a provider with NETSCRIPT_AUTH_CLIENT_ID.`,
    )
  }
  const startLocalProvider = await loadLocalProvider()
  const { variables } = config
  const port = variables.PORT === 0 ? await freePort() : variables.PORT
  const origin = localOrigin(variables, port)
  const scopes = variables.NETSCRIPT_AUTH_SCOPES ?? LOCAL_SCOPES
  const additionalScopes = variables.NETSCRIPT_AUTH_ADDITIONAL_SCOPES ?? []
  const redirectUri = `${origin}${AUTH_PATH_PREFIX}/callback`
  const client = { clientId: 'netscript', clientSecret: randomBytes(24).toString('base64url') }
  const provider = await startLocalProvider({
    ...client,
    port: variables.NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT,
    scopes: [...scopes, ...additionalScopes],
    redirectUris: [redirectUri],
    postLogoutRedirectUris: [`${origin}${AUTH_PATH_PREFIX}/logged-out`],
    backchannelLogoutUri: `${origin}${protocolContractV1.backChannelLogout.path}`,
  })
  closers.push(() => provider.stop())
  const definition = defineOAuthProvider({
    id: 'local',
    displayName: 'Local provider',
    issuer: provider.issuer,
    scopes,
    additionalScopes,
    rolesClaim: variables.NETSCRIPT_AUTH_ROLES_CLAIM,
    admission: admissionOf(variables),
    extraAuthParams: { prompt: 'consent' },
    ...client,
    redirectUri,
  })
  return {
    config: {
      ...config,
      origin,
      providers: [definition],
      variables: { ...variables, PORT: port, NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: true },
    },
    demo: {
      issuer: provider.issuer,
      accounts: provider.accounts.map(({ name, email }) => ({ name, email })),
    },
  }
}

/** The origin may be that of a frontend's dev proxy on this machine. */
function localOrigin(
  { NETSCRIPT_AUTH_ORIGIN: given }: AuthConfig['variables'],
  port: number,
): string {
  if (given === undefined) return `http://localhost:${port}`
  if (isLoopback(given)) return given
  throw new AuthConfigurationError(
    `NETSCRIPT_AUTH_ORIGIN is ${given}, but the local provider serves this machine only. Use an origin of localhost, or configure a provider with NETSCRIPT_AUTH_CLIENT_ID.`,
  )
}

export type StartLocalProvider = typeof startLocalProvider

/**
 * Loads the local provider; its library is an optional peer.
 * @throws AuthConfigurationError when the library is not installed.
 */
export async function loadLocalProvider(): Promise<StartLocalProvider> {
  const provider = await import('./provider.js')
  await provider.loadOidcProvider()
  return provider.startLocalProvider
}

/** A key stored in the data directory, so that sessions survive a restart. */
async function developmentKey(dataDir: string): Promise<string> {
  const file = join(dataDir, 'development-key')
  const existing = await readFile(file, 'utf8').catch(() => undefined)
  if (existing !== undefined) return existing.trim()
  const key = randomBytes(32).toString('base64url')
  await mkdir(dataDir, { recursive: true })
  await writeFile(file, `${key}\n`, { mode: 0o600, flag: 'wx' })
  await chmod(file, 0o600)
  return key
}
