import type { AuthContext, BetterAuthOptions, BetterAuthPlugin } from 'better-auth'
import type { Auth } from 'better-auth/types'
import type pg from 'pg'
import type { PrismaClient } from '@netscript/auth-database/client'
import { createPostgresRateLimitStore, databaseStartError } from '@netscript/auth-database/internal'
import {
  AuthConfigurationError,
  type AuthLog,
  createKeyring,
  silentLog,
} from '@netscript/plugin-auth-core'
import { createMemoryRateLimitStore, createSubjectHash } from '@netscript/plugin-auth-core/internal'
import { betterAuthLogger } from './logger.js'
import { createRateLimitStorage } from './rate-limit.js'
import { createRouteFinder, type RouteFinder } from './routes.js'
import { assertRolesAreAssigned } from './session-mapping.js'

/** Where better-auth answers when nothing else is said. */
export const DEFAULT_BASE_PATH = '/api/auth'

/** The fewest characters that a secret may have. */
export const SECRET_MIN_LENGTH = 32

/** The header in which the mounted handler tells better-auth who is calling; never the caller's own. */
export const CLIENT_ADDRESS_HEADER = 'x-netscript-client-address'

/** Options of better-auth that may be passed on: all but those that are options here. */
export type PassedOnOptions = Omit<BetterAuthOptions, 'database' | 'plugins'>

/** Options of {@link createNetscriptBetterAuth}. */
export interface NetscriptBetterAuthOptions<
  Plugins extends BetterAuthPlugin[] = [],
  PassedOn extends PassedOnOptions = PassedOnOptions,
> {
  /** A client of this project's schema; it stays yours. */
  prisma: PrismaClient
  /**
   * A pool of the same database, where all processes count requests together; it stays yours.
   * Default: each process counts in its own memory.
   */
  pool?: pg.Pool
  /** Signs the cookies. At least 32 characters. */
  secret: string
  /** The origin that people see, such as `https://auth.example.com`. With https, cookies are Secure. */
  baseURL: string
  /** The path that the handler is mounted at. Default: `/api/auth`. */
  basePath?: string
  /** Further origins that may call the handler and be return targets. Default: that of `baseURL` alone. */
  trustedOrigins?: string[]
  /** Live sessions of a user; a sign-in beyond it ends the least recently used. Default: 100. */
  maxSessionsPerUser?: number
  /** Further origins that browsers may be sent to, and that may not call. Default: none. */
  allowedReturnTo?: string[]
  /**
   * Whether better-auth's steps that belong together share a transaction. Default: false, because a
   * sign-up would hold one, and its connection, while the password is hashed: a burst of sign-ups
   * would take the pool from everybody. Without it a sign-up that is cut off between two inserts
   * leaves a user who has to reset the password.
   */
  transaction?: boolean
  /** Plugins of better-auth; what they add to `auth.api` is in the result's type. Default: none. */
  plugins?: Plugins
  /** Anything else that better-auth takes, each section laid over the default one. Default: nothing. */
  betterAuthOptions?: PassedOn
  /** Secret that names users in the audit trail. Default: derived from `secret`. */
  auditSalt?: string
  /** Default: says nothing. */
  log?: AuthLog
}

/** A better-auth instance whose type knows its plugins and options. */
export type NetscriptBetterAuth<
  Plugins extends BetterAuthPlugin[] = [],
  PassedOn extends PassedOnOptions = PassedOnOptions,
> = Auth<PassedOn & { plugins: Plugins }>

/**
 * better-auth on this project's Prisma schema: e-mail and password sign-in, no telemetry, rate
 * limits, no linking of accounts by e-mail, and sessions that are read from the database every time,
 * so that an ended one is over at once.
 *
 * What is given later wins: the defaults, `betterAuthOptions`, the options of this function, the
 * plugins, and always the database.
 *
 * @throws AuthConfigurationError for a short secret, a `baseURL` that is not an http(s) URL, options
 * that keep sessions alive outside the database, roles that users could give themselves, or a database
 * that does not answer or lacks the tables.
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
    // Last: what it checks and records is what the others left.
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

/** better-auth looks at the first request; a start that cannot work should not come that far. */
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

/** Reads the tables by the way that better-auth does, and changes nothing. */
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
/** What better-auth takes for lifetimes of sessions that are not given, in seconds. */
const LIFETIMES = { expiresIn: 7 * DAY, updateAge: DAY }

/** A session that is used must not end for lack of use: at most a tenth of its lifetime counts. */
function updateAgeOf({ session }: Pick<BetterAuthOptions, 'session'>): number {
  const { expiresIn, updateAge } = { ...LIFETIMES, ...session }
  return Math.min(updateAge, expiresIn / 10)
}

/** @throws AuthConfigurationError when sessions would end while they are used. */
export function assertUsedSessionsGoOn({ session }: Pick<BetterAuthOptions, 'session'>): void {
  const { expiresIn, updateAge } = { ...LIFETIMES, ...session }
  if (session?.disableSessionRefresh || updateAge < expiresIn) return
  throw new AuthConfigurationError(
    '`session.updateAge` of better-auth is not shorter than `session.expiresIn`: sessions would end while they are used. Make it shorter.',
  )
}

/** Lays what was given over the defaults, section by section. */
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
    // Identifiers are credentials, such as the token in the link that resets a password.
    verification: {
      modelName: 'authVerification',
      storeIdentifier: 'hashed',
      ...given.verification,
    },
    emailAndPassword: { enabled: true, ...given.emailAndPassword },
    telemetry: { enabled: false, ...given.telemetry },
    // A user may mistype a few times in a row; better-auth's own three in ten seconds would stop a
    // family behind one address, and allow as many in a minute.
    rateLimit: {
      enabled: true,
      ...given.rateLimit,
      customRules: {
        '/sign-in/*': SIGN_INS,
        '/sign-up/*': SIGN_INS,
        // A read, as cheap as one of this API, which has no limit either.
        '/get-session': false,
        ...given.rateLimit?.customRules,
      },
    },
    // The handler logs and answers what is not better-auth's own error. better-auth would print it
    // with the arguments of the query that failed.
    onAPIError: {
      throw: given.onAPIError?.onError === undefined,
      // As in production. Its own page shows codes, and needs inline styles.
      errorURL: '/',
      ...given.onAPIError,
    },
    logger: betterAuthLogger(log),
    ...(given.logger && { logger: given.logger }),
    advanced: {
      // Left to itself better-auth switches the check off where NODE_ENV is "test".
      disableOriginCheck: false,
      ipAddress: { ipAddressHeaders: [CLIENT_ADDRESS_HEADER] },
      ...given.advanced,
    },
  }
}

/**
 * A cookie cache answers for a session that has been ended, and a secondary storage holds sessions
 * that the database does not know.
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
