import { createKeyring, sign } from './keyring.js'

/** A counter to charge a request to. */
export interface RateLimitCharge {
  /** The key of the counter: its scope and a keyed hash. */
  readonly key: string
  /** Maximum number of requests in the window. */
  readonly limit: number
}

/** The state of a counter after a charge. */
export interface RateLimitCount {
  /** Requests in the window, including this one. Refuse it when this exceeds the limit. */
  readonly hits: number
  /** Time until the window ends, in milliseconds. */
  readonly resetMs: number
}

/** Counts requests in fixed windows that start with the first request. */
export interface RateLimitStore {
  /**
   * Charges a request to counters, in order, and stops at the first that exceeds its limit, so that
   * requests refused by a narrow limit do not count against wider ones. Returns one count per charge
   * made: refuse the request exactly when the last count exceeds its limit.
   *
   * @param hits 0 reads the counters without charging them. @default 1
   * @throws AuthError `STORE_UNAVAILABLE`
   */
  charge(
    charges: readonly RateLimitCharge[],
    windowMs: number,
    hits?: 0 | 1,
  ): Promise<readonly RateLimitCount[]>
}

/** A rate limit that is charged together with what a request writes. */
export interface PendingRateLimit {
  /**
   * Runs a statement that also charges the counters, as a `RateLimitStore` does, and that
   * writes nothing else when the last of them exceeds its limit.
   * @throws AuthError `RATE_LIMITED`
   */
  charge<Result>(
    statement: (
      charges: readonly RateLimitCharge[],
      windowMs: number,
    ) => Promise<{ counts: readonly RateLimitCount[]; result: Result }>,
  ): Promise<Result>
}

/** Returns the counter key of `text` in a scope, such as a route and a prefix length. */
type RateLimitKeys = (scope: string, text: string) => string

const BUCKET_BITS = 20

/**
 * Creates keys from a keyed hash, truncated to 20 bits. The store never sees an address, and a scope
 * has at most 1,048,576 counters. Two clients share a counter with a probability of one in a million;
 * without the secret, a collision cannot be chosen.
 */
export function createRateLimitKeys(secret: Uint8Array): RateLimitKeys {
  const [key = secret] = createKeyring([secret]).keys('rate-limit')
  return (scope, text) => {
    const hash = Buffer.from(sign(key, `${scope}\0${text}`), 'base64url')
    return `${scope}:${hash.readUInt32BE() >>> (32 - BUCKET_BITS)}`
  }
}

const MAX_COUNTERS = 100_000

/**
 * Counts in the memory of this process. It keeps at most `maxCounters` counters and evicts the oldest.
 */
export function createMemoryRateLimitStore({
  maxCounters = MAX_COUNTERS,
  now = Date.now,
}: { maxCounters?: number; now?: () => number } = {}): RateLimitStore {
  /** In order of the start of their windows. */
  const counters = new Map<string, { hits: number; resetAt: number }>()

  const countOn = (key: string, windowMs: number, hits: 0 | 1): RateLimitCount => {
    const time = now()
    let counter = counters.get(key)
    if (!counter || counter.resetAt <= time) {
      counters.delete(key)
      for (const [oldest, { resetAt }] of counters) {
        if (resetAt > time && counters.size < maxCounters) break
        counters.delete(oldest)
      }
      counters.set(key, (counter = { hits: 0, resetAt: time + windowMs }))
    }
    counter.hits += hits
    return { hits: counter.hits, resetMs: counter.resetAt - time }
  }

  return {
    async charge(charges, windowMs, hits = 1) {
      const counts: RateLimitCount[] = []
      for (const { key, limit } of charges) {
        const count = countOn(key, windowMs, hits)
        counts.push(count)
        if (count.hits > limit) break
      }
      return counts
    },
  }
}
