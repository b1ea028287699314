import type { AuthContext, BetterAuthPlugin, GenericEndpointContext } from 'better-auth'
import type { PrismaClient } from '@netscript/auth-database/client'
import { createReturnToPolicy, USER_AGENT_LENGTH } from '@netscript/plugin-auth-core/internal'
import { APIError, createAuthMiddleware } from 'better-auth/api'
import { PLUGIN_ID } from './return-targets.js'
import { createBetterAuthAudit, endingAs, endOf, type NameUser } from './audit.js'

/** Options of {@link netscriptPlugin}. */
export interface NetscriptPluginOptions {
  /** The public origin. */
  readonly origin: string
  /** Additional origins that browsers may be redirected to. */
  readonly allowedReturnTo: readonly string[]
  readonly prisma: PrismaClient
  /** Maximum live sessions per user; a sign-in beyond it ends the least recently used one. */
  readonly maxSessionsPerUser: number
  readonly nameUser: NameUser
}

/** Routes that better-auth's two-factor plugin interrupts for users with a second factor. */
const FIRST_FACTORS: ReadonlySet<unknown> = new Set([
  '/sign-in/email',
  '/sign-in/username',
  '/sign-in/phone-number',
])

/** Whether unauthenticated callers can create sessions at the path. */
const isUnproven = (path: unknown): boolean =>
  /^\/(sign-up\/|sign-in\/anonymous$)/.test(String(path))

/** Adapts a better-auth instance to this project. */
export function netscriptPlugin(options: NetscriptPluginOptions): BetterAuthPlugin {
  const policy = createReturnToPolicy(options.origin, options.allowedReturnTo)
  const audit = createBetterAuthAudit(options.prisma, options.nameUser)
  return {
    id: PLUGIN_ID,
    options: { allowedReturnTo: options.allowedReturnTo },
    hooks: {
      after: [
        {
          matcher: ({ path }) => FIRST_FACTORS.has(path),
          handler: createAuthMiddleware(async (request) => {
            // There is no new session when a second factor is required.
            const { newSession, internalAdapter } = request.context
            if (!newSession || !hasSecondFactor(newSession.user)) return
            const { id, token, userId } = newSession.session
            await audit.signedIn({ id, userId }).catch(async (error: unknown) => {
              await internalAdapter.deleteSession(token).catch(() => undefined)
              throw error
            })
          }),
        },
      ],
    },
    init(context) {
      const { isTrustedOrigin } = context
      return {
        options: {
          databaseHooks: {
            user: {
              create: {
                before: async (user, request) =>
                  String(request?.path).startsWith('/sign-up/') ? assertSmall(user) : undefined,
              },
            },
            verification: {
              create: { before: async (verification) => assertSmall(verification) },
              update: { before: async (verification) => assertSmall(verification) },
            },
            session: {
              create: {
                async before({ userId, userAgent }, request) {
                  if (await isDisabled(options.prisma, userId)) {
                    if (!isUnproven(request?.path)) await audit.refused(userId, USER_DISABLED)
                    throw userDisabled()
                  }
                  return { data: { userAgent: userAgent?.slice(0, USER_AGENT_LENGTH) } }
                },
                async after({ id, token, userId, createdAt }, request) {
                  try {
                    // An operator sets the mark first and then ends the sessions: either this read
                    // sees the mark, or the operator ends this session.
                    if (await isDisabled(options.prisma, userId)) throw userDisabled()
                    if (!isUnproven(request?.path) && !(await awaitsSecondFactor(request, userId)))
                      await audit.signedIn({ id, userId })
                  } catch (error) {
                    await context.internalAdapter.deleteSession(token).catch(() => undefined)
                    throw error
                  }
                  const tokens = await excessTokens(options, { id, userId, createdAt })
                  if (tokens.length === 0) return
                  await endingAs('session-limit', () =>
                    context.internalAdapter.deleteSessions(tokens),
                  )
                },
              },
              delete: {
                before: ({ id }, request) => audit.ending(id, endOf(request?.path)),
              },
            },
          },
        },
        context: {
          // better-auth allows relative paths for redirects but not for origins.
          isTrustedOrigin(
            this: AuthContext,
            ...[url, settings]: Parameters<typeof isTrustedOrigin>
          ) {
            return settings?.allowRelativePaths
              ? policy.allows(url)
              : isTrustedOrigin.call(this, url, settings)
          },
        },
      }
    },
  }
}

const hasSecondFactor = (user: object | null): boolean =>
  user !== null && 'twoFactorEnabled' in user && user.twoFactorEnabled === true

/** Whether the session is deleted again until the user has passed a second factor. */
async function awaitsSecondFactor(
  request: GenericEndpointContext | null,
  userId: string,
): Promise<boolean> {
  if (!request || !FIRST_FACTORS.has(request.path)) return false
  return hasSecondFactor(await request.context.internalAdapter.findUserById(userId))
}

/** Maximum bytes that an unauthenticated caller can have stored in one row. */
const ANONYMOUS_ROW_LIMIT = 4096

/** @throws APIError 413 for a row larger than any that better-auth itself writes there. */
function assertSmall(row: object): void {
  if (Buffer.byteLength(JSON.stringify(row)) <= ANONYMOUS_ROW_LIMIT) return
  throw new APIError('PAYLOAD_TOO_LARGE', {
    code: 'PAYLOAD_TOO_LARGE',
    message: 'There are too many or too long values',
  })
}

const USER_DISABLED = 'AUTH_USER_DISABLED'

const userDisabled = (): APIError =>
  new APIError('FORBIDDEN', { code: USER_DISABLED, message: 'This account is disabled' })

/** Whether an operator has disabled the user. */
async function isDisabled(prisma: PrismaClient, userId: string): Promise<boolean> {
  const rows = await prisma.$queryRawUnsafe<unknown[]>(
    'SELECT 1 FROM better_auth_users WHERE id = $1 AND disabled_at IS NOT NULL',
    userId,
  )
  return rows.length > 0
}

/**
 * Tokens of the sessions beyond the limit, at most 100. Only sessions older than the new one count:
 * otherwise concurrent sign-ins would end each other's sessions.
 */
async function excessTokens(
  { prisma, maxSessionsPerUser }: NetscriptPluginOptions,
  { id, userId, createdAt }: { id: string; userId: string; createdAt: Date },
): Promise<string[]> {
  const live = { userId, expiresAt: { gt: new Date() } }
  const excess = (await prisma.authSession.count({ where: live })) - maxSessionsPerUser
  if (excess <= 0) return []
  const sessions = await prisma.authSession.findMany({
    where: { ...live, OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }] },
    orderBy: [{ updatedAt: 'asc' }, { id: 'asc' }],
    take: Math.min(excess, 100),
    select: { token: true },
  })
  return sessions.map(({ token }) => token)
}
