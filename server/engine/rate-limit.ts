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

/** Requests a minute, client address and route unless something else is configured. */
export const DEFAULT_RATE_LIMIT = 120

const WINDOW_MS = 60_000

/** How often sign-ins, callbacks and tokens may be asked for. */
export interface RateLimitOptions {
  /**
   * Sign-ins a minute and client, as many callbacks, as many tokens, and as many logout tokens that
   * are refused. A client is an IPv4 address or an IPv6 /64; all clients in a /56 have four times as
   * many together, in a /48 sixteen times.
   * Default: 120.
   */
  perMinute?: number
  /**
   * Where all processes count together, and a secret that they share: the table holds keyed hashes,
   * not addresses. Default: each process counts in its own memory, so the limit of a service is that
   * of one process times their number.
   */
  shared?: { pool: PostgresPool; secret: string }
}

/** What became of a request that was counted. */
export interface RateLimitDecision {
  /** The prefix length of the network whose budget is used up; absent when the request may pass. */
  readonly refusedBy?: ClientNetwork['prefix']
  /** `RateLimit` and `RateLimit-Policy`; `Retry-After` as well when it is refused. */
  readonly headers: ReadonlyMap<string, string>
}

/**
 * Counts a request of the client at `address` for the limit called `route`. With 0 hits it only says
 * whether one more may pass.
 */
export type RateLimiter = (
  route: string,
  address: string | undefined,
  hits?: 0 | 1,
) => Promise<RateLimitDecision>

/**
 * Limits requests of a client in a fixed window of one minute, whatever they are for: no client can
 * use up the budget of another network.
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

/** draft-ietf-httpapi-ratelimit-headers-08, about the budget of which the least is left. */
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
