import type { CryptoKey, JWTVerifyGetKey } from 'jose'
import type { Configuration, ServerMetadata } from 'openid-client'
import { type AuthError, providerError } from '@netscript/plugin-auth-core'
import type { OAuthProvider } from './provider.js'
import { createProviderFetch } from './provider-fetch.js'
import { metadataOf } from './configuration.js'

/** Minimum time between fetches for unknown key ids, which any caller can send. */
const COOLDOWN_MS = 30_000
const TIMEOUT_MS = 5000

/** Excludes `none` and HMACs, which do not prove that the provider signed a token. */
const ASYMMETRIC = /^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519)$/

/** The asymmetric algorithms with which the provider signs id_tokens. @default RS256 */
export function signingAlgorithms(server: Readonly<ServerMetadata>): string[] {
  const listed: unknown = server.id_token_signing_alg_values_supported
  const usable = [listed].flat().filter((alg) => typeof alg === 'string' && ASYMMETRIC.test(alg))
  return usable.length > 0 ? (usable as string[]) : ['RS256']
}

const keySets = new WeakMap<Configuration, JWTVerifyGetKey>()

/**
 * The keys at the provider's `jwks_uri`, for `jwtVerify`. They are cached as long as the metadata, at
 * most ten minutes, and fetched again for an unknown key id.
 *
 * @throws AuthError `AUTH_PROVIDER_ERROR`, also from the returned function, when the keys are
 * unavailable. A token without a matching key is an error of jose.
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
  const { jwks_uri: uri } = metadataOf(configuration)
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

/** Creates an `AUTH_PROVIDER_ERROR`: the token could not be verified and may be sent again. */
export function keysUnavailable(provider: OAuthProvider, cause: unknown): AuthError {
  return providerError(
    provider.id,
    'The keys of the provider are unavailable. Send the token again in a moment.',
    { cause },
  )
}
