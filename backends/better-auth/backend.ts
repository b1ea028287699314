import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type AuthBackendPort,
  AuthConfigurationError,
  type AuthLog,
  type AuthProviderDescriptor,
  createProviderRegistry,
} from '@netscript/plugin-auth-core'
import { createReturnToPolicy } from '@netscript/plugin-auth-core/internal'
import { authenticate } from './authenticate.js'
import type { BetterAuthInstance } from './context.js'
import { databaseCall } from './database-call.js'
import { createNodeHandler } from './handler.js'
import {
  assertSessionsLiveInDatabase,
  assertUsedSessionsGoOn,
  createNetscriptBetterAuth,
  DEFAULT_BASE_PATH,
  type PassedOnOptions,
  SECRET_MIN_LENGTH,
} from './instance.js'
import { allowedReturnToOf } from './return-targets.js'
import { createRouteFinder } from './routes.js'
import { assertRolesAreAssigned } from './session-mapping.js'
import { createBetterAuthSessions } from './sessions.js'
import type { PostgresPool } from '@netscript/auth-database'

const DEFAULT_PROVIDERS: readonly AuthProviderDescriptor[] = [
  { id: 'better-auth', displayName: 'E-mail and password', kind: 'credentials' },
]

/** Options of {@link createBetterAuthBackend}. */
export interface BetterAuthBackendOptions {
  /** A better-auth instance, such as one from `createNetscriptBetterAuth`. */
  auth: BetterAuthInstance
  /** The secret of `auth`. At least 32 characters. */
  secret: string
  /** The public origin; the `baseURL` of `auth`. */
  baseURL: string
  /** The sign-in methods of the instance. @default e-mail and password */
  providers?: readonly AuthProviderDescriptor[]
  /** Releases resources opened for `auth`. @default nothing */
  close?: () => Promise<void>
}

/** The better-auth backend. Users sign in at better-auth's own routes, which the service mounts. */
export interface BetterAuthBackend extends AuthBackendPort {
  /** Always `better-auth`. */
  readonly name: 'better-auth'
  /** better-auth's own routes. Mount it at `basePath`, before any body parser. */
  readonly handler: (req: IncomingMessage, res: ServerResponse) => Promise<void>
  /** Base path of `handler`, such as `/api/auth`. */
  readonly basePath: string
  /** Paths that accept e-mail and password forms; absent when password sign-in is off. */
  readonly passwordForms?: { readonly signIn: string; readonly signUp?: string }
  /**
   * The route pattern that `handler` matches for a path, for logs: paths can contain tokens.
   * `undefined` for other paths.
   */
  routeOf(method: string, path: string): string | undefined
}

/**
 * Creates the backend for users who sign in through better-auth. It reads better-auth's cookie and
 * ends the sessions behind it.
 *
 * @throws AuthConfigurationError for a short secret, when `auth` keeps sessions alive outside the
 * database (`session.cookieCache`, `secondaryStorage`), and when its users could assign themselves
 * roles.
 *
 * @example
 * ```ts
 * const backend = createBetterAuthBackend({ auth, secret, baseURL: 'https://auth.example.com' })
 * app.all(`${backend.basePath}/{*path}`, backend.handler)
 * ```
 */
export function createBetterAuthBackend(options: BetterAuthBackendOptions): BetterAuthBackend {
  const { auth, baseURL, providers = DEFAULT_PROVIDERS } = options
  assertSessionsLiveInDatabase(auth.options)
  assertUsedSessionsGoOn(auth.options)
  assertRolesAreAssigned(auth.options)
  const basePath = auth.options.basePath ?? DEFAULT_BASE_PATH
  const { origin } = new URL(baseURL)
  const findRoute = createRouteFinder(auth)
  const { disableSessionRefresh, deferSessionRefresh } = auth.options.session ?? {}
  return {
    name: 'better-auth',
    providers: createProviderRegistry(providers),
    // An array: as a string, a secret with a comma would be split into two.
    capabilities: {
      listSessions: true,
      revokeSessions: true,
      refresh: !disableSessionRefresh && !deferSessionRefresh,
      providerLogout: false,
    },
    signInHint: `Sign in with POST ${new URL(`${basePath}/sign-in/email`, baseURL).href}.`,
    sessions: createBetterAuthSessions(auth),
    authenticate: (request) => authenticate(auth, request),
    async probe() {
      const { adapter } = await auth.$context
      const nobody = [{ field: 'id', value: '' }]
      await databaseCall(() => adapter.findOne({ model: 'session', where: nobody }))
    },
    close: options.close ?? (() => Promise.resolve()),
    handler: createNodeHandler({
      auth,
      basePath,
      origin,
      returnTo: createReturnToPolicy(origin, allowedReturnToOf(auth)),
      findRoute,
    }),
    basePath,
    ...(auth.options.emailAndPassword?.enabled && {
      passwordForms: {
        signIn: `${basePath}/sign-in/email`,
        ...(!auth.options.emailAndPassword.disableSignUp && {
          signUp: `${basePath}/sign-up/email`,
        }),
      },
    }),
    routeOf(method, path) {
      if (!path.startsWith(`${basePath}/`)) return undefined
      const route = findRoute(path.slice(basePath.length), method)
      return `${basePath}${route ?? '/*'}`
    },
  }
}

/** Options of {@link betterAuthBackendFromEnv} that do not come from variables. */
export interface BetterAuthFromEnvOptions {
  /** The pool to share. The caller closes it. */
  pool: PostgresPool
  /** The public origin. */
  baseUrl: string
  /** Additional origins that may call better-auth's own routes. @default none */
  trustedOrigins?: readonly string[]
  /** Additional origins that browsers may be redirected to but that may not call. @default none */
  allowedReturnTo?: readonly string[]
  /**
   * Maximum live sessions per user; a sign-in beyond it ends the least recently used.
   * @default 100
   */
  maxSessionsPerUser?: number
  /** Secret for the pseudonyms in the audit trail. @default derived from `BETTER_AUTH_SECRET` */
  auditSalt?: string
  /** Other better-auth options. @default none */
  betterAuthOptions?: PassedOnOptions
  /** @default no log */
  log?: AuthLog
}

/**
 * Creates the better-auth backend from `BETTER_AUTH_SECRET`. better-auth and Prisma are loaded only
 * when this is called.
 *
 * @throws AuthConfigurationError when `BETTER_AUTH_SECRET` is missing or has less than 32
 * characters.
 *
 * @example
 * ```ts
 * const backend = await betterAuthBackendFromEnv(process.env, {
 *   pool,
 *   baseUrl: 'https://auth.example.com',
 * })
 * ```
 */
export async function betterAuthBackendFromEnv(
  env: NodeJS.ProcessEnv,
  options: BetterAuthFromEnvOptions,
): Promise<BetterAuthBackend> {
  const { pool, baseUrl: baseURL, betterAuthOptions, log } = options
  const { trustedOrigins = [], allowedReturnTo = [] } = options
  const secret = readSecret(env)
  const { createPrismaClient } = await import('@netscript/auth-database/client')
  const prisma = createPrismaClient(pool)
  const auth = await createNetscriptBetterAuth({
    prisma,
    pool,
    secret,
    baseURL,
    trustedOrigins: [...trustedOrigins],
    allowedReturnTo: [...allowedReturnTo],
    ...(options.maxSessionsPerUser !== undefined && {
      maxSessionsPerUser: options.maxSessionsPerUser,
    }),
    ...(options.auditSalt !== undefined && { auditSalt: options.auditSalt }),
    ...(betterAuthOptions && { betterAuthOptions }),
    ...(log && { log }),
  })
  return createBetterAuthBackend({ auth, secret, baseURL, close: () => prisma.$disconnect() })
}

/**
 * The better-auth secret, from `BETTER_AUTH_SECRET`.
 * @throws AuthConfigurationError when it is missing or too short.
 */
export function readSecret(env: NodeJS.ProcessEnv): string {
  const secret = env.BETTER_AUTH_SECRET?.trim() ?? ''
  if (secret.length >= SECRET_MIN_LENGTH) return secret
  throw new AuthConfigurationError(
    `BETTER_AUTH_SECRET ${secret ? `must have at least ${SECRET_MIN_LENGTH} characters` : 'is not set'}. ` +
      'Make one with: node -e "console.log(crypto.randomBytes(48).toString(\'base64url\'))"',
  )
}
