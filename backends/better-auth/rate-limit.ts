import type { BetterAuthRateLimitStorage } from 'better-auth'
import {
  clientNetworks,
  createRateLimitKeys,
  type RateLimitStore,
} from '@netscript/plugin-auth-core/internal'

/** Options of {@link createRateLimitStorage}. */
interface RateLimitStorageOptions {
  readonly store: RateLimitStore
  readonly secret: string
  /** The route pattern of a path: all parameter values share one counter. */
  readonly routeOf: (path: string) => string | undefined
}

/**
 * Limits requests to better-auth like the rest of this API, by client network and route.
 * better-auth's own limiter would keep a counter in memory for every address and path.
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
