import {
  createRemoteJWKSet,
  type CryptoKey,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from 'jose'

/** Pause after a failed fetch of the keys. */
const BACK_OFF_MS = 1000

/** A remote key set. */
interface RemoteKeys {
  /** For `jwtVerify`. Throws the errors of jose, and those of `fetch`. */
  readonly keys: (...token: Parameters<JWTVerifyGetKey>) => Promise<CryptoKey>
  /** Fetches the keys now. */
  readonly reload: () => Promise<void>
}

/**
 * A cached remote key set. Anonymous callers choose the key ids to look up, so fetches for unknown
 * ids are limited: one per `cooldownMs` while the server responds, one per second while it fails.
 * Cached keys stay usable meanwhile, for ten minutes at most (`cacheMaxAge` of jose).
 */
export function createRemoteKeys(
  url: URL,
  options: { timeoutMs: number; cooldownMs: number; fetch?: FetchImplementation },
): RemoteKeys {
  const { timeoutMs, cooldownMs } = options
  const fetch: FetchImplementation =
    options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  let failure: { readonly error: unknown; readonly until: number } | undefined
  const remote = createRemoteJWKSet(url, {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownMs,
    [customFetch]: async (input, init) => {
      if (failure && Date.now() < failure.until) throw failure.error
      return fetch(input, init)
    },
  })
  return {
    keys: async (...token) => {
      try {
        return await remote(...token)
      } catch (error) {
        const isAboutTheToken =
          error instanceof errors.JWKSNoMatchingKey ||
          error instanceof errors.JWKSMultipleMatchingKeys
        if (!isAboutTheToken && error !== failure?.error) {
          failure = { error, until: Date.now() + BACK_OFF_MS }
        }
        throw error
      }
    },
    reload: () => remote.reload(),
  }
}
