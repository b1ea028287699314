import { AuthBackendNotFoundError, AuthConfigurationError } from '@netscript/plugin-auth-core'
import { wrap } from './terminal.js'

/**
 * Prints why a command failed and sets the exit code. A configuration error is printed with its fix; any
 * other error with its causes, and with its stack when NETSCRIPT_DEBUG is set.
 */
export function reportFailure(error: unknown): void {
  process.exitCode = 1
  if (error instanceof AuthConfigurationError || error instanceof AuthBackendNotFoundError) {
    complain(error.message)
    return
  }
  complain(causes(error).join('\n  because: '))
  if (process.env.NETSCRIPT_DEBUG && error instanceof Error) console.error(error.stack)
}

/** Wraps lines on a terminal only; in a pipe they stay whole, so that grep works. */
function complain(message: string): void {
  const text = `netscript: ${message}`
  console.error(process.stderr.isTTY ? wrap(text) : text)
}

function causes(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  return [error.message || error.name, ...(error.cause === undefined ? [] : causes(error.cause))]
}
