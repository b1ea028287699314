import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPool } from '@netscript/auth-database'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { startPageServer } from '../../client/examples/workspace/page-server.js'
import { startWorkspaceService } from '../../client/examples/workspace/service/workspace-service.js'
import { createLogger, type Logger } from '../log.js'
import { startDevelopment } from './development.js'
import { freePort } from './loopback.js'
import { createServiceKey, listServiceKeys, revokeServiceKey } from '../tokens/service-keys.js'
import { startEmbeddedPostgres } from './postgres.js'
import { reportFailure } from '../cli/terminal.js'
import { closeOnSignal } from '../cli/start.js'

/** Options of {@link startExample}. */
interface ExampleOptions {
  /**
   * `PORT` is the page's port (default: 5173), `DATABASE_URL` the Postgres of both services (default: an
   * embedded one). The provider uses any free port.
   */
  env: NodeJS.ProcessEnv
  /** Makes the logger once the level is known. */
  logger: (level: string) => Logger
  /** Called with a message when a step takes time. */
  onProgress: (message: string) => void
  /** Directory to build the page into. Default: its sources are served without a build. */
  outDir?: string
}

/** The running example. */
export interface Example {
  /** The URL to open. */
  readonly origin: string
  close(): Promise<void>
}

const DATA_DIR = '.data/example'
/** Scopes that the page requests when they are needed. */
const ADDITIONAL_SCOPES = 'workspace:read'

/**
 * Starts the workspace example: the authentication service with the local provider, the workspace
 * service, and the page with both on its origin. Everything binds to loopback.
 */
export async function startExample(options: ExampleOptions): Promise<Example> {
  const { logger, onProgress, outDir } = options
  const env: NodeJS.ProcessEnv = {
    NETSCRIPT_AUTH_DATA_DIR: DATA_DIR,
    NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT: '0',
    NETSCRIPT_AUTH_ADDITIONAL_SCOPES: ADDITIONAL_SCOPES,
    NETSCRIPT_AUTH_ALLOWED_EMAIL_DOMAINS: 'example.test',
    NETSCRIPT_AUTH_PROVIDER_TOKENS: 'true',
    ...options.env,
  }
  const port = Number(env.PORT || 5173)
  const origin = `http://localhost:${port}`
  const closers: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const databaseUrl = env.DATABASE_URL ?? (await startDatabase())
    const auth = await startDevelopment({
      env: {
        ...env,
        PORT: String(await freePort()),
        DATABASE_URL: databaseUrl,
        NETSCRIPT_AUTH_ORIGIN: origin,
      },
      logger,
      onProgress,
    })
    closers.push(() => auth.close())
    const authUrl = auth.service.url
    const [provider] = auth.config.providers
    const service = await startWorkspaceService({
      ...{ databaseUrl, authUrl },
      serviceKey: await newServiceKey(databaseUrl, provider?.id ?? ''),
      userInfoUrl: await userInfoUrlOf(provider?.issuer ?? ''),
    })
    closers.push(() => service.close())
    const page = await startPageServer({
      port,
      authUrl,
      serviceUrl: service.url,
      ...(outDir !== undefined && { outDir }),
    }).catch((cause: Error) => {
      if (!cause.message.includes('already in use')) throw cause
      throw new AuthConfigurationError(
        `Port ${port}, for the page, is in use. Set PORT to another one.`,
        { cause },
      )
    })
    closers.push(() => page.close())
    return { origin, close }
  } catch (error) {
    await close()
    throw error
  }

  async function startDatabase(): Promise<string> {
    const dataDir = join(env.NETSCRIPT_AUTH_DATA_DIR || DATA_DIR, 'postgres')
    const database = await startEmbeddedPostgres({ dataDir, onProgress })
    closers.push(() => database.stop())
    return database.url
  }
}

/** Creates the key of the workspace service. That of an earlier start is revoked, since only it was told. */
async function newServiceKey(databaseUrl: string, providerId: string): Promise<string> {
  const pool = createPool(databaseUrl)
  try {
    for (const { id, name, revokedAt } of await listServiceKeys(pool)) {
      if (name === 'workspace' && revokedAt === undefined) await revokeServiceKey(pool, id)
    }
    const { secret } = await createServiceKey(pool, {
      name: 'workspace',
      audience: 'http://localhost/workspace',
      providers: [providerId],
      scopes: [ADDITIONAL_SCOPES],
    })
    return secret
  } finally {
    await pool.end()
  }
}

async function userInfoUrlOf(issuer: string): Promise<string> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const { userinfo_endpoint } = (await response.json()) as { userinfo_endpoint: string }
  return userinfo_endpoint
}

/** `npm run example` */
async function runExample(): Promise<void> {
  const running = await startExample({
    env: process.env,
    logger: () => createLogger('error'),
    onProgress: (message) => console.log(message),
  })
  closeOnSignal(() => running.close())
  console.log(`
  The workspace is ready:  ${running.origin}

  It runs with the local provider, which signs in demo accounts without a
  password. What is behind it: client/examples/workspace/README.md
`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runExample().catch(reportFailure)
