import type { AuthContext, BetterAuthOptions, BetterAuthPlugin } from 'better-auth'
import type { Auth } from 'better-auth/types'
import type { PostgresPool } from '@netscript/auth-database'
import type { PrismaClient } from '@netscript/auth-database/client'
import { createPostgresRateLimitStore, databaseStartError } from '@netscript/auth-database/internal'
import { AuthConfigurationError, type AuthLog, silentLog } from '@netscript/plugin-auth-core'
import {
  createKeyring,
  createMemoryRateLimitStore,
  createSubjectHash,
} from '@netscript/plugin-auth-core/internal'
import { betterAuthLogger } from './database-call.js'
import { createRateLimitStorage, createRouteFinder, type RouteFinder } from './routes.js'
import { assertRolesAreAssigned } from './session-mapping.js'

/** The default base path of better-auth's routes. */
export const DEFAULT_BASE_PATH = '/api/auth'

/** Minimum secret length in characters. */
export const SECRET_MIN_LENGTH = 32

/**
 * Header in which the mounted handler passes the client address to better-auth. A value sent by the
 * caller is discarded.
 */
export const CLIENT_ADDRESS_HEADER = 'x-netscript-client-address'

/** better-auth options that may be passed on: all but those with an option of their own here. */
export type PassedOnOptions = Omit<BetterAuthOptions, 'database' | 'plugins'>

/** Options of {@link createNetscriptBetterAuth}. */
export interface NetscriptBetterAuthOptions<
  Plugins extends BetterAuthPlugin[] = [],
  PassedOn extends PassedOnOptions = PassedOnOptions,
> {
  /** A client of this project's schema. The caller disconnects it. */
  prisma: PrismaClient
  /**
   * A pool on the same database, so that all processes share rate limits. The caller closes it.
   * @default none: each process counts in memory
   */
  pool?: PostgresPool
  /** Signs the cookies. At least 32 characters. */
  secret: string
  /** The public origin, such as `https://auth.example.com`. With https, cookies are Secure. */
  baseURL: string
  /** The path that the handler is mounted at. @default `/api/auth` */
  basePath?: string
  /**
   * Origins that may call the handler and be return targets, besides that of `baseURL`.
   * @default none
   */
  trustedOrigins?: string[]
  /**
   * Maximum live sessions per user; a sign-in beyond it ends the least recently used.
   * @default 100
   */
  maxSessionsPerUser?: number
  /** Additional origins that browsers may be redirected to but that may not call. @default none */
  allowedReturnTo?: string[]
  /**
   * Whether related better-auth writes share a transaction. A sign-up then holds a connection while the
   * password is hashed, and a burst of sign-ups exhausts the pool. Without it, a sign-up interrupted
   * between two inserts leaves a user who has to reset the password.
   * @default false
   */
  transaction?: boolean
  /** better-auth plugins; the result's type includes what they add to `auth.api`. @default none */
  plugins?: Plugins
  /** Other better-auth options, each section merged over the defaults. @default none */
  betterAuthOptions?: PassedOn
  /** Secret for the pseudonyms in the audit trail. @default derived from `secret` */
  auditSalt?: string
  /** @default no log */
  log?: AuthLog
}

/** A better-auth instance typed with its plugins and options. */
export type NetscriptBetterAuth<
  Plugins extends BetterAuthPlugin[] = [],
  PassedOn extends PassedOnOptions = PassedOnOptions,
> = Auth<PassedOn & { plugins: Plugins }>

/**
 * Creates better-auth on this project's Prisma schema: e-mail and password sign-in, no telemetry,
 * rate limits, no account linking by e-mail, and sessions that are read from the database on every
 * request, so that revocation takes effect immediately.
 *
 * Later entries win: defaults, `betterAuthOptions`, the options of this function, the plugins. The
 * database adapter cannot be replaced.
 *
 * @throws AuthConfigurationError for a short secret, a `baseURL` that is not an http(s) URL,
 * options that keep sessions alive outside the database, roles that users could assign themselves,
 * or a database that is unavailable or lacks the tables.
 *
 * @example
 * ```ts
 * const auth = await createNetscriptBetterAuth({
 *   prisma,
 *   secret: getRequiredEnv('BETTER_AUTH_SECRET'),
 *   baseURL: 'https://auth.example.com',
 *   plugins: [username()],
 * })
 * auth.api.signInUsername // known to the type
 * ```
 */
export async function createNetscriptBetterAuth<
  Plugins extends BetterAuthPlugin[] = [],
  PassedOn extends PassedOnOptions = PassedOnOptions,
>(
  options: NetscriptBetterAuthOptions<Plugins, PassedOn>,
): Promise<NetscriptBetterAuth<Plugins, PassedOn>> {
  const { prisma, secret, baseURL, pool, trustedOrigins = [], log = silentLog } = options
  if (secret.length < SECRET_MIN_LENGTH) {
    throw new AuthConfigurationError(
      `\`secret\` of better-auth must have at least ${SECRET_MIN_LENGTH} characters.`,
    )
  }
  if (!URL.canParse(baseURL) || !/^https?:$/.test(new URL(baseURL).protocol)) {
    throw new AuthConfigurationError(
      '`baseURL` of better-auth must be an absolute http or https URL, such as https://auth.example.com.',
    )
  }
  const given = options.betterAuthOptions
  if (given?.session?.updateAge !== undefined) assertUsedSessionsGoOn(given)
  const passedOn = overDefaults(given ?? {}, log)
  assertSessionsLiveInDatabase(passedOn)
  assertRolesAreAssigned({ ...passedOn, plugins: options.plugins ?? [] })
  const [{ betterAuth }, { prismaAdapter }, { netscriptPlugin }] = await Promise.all([
    import('better-auth/minimal'),
    import('better-auth/adapters/prisma'),
    import('./plugin.js'),
  ])
  const subjectHash = createSubjectHash(createKeyring([Buffer.from(secret)]), options.auditSalt)
  let findRoute: RouteFinder = () => undefined
  const auth = betterAuth({
    ...passedOn,
    rateLimit: {
      customStorage: createRateLimitStorage({
        store: pool ? createPostgresRateLimitStore(pool) : createMemoryRateLimitStore(),
        secret,
        routeOf: (path) => findRoute(path),
      }),
      ...passedOn.rateLimit,
    },
    secret,
    baseURL,
    basePath: options.basePath ?? passedOn.basePath ?? DEFAULT_BASE_PATH,
    ...(options.trustedOrigins && { trustedOrigins: options.trustedOrigins }),
    // Last, so that it checks and records the result of the other plugins.
    plugins: [
      ...(options.plugins ?? []),
      netscriptPlugin({
        origin: new URL(baseURL).origin,
        prisma,
        maxSessionsPerUser: options.maxSessionsPerUser ?? 100,
        allowedReturnTo: [...(options.allowedReturnTo ?? []), ...trustedOrigins],
        nameUser: (userId) => subjectHash('better-auth', userId),
      }),
    ],
    database: prismaAdapter(prisma, {
      provider: 'postgresql',
      transaction: options.transaction ?? false,
    }),
  })
  findRoute = createRouteFinder(auth)
  await assertSchemaFits(auth)
  await assertTables(prisma, pool ? '`pool`' : '`prisma`')
  return auth as unknown as NetscriptBetterAuth<Plugins, PassedOn>
}

/** better-auth checks at the first request; a broken configuration should fail at start. */
async function assertSchemaFits(auth: {
  $context: Promise<Pick<AuthContext, 'checkSchema'>>
}): Promise<void> {
  const { checkSchema } = await auth.$context
  try {
    await checkSchema?.()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new AuthConfigurationError(
      `The Prisma schema does not have what better-auth and its plugins need. Add it to prisma/schema, with a migration, or remove the plugin. ${reason}`,
      { cause: error },
    )
  }
}

/** Reads the tables the way better-auth does. Changes nothing. */
async function assertTables(prisma: PrismaClient, name: string): Promise<void> {
  const where = { id: '' }
  try {
    await Promise.all([
      prisma.betterAuthUser.findFirst({ where }),
      prisma.authSession.findFirst({ where }),
      prisma.betterAuthAccount.findFirst({ where }),
      prisma.authVerification.findFirst({ where }),
    ])
  } catch (error) {
    throw databaseStartError(error, name)
  }
}

const SIGN_INS = { window: 60, max: 20 }

const DAY = 86_400
/** better-auth's default session lifetimes, in seconds. */
const LIFETIMES = { expiresIn: 7 * DAY, updateAge: DAY }

/**
 * A session in use must not expire for lack of use, so `updateAge` is at most a tenth of the
 * lifetime.
 */
function updateAgeOf({ session }: Pick<BetterAuthOptions, 'session'>): number {
  const { expiresIn, updateAge } = { ...LIFETIMES, ...session }
  return Math.min(updateAge, expiresIn / 10)
}

/** @throws AuthConfigurationError when sessions would expire while in use. */
export function assertUsedSessionsGoOn({ session }: Pick<BetterAuthOptions, 'session'>): void {
  const { expiresIn, updateAge } = { ...LIFETIMES, ...session }
  if (session?.disableSessionRefresh || updateAge < expiresIn) return
  throw new AuthConfigurationError(
    '`session.updateAge` of better-auth is not shorter than `session.expiresIn`: sessions would end while they are used. Make it shorter.',
  )
}

/** Merges the given options over the defaults, section by section. */
function overDefaults(given: PassedOnOptions, log: AuthLog): PassedOnOptions {
  return {
    appName: 'NetScript Auth',
    ...given,
    user: { modelName: 'betterAuthUser', ...given.user },
    session: { modelName: 'authSession', ...given.session, updateAge: updateAgeOf(given) },
    account: {
      modelName: 'betterAuthAccount',
      accountLinking: { enabled: false },
      encryptOAuthTokens: true,
      ...given.account,
    },
    // Identifiers are credentials, such as the token in a password reset link.
    verification: {
      modelName: 'authVerification',
      storeIdentifier: 'hashed',
      ...given.verification,
    },
    emailAndPassword: { enabled: true, ...given.emailAndPassword },
    telemetry: { enabled: false, ...given.telemetry },
    // Users mistype a few times in a row. better-auth's default of three per ten seconds would
    // block a household behind one address, while allowing as many per minute.
    rateLimit: {
      enabled: true,
      ...given.rateLimit,
      customRules: {
        '/sign-in/*': SIGN_INS,
        '/sign-up/*': SIGN_INS,
        // As cheap as this API's own session read, which is not limited either.
        '/get-session': false,
        ...given.rateLimit?.customRules,
      },
    },
    // The handler logs unexpected errors and responds to them. better-auth would print them with the query
    // arguments.
    onAPIError: {
      throw: given.onAPIError?.onError === undefined,
      // As in production. better-auth's own error page shows codes and needs inline styles.
      errorURL: '/',
      ...given.onAPIError,
    },
    logger: betterAuthLogger(log),
    ...(given.logger && { logger: given.logger }),
    advanced: {
      // By default better-auth disables the check where NODE_ENV is "test".
      disableOriginCheck: false,
      ipAddress: { ipAddressHeaders: [CLIENT_ADDRESS_HEADER] },
      ...given.advanced,
    },
  }
}

/**
 * A cookie cache accepts sessions that have been revoked, and a secondary storage holds sessions
 * that the database does not have.
 * @throws AuthConfigurationError
 */
export function assertSessionsLiveInDatabase(
  options: Pick<BetterAuthOptions, 'session' | 'secondaryStorage'>,
): void {
  if (options.session?.cookieCache?.enabled) {
    throw new AuthConfigurationError(
      '`session.cookieCache` of better-auth must be off: it keeps a session alive that was ended. Remove it.',
    )
  }
  if (options.secondaryStorage) {
    throw new AuthConfigurationError(
      '`secondaryStorage` of better-auth is not supported: sessions must live in the database. Remove it.',
    )
  }
}
