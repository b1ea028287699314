import type { TokenEndpointResponse, TokenEndpointResponseHelpers } from 'openid-client'
import type { ProviderTokens } from './session-store.js'
import {
  CLOCK_TOLERANCE_SECONDS,
  type ConfigurationOptions,
  getClientConfiguration,
  metadataOf,
} from './configuration.js'
import type { OAuthProvider } from './provider.js'
import { ProviderAnswerError } from './provider-failure.js'

/** Refresh the access token this long before it expires, or after half of its lifetime if that is later. */
const TOKEN_REFRESH_LEAD_MS = 60_000

/** Minimum time between two refreshes, however short the tokens live. */
const TOKEN_REFRESH_INTERVAL_MS = 5_000

/** The end of the year 9999. */
const MAX_EXPIRY_MS = 253_402_300_799_000

/** A token response. */
export type Tokens = TokenEndpointResponse & TokenEndpointResponseHelpers

/** Checks rules 5 (azp) and 10 (iat) of OpenID Connect Core section 3.1.3.7, which the library omits. */
export function checkIdToken(provider: OAuthProvider, tokens: Tokens, now: number): void {
  const claims = tokens.claims()
  if (!claims) return
  if (claims.azp !== undefined && claims.azp !== provider.clientId) {
    throw new ProviderAnswerError(
      'id-token-azp',
      'The id_token was issued to another client (azp).',
    )
  }
  if (claims.iat > now / 1000 + CLOCK_TOLERANCE_SECONDS) {
    throw new ProviderAnswerError('id-token-iat', 'The id_token was issued in the future (iat).')
  }
}

/** When to refresh the access token; `undefined` without a refresh token or an expiry. */
export function nextTokenRefresh(
  tokens: Tokens,
  refreshToken: string | undefined,
  now: number,
): number | undefined {
  const seconds = tokens.expiresIn()
  if (refreshToken === undefined || seconds === undefined) return undefined
  const lifetime = seconds * 1000
  const wait = lifetime - Math.min(TOKEN_REFRESH_LEAD_MS, lifetime / 2)
  return Math.min(now + Math.max(wait, TOKEN_REFRESH_INTERVAL_MS), Number.MAX_SAFE_INTEGER)
}

/** The tokens to store, with the scopes that they are granted. */
export function providerTokens(
  tokens: Tokens,
  scopes: readonly string[],
  now: number,
): ProviderTokens {
  const seconds = tokens.expiresIn()
  return {
    accessToken: tokens.access_token,
    ...(tokens.refresh_token !== undefined && { refreshToken: tokens.refresh_token }),
    ...(tokens.id_token !== undefined && { idToken: tokens.id_token }),
    ...(seconds !== undefined && { expiresAt: expiry(now, seconds) }),
    scopes,
  }
}

/** The expiry of a token, at most the last one that every store can hold. */
const expiry = (now: number, seconds: number): number =>
  Math.min(Math.round(now + seconds * 1000), MAX_EXPIRY_MS)

/**
 * Revokes the tokens at the provider (RFC 7009): the refresh token if there is one, which ends the
 * grant. Best effort: the session has already ended here, and the wait is limited by the timeout of
 * the client.
 */
export async function revokeAtProvider(
  options: ConfigurationOptions,
  provider: OAuthProvider,
  { refreshToken, accessToken }: ProviderTokens,
): Promise<void> {
  const token = refreshToken ?? accessToken
  if (token === undefined) return
  try {
    const client = await import('openid-client')
    const configuration = await getClientConfiguration(provider, options)
    if (metadataOf(configuration).revocation_endpoint === undefined) return
    await client.tokenRevocation(configuration, token, {
      token_type_hint: refreshToken === undefined ? 'access_token' : 'refresh_token',
    })
  } catch (error) {
    options.log?.warn(
      { provider: provider.id, err: error },
      'The provider did not revoke the token.',
    )
  }
}
