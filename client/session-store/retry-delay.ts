import type { AuthClientError } from '../error.js'

const FIRST_MS = 1_000
const LONGEST_MS = 60_000

/**
 * Delay before a retry, in milliseconds: exponential back-off from one second to one minute, with up
 * to 50% jitter so that pages do not retry in step after an outage. Never earlier than
 * `Retry-After`. Undefined for errors that a retry cannot fix.
 *
 * @param failures Number of consecutive failures before this one.
 */
export function retryDelay(error: AuthClientError, failures: number): number | undefined {
  const { status, retryAfterSeconds = 0 } = error
  if (status !== 0 && status !== 408 && status !== 429 && status < 500) return undefined
  const spread = Math.random() / 2
  const backOff = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures) * (1 - spread)
  return Math.max(backOff, retryAfterSeconds * 1_000 * (1 + spread))
}
