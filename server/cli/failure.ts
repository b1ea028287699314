import { AuthBackendNotFoundError, AuthConfigurationError } from '@netscript/plugin-auth-core'
import { wrap } from './wrap.js'

/**
 * Says why the command failed and sets the exit code. A mistake in the configuration is a sentence
 * with its fix; anything else shows its causes, and its stack with NETSCRIPT_DEBUG.
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

/** On a terminal lines are broken between words; in a pipe they stay whole, for those who search. */
function complain(message: string): void {
  const text = `netscript: ${message}`
  console.error(process.stderr.isTTY ? wrap(text) : text)
}

function causes(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  return [error.message || error.name, ...(error.cause === undefined ? [] : causes(error.cause))]
}
