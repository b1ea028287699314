import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PostgresPool } from '@netscript/auth-database'
import type { AuthMetrics, AuthTrace } from '@netscript/auth-kv-oauth'
import {
  type AuthBackendPort,
  AuthConfigurationError,
  type Keyring,
  type Operator,
  parseKeyring,
  resolveBackend,
} from '@netscript/plugin-auth-core'
import { createKeyring } from '@netscript/plugin-auth-core/internal'
import { importBetterAuth, importWorkos } from './backend-packages.js'
import type { AuthConfig } from './config/auth-config.js'
import type { Logger } from './log.js'

/** A backend with the routes that it brings and the service mounts. */
export type MountedBackend = AuthBackendPort & {
  /** Path prefix of its own routes, such as `/api/auth`; absent when it has none. */
  readonly basePath?: string
  /** Handles its own routes; absent when it has none. */
  readonly handler?: (req: IncomingMessage, res: ServerResponse) => Promise<void>
  /** Paths of its own routes that accept an e-mail address and a password from a form. */
  readonly passwordForms?: {
    readonly signIn: string
    /** Absent when users cannot create accounts. */
    readonly signUp?: string
  }
  /**
   * Name under which the log shows one of its own paths, whose parameters can be tokens. @default the
   * path
   */
  routeOf?(method: string, path: string): string | undefined
}

export type PasswordForms = NonNullable<MountedBackend['passwordForms']>

/** What a backend may be created from. */
export interface BackendDependencies {
  config: AuthConfig
  env: NodeJS.ProcessEnv
  /** Present when the backend stores data in the database. */
  pool: PostgresPool | undefined
  logger: Logger
  /** Absent when metrics are disabled. */
  metrics: AuthMetrics | undefined
  /** Absent when tracing is disabled. */
  trace: AuthTrace | undefined
}

/** What {@link BackendEntry.openOperator} may use. */
export interface OperatorDependencies {
  env: NodeJS.ProcessEnv
  /** Present when the backend stores data in the database. */
  pool: PostgresPool | undefined
}

/** An operator with a method that releases its connections. */
export type OpenOperator = Operator & { close(): Promise<void> }

/** A variable that a backend requires, and how to obtain its value. */
export interface BackendNeed {
  readonly variable: string
  /** At most 76 columns. */
  readonly how: string
  /** Whether it configures the single provider of the short form (`NETSCRIPT_AUTH_CLIENT_ID` and so on). */
  readonly ofProvider?: boolean
  /** Whether development requires it too, because no local substitute exists. */
  readonly always?: boolean
}

interface BackendEntry {
  /** Whether it stores data in the database. */
  readonly usesDatabase: boolean
  /** Secrets shared by all processes and never stored in the database. */
  keyring(env: NodeJS.ProcessEnv): Keyring
  /** Variables that production requires. */
  readonly needs: readonly BackendNeed[]
  /** Imports its dependencies lazily, so that an unused backend costs nothing. */
  load(dependencies: BackendDependencies): Promise<MountedBackend>
  /** Operator functions for the command line; also loaded lazily. */
  openOperator(dependencies: OperatorDependencies): Promise<OpenOperator>
}

const DATABASE: BackendNeed = {
  variable: 'DATABASE_URL',
  how: 'The URL of a Postgres; "netscript dev" starts one where none is set.',
}
const ORIGIN: BackendNeed = {
  variable: 'NETSCRIPT_AUTH_ORIGIN',
  how: 'The public origin, such as https://auth.example.com; for production.',
}

/** @throws AuthConfigurationError when the secret is missing or short. */
function keyringOf(env: NodeJS.ProcessEnv, variable: string): Keyring {
  const secret = env[variable]?.trim() ?? ''
  if (secret.length >= 32) return createKeyring([Buffer.from(secret)])
  throw new AuthConfigurationError(`${variable} must have at least 32 characters.`)
}

const BACKENDS = new Map<string, BackendEntry>([
  [
    'kv-oauth',
    {
      usesDatabase: true,
      keyring: (env) => parseKeyring(env.NETSCRIPT_AUTH_KV_OAUTH_KEY),
      needs: [
        {
          variable: 'NETSCRIPT_AUTH_CLIENT_ID',
          how: 'Run: netscript auth provider set google (or another provider)',
          ofProvider: true,
        },
        {
          variable: 'NETSCRIPT_AUTH_KV_OAUTH_KEY',
          how: 'Run: netscript auth secret generate --write',
        },
        DATABASE,
      ],
      async load({ config, env, pool, logger, metrics, trace }) {
        const { createKvOAuthBackend } = await import('@netscript/auth-kv-oauth')
        const { variables } = config
        return createKvOAuthBackend({
          providers: config.providers,
          key: env.NETSCRIPT_AUTH_KV_OAUTH_KEY ?? '',
          log: logger,
          cookieName: variables.NETSCRIPT_AUTH_COOKIE_NAME,
          insecureCookies: variables.NETSCRIPT_AUTH_INSECURE_COOKIES,
          allowInsecureRequests: variables.NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS,
          ...(variables.NETSCRIPT_AUTH_CONTACT !== undefined && {
            contact: variables.NETSCRIPT_AUTH_CONTACT,
          }),
          policy: {
            idleMs: variables.NETSCRIPT_AUTH_SESSION_IDLE_SECONDS * 1000,
            absoluteMs: variables.NETSCRIPT_AUTH_SESSION_ABSOLUTE_SECONDS * 1000,
            ...(variables.NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS !== undefined && {
              refreshWindowMs: variables.NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS * 1000,
            }),
            maxPerUser: variables.NETSCRIPT_AUTH_MAX_SESSIONS_PER_USER,
          },
          sessionStore: variables.NETSCRIPT_AUTH_SESSION_STORE ?? '',
          ...(pool && { pool }),
          ...(metrics && { metrics }),
          ...(trace && { trace }),
          ...(variables.NETSCRIPT_AUTH_AUDIT_SALT !== undefined && {
            auditSalt: variables.NETSCRIPT_AUTH_AUDIT_SALT,
          }),
        })
      },
      async openOperator({ env, pool }) {
        const { createOperator, openStores } = await import('@netscript/auth-kv-oauth')
        const database = required(pool, 'kv-oauth')
        const sessionStore = env.NETSCRIPT_AUTH_SESSION_STORE?.trim()
        const stores = await openStores({ pool: database, sessionStore })
        return { ...createOperator(database, stores), close: stores.close }
      },
    },
  ],
  [
    'workos',
    {
      usesDatabase: false,
      keyring: (env) => keyringOf(env, 'WORKOS_COOKIE_PASSWORD'),
      needs: [
        {
          variable: 'WORKOS_API_KEY',
          how: 'The dashboard of WorkOS shows it under API keys.',
          always: true,
        },
        {
          variable: 'WORKOS_CLIENT_ID',
          how: 'The dashboard of WorkOS shows it beside the key.',
          always: true,
        },
        {
          variable: 'WORKOS_COOKIE_PASSWORD',
          how: 'The one that your application gives to AuthKit.',
          always: true,
        },
        ORIGIN,
      ],
      async load({ env, logger }) {
        const { workosBackendFromEnv } = await importWorkos()
        return workosBackendFromEnv(env, { log: logger })
      },
      async openOperator({ env }) {
        const workos = await importWorkos()
        const operator = await workos.createWorkosOperator(workos.workosOptionsFromEnv(env))
        return { ...operator, close: async () => {} }
      },
    },
  ],
  [
    'better-auth',
    {
      usesDatabase: true,
      keyring: (env) => keyringOf(env, 'BETTER_AUTH_SECRET'),
      needs: [
        {
          variable: 'BETTER_AUTH_SECRET',
          how: 'Run: netscript auth secret generate better-auth --write',
          always: true,
        },
        DATABASE,
        ORIGIN,
      ],
      async load({ config, env, pool, logger }) {
        const { betterAuthBackendFromEnv } = await importBetterAuth()
        return betterAuthBackendFromEnv(env, {
          pool: required(pool, 'better-auth'),
          baseUrl: config.origin,
          trustedOrigins: config.variables.NETSCRIPT_AUTH_CORS_ORIGINS,
          allowedReturnTo: config.variables.NETSCRIPT_AUTH_ALLOWED_RETURN_TO,
          maxSessionsPerUser: config.variables.NETSCRIPT_AUTH_MAX_SESSIONS_PER_USER,
          ...(config.variables.NETSCRIPT_AUTH_AUDIT_SALT !== undefined && {
            auditSalt: config.variables.NETSCRIPT_AUTH_AUDIT_SALT,
          }),
          log: logger,
        })
      },
      async openOperator({ pool }) {
        const { createBetterAuthOperator } = await importBetterAuth()
        const operator = createBetterAuthOperator(required(pool, 'better-auth'))
        return { ...operator, close: async () => {} }
      },
    },
  ],
])

function required(pool: PostgresPool | undefined, backend: string): PostgresPool {
  if (pool) return pool
  throw new Error(`The ${backend} backend was loaded without a database.`)
}

/** Names of all backends. */
export const backendNames: readonly string[] = [...BACKENDS.keys()]

/**
 * Metadata of a backend, available before it is loaded.
 * @throws AuthBackendNotFoundError for an unknown name.
 */
export const backendEntry = (name: string): BackendEntry => resolveBackend(BACKENDS, name)
