import type pg from 'pg'
import { AuthConfigurationError, type AuthLog } from '@netscript/plugin-auth-core'
import { type BetterAuthBackend, createBetterAuthBackend } from './backend.js'
import { createNetscriptBetterAuth, type PassedOnOptions, SECRET_MIN_LENGTH } from './instance.js'

/** What {@link betterAuthBackendFromEnv} cannot read from variables. */
export interface BetterAuthFromEnvOptions {
  /** The pool to share; it stays yours. */
  pool: pg.Pool
  /** The origin that people see. */
  baseUrl: string
  /** Further origins that may call better-auth's own routes. Default: none. */
  trustedOrigins?: readonly string[]
  /** Further origins that browsers may be sent to, and that may not call. Default: none. */
  allowedReturnTo?: readonly string[]
  /** Live sessions of a user; a sign-in beyond it ends the least recently used. Default: 100. */
  maxSessionsPerUser?: number
  /** Secret that names users in the audit trail. Default: derived from `BETTER_AUTH_SECRET`. */
  auditSalt?: string
  /** Anything else that better-auth takes. Default: nothing. */
  betterAuthOptions?: PassedOnOptions
  /** Default: says nothing. */
  log?: AuthLog
}

/**
 * The better-auth backend from `BETTER_AUTH_SECRET`. better-auth and Prisma are loaded here and not
 * before.
 *
 * @throws AuthConfigurationError when `BETTER_AUTH_SECRET` is missing or has less than 32 characters.
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
 * The secret of better-auth, from `BETTER_AUTH_SECRET`.
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
