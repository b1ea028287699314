import { createHash, randomBytes } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { createPostgresRateLimitStore } from '@netscript/auth-database/internal'
import {
  type ClientNetwork,
  clientNetworks,
  createMemoryRateLimitStore,
  createRateLimitKeys,
  type RateLimitCount,
} from '@netscript/plugin-auth-core/internal'

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

/**
 * Counts a request from `address` against the limit named `route`. With 0 hits it only checks whether one
 * more may pass.
 */
export type RateLimiter = (
  route: string,
  address: string | undefined,
  hits?: 0 | 1,
) => Promise<RateLimitDecision>

/**
 * Limits a client's requests in a fixed window of one minute. No client can exhaust the limit of another
 * network.
 */
export function createRateLimiter({
  perMinute = DEFAULT_RATE_LIMIT,
  shared,
}: RateLimitOptions = {}): RateLimiter {
  const store = shared ? createPostgresRateLimitStore(shared.pool) : createMemoryRateLimitStore()
  const keyOf = createRateLimitKeys(shared ? Buffer.from(shared.secret) : randomBytes(32))
  return async (route, address, hits = 1) => {
    const budgets = clientNetworks(address).map(({ cidr, prefix, clients }) => ({
      key: keyOf(`${route}/${prefix}`, cidr),
      limit: perMinute * clients,
      prefix,
    }))
    const counts = await store.charge(budgets, WINDOW_MS, hits)
    const charged = counts.map((count, at) => ({ ...count, ...budgets[at]! }))
    const scarcest = charged.reduce((one, other) =>
      one.limit - one.hits <= other.limit - other.hits ? one : other,
    )
    const isRefused = scarcest.hits + (1 - hits) > scarcest.limit
    return {
      ...(isRefused && { refusedBy: scarcest.prefix }),
      headers: headersOf(route, scarcest, isRefused),
    }
  }
}

/** Headers of draft-ietf-httpapi-ratelimit-headers-08 for the limit with the fewest requests remaining. */
function headersOf(
  route: string,
  { key, limit, hits, resetMs }: RateLimitCount & { key: string; limit: number },
  isRefused: boolean,
): ReadonlyMap<string, string> {
  const seconds = Math.max(1, Math.ceil(resetMs / 1000))
  const partition = createHash('sha256').update(key).digest('base64').slice(0, 16)
  return new Map([
    ['RateLimit', `"${route}"; r=${Math.max(0, limit - hits)}; t=${seconds}`],
    ['RateLimit-Policy', `"${route}"; q=${limit}; w=${WINDOW_MS / 1000}; pk=:${partition}:`],
    ...(isRefused ? [['Retry-After', String(seconds)] as const] : []),
  ])
}
