import { createKeyring, sign } from './keyring.js'

/** A counter that a request is charged to. */
export interface RateLimitCharge {
  /** Where the requests are counted, such as {@link RateLimitKeys} makes it. */
  readonly key: string
  /** Maximum number of requests in the window. */
  readonly limit: number
}

/** The state of a counter after a request was charged to it. */
export interface RateLimitCount {
  /** The requests in the window, this one included. More than the limit: refuse it. */
  readonly hits: number
  /** When the window ends, in milliseconds from now. */
  readonly resetMs: number
}

/** Counts requests in fixed windows that begin with the first request. */
export interface RateLimitStore {
  /**
   * Charges a request to counters, in order. The first one over its limit is the last one charged:
   * what a narrow limit refuses does not use up the wider ones. Returns one count for each charge
   * made, so the request is refused exactly when the last one is over its limit.
   *
   * @param hits 0 reads the counters and charges nothing. Default: 1.
   * @throws AuthError `STORE_UNAVAILABLE`
   */
  charge(
    charges: readonly RateLimitCharge[],
    windowMs: number,
    hits?: 0 | 1,
  ): Promise<readonly RateLimitCount[]>
}

/** The key of the counter for `text` in a scope, such as a route and a prefix length. */
export type RateLimitKeys = (scope: string, text: string) => string

const BUCKET_BITS = 20

/**
 * Keys that are a keyed hash of what is counted, cut to 20 bits: the store never sees an address, and
 * no number of clients makes more than 1,048,576 counters in a scope. Two clients share a counter
 * with a probability of one in a million, and without the secret nobody can choose to.
 */
export function createRateLimitKeys(secret: Buffer): RateLimitKeys {
  const [key = secret] = createKeyring([secret]).keys('rate-limit')
  return (scope, text) => {
    const hash = Buffer.from(sign(key, `${scope}\0${text}`), 'base64url')
    return `${scope}:${hash.readUInt32BE() >>> (32 - BUCKET_BITS)}`
  }
}

const MAX_COUNTERS = 100_000

/**
 * Counts in the memory of this process. It keeps at most `maxCounters` counters and drops the oldest
 * for a new one.
 */
export function createMemoryRateLimitStore({
  maxCounters = MAX_COUNTERS,
  now = Date.now,
}: { maxCounters?: number; now?: () => number } = {}): RateLimitStore {
  /** In the order in which the windows began. */
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
