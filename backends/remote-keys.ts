import {
  createRemoteJWKSet,
  type CryptoKey,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from 'jose'

/** After a failure the server of the keys is left alone for this long. */
const BACK_OFF_MS = 1000

/** The keys behind a URL. */
export interface RemoteKeys {
  /** For `jwtVerify`. Throws the errors of jose, and those of `fetch`. */
  readonly keys: (...token: Parameters<JWTVerifyGetKey>) => Promise<CryptoKey>
  /** Fetches the keys now. */
  readonly reload: () => Promise<void>
}

/**
 * A cached key set. An anonymous caller decides which key ids we look for, so what unknown ones can
 * cause is bounded: one request in `cooldownMs` while the server answers, and one a second while it
 * fails. Known keys are found meanwhile.
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
