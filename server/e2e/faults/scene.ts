import { randomBytes } from 'node:crypto'
import { createTestDatabase } from '../../../prisma/test-database.js'
import { DEMO_ACCOUNTS } from '../../local/demo-accounts.js'
import { startLocalProvider } from '../../local/provider.js'
import { freePort } from '../../local/loopback.js'
import { type Person, signInPeople } from './people.js'
import {
  newKey,
  type ServiceProcess,
  type ServiceSettings,
  startServiceProcess,
} from './service-process.js'

/** Processes of one service on a real provider, and users who are signed in there. */
export interface Scene {
  readonly settings: ServiceSettings
  readonly services: readonly ServiceProcess[]
  readonly people: readonly Person[]
  /** Accounts that can sign in at the provider. */
  readonly logins: readonly string[]
  /** Starts one more process; it may take the port of one that has ended. */
  startService(
    port: number,
    env?: Record<string, string>,
    preload?: readonly string[],
  ): Promise<ServiceProcess>
  close(): Promise<void>
}

/** A running provider and the client registered there. */
export interface SceneProvider {
  readonly issuer: string
  readonly client: { readonly clientId: string; readonly clientSecret: string }
  /** Default: the one that its metadata names. */
  readonly tokenEndpoint?: string
  stop(): Promise<void>
}

/** Options of {@link startScene}. */
export interface SceneOptions {
  /** The port of the public origin. Default: that of the first process. */
  originPort?: number
  /** Default: one, on a free port. */
  ports?: readonly number[]
  /** Default: the local provider. */
  provider?: (origin: string) => Promise<SceneProvider>
  /** URL of the database, behind `through` if given. Default: a new database. */
  databaseUrl?: string
  /** Puts a proxy between the processes and the database; returns the URL for the processes. */
  through?: (databaseUrl: string) => Promise<string>
  /** NETSCRIPT_AUTH_SESSION_STORE. */
  sessionStore?: string
}

/** Starts a {@link Scene}. */
export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const closers: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    return await compose(options, closers, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function compose(
  options: SceneOptions,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Scene> {
  const ports = options.ports ?? [await freePort()]
  const origin = `http://localhost:${options.originPort ?? ports[0]}`
  let databaseUrl = options.databaseUrl
  if (databaseUrl === undefined) {
    const database = await createTestDatabase()
    closers.push(() => database.drop())
    databaseUrl = database.url
  }
  const provider = await (options.provider?.(origin) ?? localProvider(origin))
  closers.push(() => provider.stop())
  const settings: ServiceSettings = {
    origin,
    databaseUrl: (await options.through?.(databaseUrl)) ?? databaseUrl,
    sessionStore: options.sessionStore,
    key: newKey(),
    provider,
  }
  const startService: Scene['startService'] = async (port, env, preload = []) => {
    const service = await startServiceProcess(settings, { port, env: { ...env }, preload })
    closers.push(() => service.end('SIGKILL'))
    return service
  }
  const services = await Promise.all(ports.map((port) => startService(port)))
  return {
    settings,
    services,
    people: await signInPeople({ ...settings, databaseUrl }, 20),
    logins: DEMO_ACCOUNTS.map(({ id }) => id),
    startService,
    close,
  }
}

/** The local provider, for the service at `origin`. */
export async function localProvider(
  origin: string,
  options: Partial<Parameters<typeof startLocalProvider>[0]> = {},
): Promise<SceneProvider> {
  const client = { clientId: 'client', clientSecret: randomBytes(16).toString('hex') }
  const provider = await startLocalProvider({
    ...client,
    redirectUris: [`${origin}/api/v1/auth/callback`],
    postLogoutRedirectUris: [`${origin}/api/v1/auth/logged-out`],
    ...options,
  })
  return { issuer: provider.issuer, client, stop: () => provider.stop() }
}
