import type { BetterAuthOptions } from 'better-auth'
import type { AuthLog } from '@netscript/plugin-auth-core'
import { reasonOf } from './database-call.js'

/**
 * Forwards better-auth's log lines without their attachments, which may be an e-mail address, a
 * token or query arguments. Errors keep their name and code; Prisma errors also the line with the
 * reason.
 */
export function betterAuthLogger(log: AuthLog): NonNullable<BetterAuthOptions['logger']> {
  return {
    level: 'warn',
    disableColors: true,
    // better-auth also passes an error in place of a message.
    log(level, message: unknown, ...details: unknown[]) {
      const error = [message, ...details].find((detail) => detail instanceof Error)
      const fields = {
        backend: 'better-auth',
        ...(error && { error: error.name }),
        ...(error && 'code' in error && typeof error.code === 'string' && { code: error.code }),
        ...(error?.name.startsWith('PrismaClient') && { reason: reasonOf(error).message }),
      }
      const write = level === 'error' ? 'error' : level === 'warn' ? 'warn' : 'info'
      log[write](
        fields,
        `better-auth: ${firstLine(message) || error?.name || 'an unnamed failure'}`,
      )
    },
  }
}

/** The first non-empty line; Prisma's messages begin with an empty one. */
function firstLine(message: unknown): string {
  const lines = typeof message === 'string' ? message.split('\n') : []
  return (lines.find((line) => line.trim() !== '') ?? '').trim().slice(0, 200)
}
