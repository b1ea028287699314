import { hash, randomBytes } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import {
  type ClientNetwork,
  clientNetworks,
  createMemoryRateLimitStore,
  createRateLimitKeys,
} from '@netscript/plugin-auth-core/internal'
import type { PendingRateLimit, RateLimitCharge, RateLimitCount } from '@netscript/plugin-auth-core'
import { createPostgresRateLimitStore } from '@netscript/auth-database/internal'

/** Default limit: requests per minute, client address and route. */
const DEFAULT_RATE_LIMIT = 120

const WINDOW_MS = 60_000

/** Limits for sign-ins, callbacks and tokens. */
export interface RateLimitOptions {
  /**
   * Requests per minute and client, counted separately for sign-ins, callbacks, tokens and rejected
   * logout tokens. A client is an IPv4 address or an IPv6 /64; all clients in a /56 share four times this
   * limit, in a /48 sixteen times.
   * Default: 120.
   */
  perMinute?: number
  /**
   * Database in which all processes count together, and their shared secret: the table holds keyed
   * hashes, not addresses. Default: each process counts in memory, so the effective limit grows with the
   * number of processes.
   */
  shared?: { pool: PostgresPool; secret: string }
}

/** Result of counting a request. */
export interface RateLimitDecision {
  /** Prefix length of the network that exceeded its limit; absent when the request may pass. */
  readonly refusedBy?: ClientNetwork['prefix']
  /** `RateLimit` and `RateLimit-Policy`; also `Retry-After` when the request is rejected. */
  readonly headers: ReadonlyMap<string, string>
}

/** Counts requests of clients. */
export interface RateLimiter {
  /**
   * Counts a request from `address` against the limit named `route`. With 0 hits it only checks whether
   * one more may pass.
   */
  charge(route: string, address: string | undefined, hits?: 0 | 1): Promise<RateLimitDecision>
  /**
   * Counts a request in this process at once, and leaves the shared counters to the backend. Absent when
   * the counters are not shared.
   */
  defer?(route: string, address: string | undefined): Promise<DeferredCharge>
}

/** A request that this process has counted, but not the database. */
export interface DeferredCharge {
  /** By the count of this process alone. */
  readonly own: RateLimitDecision
  readonly charges: readonly RateLimitCharge[]
  readonly windowMs: number
  /** The decision by the shared counts. */
  decide(counts: readonly RateLimitCount[]): RateLimitDecision
}

/**
 * Limits a client's requests in a fixed window of one minute. No client can exhaust the limit of another
 * network.
 */
export function createRateLimiter({
  perMinute = DEFAULT_RATE_LIMIT,
  shared,
}: RateLimitOptions = {}): RateLimiter {
  const own = createMemoryRateLimitStore()
  const store = shared ? createPostgresRateLimitStore(shared.pool) : own
  const keyOf = createRateLimitKeys(shared ? Buffer.from(shared.secret) : randomBytes(32))

  const budgetsOf = (route: string, address: string | undefined): Budget[] =>
    clientNetworks(address).map(({ cidr, prefix, clients }) => ({
      key: keyOf(`${route}/${prefix}`, cidr),
      limit: perMinute * clients,
      prefix,
    }))

  return {
    async charge(route, address, hits = 1) {
      const budgets = budgetsOf(route, address)
      return decide(route, budgets, await store.charge(budgets, WINDOW_MS, hits), hits)
    },
    ...(shared && {
      async defer(route, address) {
        const charges = budgetsOf(route, address)
        return {
          own: decide(route, charges, await own.charge(charges, WINDOW_MS)),
          charges,
          windowMs: WINDOW_MS,
          decide: (counts) => decide(route, charges, counts),
        }
      },
    }),
  }
}

/** A rate limit that the backend charges, once per request. */
export class DeferredLimit implements PendingRateLimit {
  #isOpen = true

  constructor(
    private readonly deferred: DeferredCharge,
    /** Throws `RATE_LIMITED` if the decision is to refuse. */
    readonly enforce: (decision: RateLimitDecision) => void,
  ) {}

  /** Whether nothing has charged it yet. */
  isOpen(): boolean {
    return this.#isOpen
  }

  /** Takes the decision of a charge. */
  settle(decision: RateLimitDecision): void {
    this.#isOpen = false
    this.enforce(decision)
  }

  async charge<Result>(
    statement: (
      charges: readonly RateLimitCharge[],
      windowMs: number,
    ) => Promise<{ counts: readonly RateLimitCount[]; result: Result }>,
  ): Promise<Result> {
    // Open no more even if the statement fails: during an outage a second one would fail too.
    this.#isOpen = false
    const { charges, windowMs } = this.deferred
    const { counts, result } = await statement(charges, windowMs)
    this.settle(this.deferred.decide(counts))
    return result
  }
}

type Budget = RateLimitCharge & Pick<ClientNetwork, 'prefix'>

function decide(
  route: string,
  budgets: readonly Budget[],
  counts: readonly RateLimitCount[],
  hits: 0 | 1 = 1,
): RateLimitDecision {
  const charged = counts.map((count, at) => ({ ...count, ...budgets[at]! }))
  const scarcest = charged.reduce((one, other) =>
    one.limit - one.hits <= other.limit - other.hits ? one : other,
  )
  const isRefused = scarcest.hits + (1 - hits) > scarcest.limit
  return {
    ...(isRefused && { refusedBy: scarcest.prefix }),
    get headers() {
      return headersOf(route, scarcest, isRefused)
    },
  }
}

/** Headers of draft-ietf-httpapi-ratelimit-headers-08 for the limit with the fewest requests remaining. */
function headersOf(
  route: string,
  { key, limit, hits, resetMs }: RateLimitCount & { key: string; limit: number },
  isRefused: boolean,
): ReadonlyMap<string, string> {
  const seconds = Math.max(1, Math.ceil(resetMs / 1000))
  const partition = hash('sha256', key, 'base64').slice(0, 16)
  return new Map([
    ['RateLimit', `"${route}"; r=${Math.max(0, limit - hits)}; t=${seconds}`],
    ['RateLimit-Policy', `"${route}"; q=${limit}; w=${WINDOW_MS / 1000}; pk=:${partition}:`],
    ...(isRefused ? [['Retry-After', String(seconds)] as const] : []),
  ])
}
