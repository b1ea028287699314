import type { BetterAuthOptions } from 'better-auth'
import type { AuthLog } from '@netscript/plugin-auth-core'
import { reasonOf } from './database-call.js'

/**
 * Passes better-auth's log lines on, without what it attaches to them: that may be an e-mail address,
 * a token, or the arguments of a query. Of an error the name and the code remain, and of one of Prisma
 * the line that says what is wrong.
 */
export function betterAuthLogger(log: AuthLog): NonNullable<BetterAuthOptions['logger']> {
  return {
    level: 'warn',
    disableColors: true,
    // better-auth logs an error in place of a message too.
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

/** The first line with anything on it; the messages of Prisma begin with an empty one. */
function firstLine(message: unknown): string {
  const lines = typeof message === 'string' ? message.split('\n') : []
  return (lines.find((line) => line.trim() !== '') ?? '').trim().slice(0, 200)
}
