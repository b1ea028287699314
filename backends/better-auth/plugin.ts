import type { AuthContext, BetterAuthPlugin } from 'better-auth'
import type { PrismaClient } from '@netscript/auth-database/client'
import { createReturnToPolicy, USER_AGENT_LENGTH } from '@netscript/plugin-auth-core/internal'
import { APIError } from 'better-auth/api'
import { PLUGIN_ID } from './allowed-return-to.js'

/** Options of {@link netscriptPlugin}. */
export interface NetscriptPluginOptions {
  /** The origin that users see. */
  readonly origin: string
  /** Further origins that browsers may be sent to. */
  readonly allowedReturnTo: readonly string[]
  readonly prisma: PrismaClient
  /** A sign-in beyond it ends the session that was used least recently. */
  readonly maxSessionsPerUser: number
}

/** What this project changes in an instance of better-auth. */
export function netscriptPlugin(options: NetscriptPluginOptions): BetterAuthPlugin {
  const policy = createReturnToPolicy(options.origin, options.allowedReturnTo)
  return {
    id: PLUGIN_ID,
    options: { allowedReturnTo: options.allowedReturnTo },
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
                async before({ userId, userAgent }) {
                  await refuseDisabled(options.prisma, userId)
                  return { data: { userAgent: userAgent?.slice(0, USER_AGENT_LENGTH) } }
                },
                async after({ id, token, userId }) {
                  // An operator marks the user first and then ends the sessions, so either the mark is
                  // seen here or the session is ended there.
                  await refuseDisabled(options.prisma, userId).catch(async (error: unknown) => {
                    await context.internalAdapter.deleteSession(token)
                    throw error
                  })
                  const tokens = await excessTokens(options, userId, id)
                  if (tokens.length > 0) await context.internalAdapter.deleteSessions(tokens)
                },
              },
            },
          },
        },
        context: {
          // better-auth allows relative paths when it asks about a redirect and not about an origin.
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

/** Maximum size in bytes of what a caller without a session can have stored. */
const ANONYMOUS_ROW_LIMIT = 4096

/** @throws APIError 413 for a row that is larger than anything that better-auth itself puts into it. */
function assertSmall(row: object): void {
  if (Buffer.byteLength(JSON.stringify(row)) <= ANONYMOUS_ROW_LIMIT) return
  throw new APIError('PAYLOAD_TOO_LARGE', {
    code: 'PAYLOAD_TOO_LARGE',
    message: 'There are too many or too long values',
  })
}

/** @throws APIError 403 when an operator has disabled the user. */
async function refuseDisabled(prisma: PrismaClient, userId: string): Promise<void> {
  const rows = await prisma.$queryRawUnsafe<unknown[]>(
    'SELECT 1 FROM better_auth_users WHERE id = $1 AND disabled_at IS NOT NULL',
    userId,
  )
  if (rows.length === 0) return
  throw new APIError('FORBIDDEN', {
    code: 'AUTH_USER_DISABLED',
    message: 'This account is disabled',
  })
}

/** The tokens of the sessions that are too many, without the new one; at most 100 of them. */
async function excessTokens(
  { prisma, maxSessionsPerUser }: NetscriptPluginOptions,
  userId: string,
  newId: string,
): Promise<string[]> {
  const live = { userId, expiresAt: { gt: new Date() } }
  const excess = (await prisma.authSession.count({ where: live })) - maxSessionsPerUser
  if (excess <= 0) return []
  const sessions = await prisma.authSession.findMany({
    where: { ...live, id: { not: newId } },
    orderBy: [{ updatedAt: 'asc' }, { id: 'asc' }],
    take: Math.min(excess, 100),
    select: { token: true },
  })
  return sessions.map(({ token }) => token)
}
