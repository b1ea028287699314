import type { BetterAuthOptions } from 'better-auth'
import type { AuthLog } from '../log.js'

/**
 * Passes better-auth's log lines on, without what it attaches to them: that may be an e-mail address,
 * a token, or the arguments of a query. Of an error the name and the code remain.
 */
export function betterAuthLogger(log: AuthLog): NonNullable<BetterAuthOptions['logger']> {
  return {
    level: 'warn',
    disableColors: true,
    log(level, message, ...details: unknown[]) {
      const error = details.find((detail) => detail instanceof Error)
      const fields = {
        backend: 'better-auth',
        ...(error && { error: error.name }),
        ...(error && 'code' in error && typeof error.code === 'string' && { code: error.code }),
      }
      const write = level === 'error' ? 'error' : level === 'warn' ? 'warn' : 'info'
      log[write](fields, `better-auth: ${firstLine(message)}`)
    },
  }
}

const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').slice(0, 200)
