import type { BetterAuthRateLimitStorage } from 'better-auth'
import {
  clientNetworks,
  createRateLimitKeys,
  type RateLimitStore,
} from '@netscript/plugin-auth-core/internal'

/** Options of {@link createRateLimitStorage}. */
export interface RateLimitStorageOptions {
  readonly store: RateLimitStore
  readonly secret: string
  /** The route of a path: one count for all values of its parameters. */
  readonly routeOf: (path: string) => string | undefined
}

/**
 * Counts requests to better-auth as this API counts its own, by client network and route. better-auth
 * itself would keep a count in memory for every address and path that it is asked about.
 */
export function createRateLimitStorage({
  store,
  secret,
  routeOf,
}: RateLimitStorageOptions): BetterAuthRateLimitStorage {
  const keyOf = createRateLimitKeys(Buffer.from(secret))
  return {
    async consume(addressAndPath, { window, max }) {
      const [address, path = ''] = addressAndPath.split('|', 2)
      const scope = `better-auth${routeOf(path) ?? ''}`
      const charges = clientNetworks(address).map(({ cidr, prefix, clients }) => ({
        key: keyOf(`${scope}/${prefix}`, cidr),
        limit: max * clients,
      }))
      const counts = await store.charge(charges, window * 1000)
      const [last, limit = 0] = [counts.at(-1), charges[counts.length - 1]?.limit]
      if (last && last.hits <= limit) return { allowed: true, retryAfter: null }
      return { allowed: false, retryAfter: Math.ceil((last?.resetMs ?? window * 1000) / 1000) }
    },
  }
}
