import type { AuthClientError } from '../error.js'

const FIRST_MS = 1_000
const LONGEST_MS = 60_000

/**
 * How long to wait before asking again, in milliseconds: a second, doubled at every failure up to a
 * minute, by chance up to half less, so that pages which lost the service together do not return
 * together. Not before `Retry-After`. Undefined for what a retry cannot fix.
 *
 * @param failures How many came before this one.
 */
export function retryDelay(error: AuthClientError, failures: number): number | undefined {
  const { status, retryAfterSeconds = 0 } = error
  if (status !== 0 && status !== 408 && status !== 429 && status < 500) return undefined
  const spread = Math.random() / 2
  const backOff = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures) * (1 - spread)
  return Math.max(backOff, retryAfterSeconds * 1_000 * (1 + spread))
}
