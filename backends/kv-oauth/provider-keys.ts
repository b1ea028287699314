import type { CryptoKey, JWTVerifyGetKey } from 'jose'
import type { Configuration, ServerMetadata } from 'openid-client'
import { type AuthError, providerError } from '@netscript/plugin-auth-core'
import type { OAuthProvider } from './provider.js'
import { createProviderFetch } from './provider-fetch.js'

/** Any caller can send a token with an unknown key id, which fetches the keys again at most this often. */
const COOLDOWN_MS = 30_000
const TIMEOUT_MS = 5000

/** `none` and the HMACs are no proof that a token is the provider's: we could have made it. */
const ASYMMETRIC = /^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519)$/

/** The asymmetric algorithms that the provider signs id_tokens with. Default: RS256. */
export function signingAlgorithms(server: Readonly<ServerMetadata>): string[] {
  const listed: unknown = server.id_token_signing_alg_values_supported
  const usable = [listed].flat().filter((alg) => typeof alg === 'string' && ASYMMETRIC.test(alg))
  return usable.length > 0 ? (usable as string[]) : ['RS256']
}

const keySets = new WeakMap<Configuration, JWTVerifyGetKey>()

/**
 * The keys at the provider's `jwks_uri`, for `jwtVerify`. Cached as long as the metadata, at most ten
 * minutes, and fetched again for an unknown key id.
 *
 * @throws AuthError `AUTH_PROVIDER_ERROR`, here and from the keys, when they are unavailable; that no
 * key fits the token is an error of jose.
 */
export async function providerKeys(
  provider: OAuthProvider,
  configuration: Configuration,
): Promise<JWTVerifyGetKey> {
  const known = keySets.get(configuration)
  if (known) return known
  const [jose, client, { createRemoteKeys }] = await Promise.all([
    import('jose'),
    import('openid-client'),
    import('@netscript/plugin-auth-core/internal'),
  ])
  const { jwks_uri: uri } = configuration.serverMetadata()
  if (uri === undefined || !URL.canParse(uri)) {
    throw keysUnavailable(provider, new Error('The metadata names no jwks_uri.'))
  }
  const fetch = configuration[client.customFetch] ?? createProviderFetch(provider)
  const remote = createRemoteKeys(new URL(uri), {
    cooldownMs: COOLDOWN_MS,
    timeoutMs: TIMEOUT_MS,
    fetch: (url, { headers, ...init }) =>
      fetch(url, { ...init, headers: Object.fromEntries(headers), body: undefined }),
  })
  const keys = async (...given: Parameters<JWTVerifyGetKey>): Promise<CryptoKey> => {
    try {
      return await remote.keys(...given)
    } catch (cause) {
      const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys } = jose.errors
      if (cause instanceof JWKSNoMatchingKey || cause instanceof JWKSMultipleMatchingKeys) {
        throw cause
      }
      throw keysUnavailable(provider, cause)
    }
  }
  keySets.set(configuration, keys)
  return keys
}

/** `AUTH_PROVIDER_ERROR`: the token was not checked, and may be sent again. */
export function keysUnavailable(provider: OAuthProvider, cause: unknown): AuthError {
  return providerError(
    provider.id,
    'The keys of the provider are unavailable. Send the token again in a moment.',
    { cause },
  )
}
