import type { PostgresPool } from '@netscript/auth-database'
import { AuthConfigurationError, type AuthLog } from '@netscript/plugin-auth-core'
import { type BetterAuthBackend, createBetterAuthBackend } from './backend.js'
import { createNetscriptBetterAuth, type PassedOnOptions, SECRET_MIN_LENGTH } from './instance.js'

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
