import { storeError } from '@netscript/auth-database/internal'
import type { BetterAuthOptions } from 'better-auth'
import type { AuthLog } from '@netscript/plugin-auth-core'

/**
 * Runs a database operation of better-auth.
 * @throws AuthError `STORE_UNAVAILABLE` when the database is unavailable, `INTERNAL` when it
 * rejects the statement.
 */
export async function databaseCall<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    throw databaseError(error)
  }
}

/** The database error as {@link storeError} reports it. */
export function databaseError(error: unknown): ReturnType<typeof storeError> {
  return storeError(error, undefined, reasonOf(error))
}

/**
 * The innermost cause, safe to log. Prisma includes query arguments in its messages, session tokens
 * among them, and ends with a line that states the reason; better-auth attaches the whole message.
 */
function reasonOf(error: unknown): Error {
  let first = error
  while (first instanceof Error && first.cause instanceof Error) first = first.cause
  if (!(first instanceof Error)) return new Error('Unknown failure')
  const reason = new Error(first.message.trimEnd().split('\n').at(-1))
  reason.name = first.name
  return 'code' in first && typeof first.code === 'string'
    ? Object.assign(reason, { code: first.code })
    : reason
}

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
