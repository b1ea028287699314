import type { TokenEndpointResponse, TokenEndpointResponseHelpers } from 'openid-client'
import type { ProviderTokens } from '../session-store.js'

/** Renew the access token this long before it ends, in milliseconds. */
const TOKEN_REFRESH_LEAD_MS = 60_000

/** What the token endpoint answered. */
export type Tokens = TokenEndpointResponse & TokenEndpointResponseHelpers

/** When to renew the access token; `undefined` without a refresh token or an end. */
export function nextTokenRefresh(
  tokens: Tokens,
  refreshToken: string | undefined,
  now: number,
): number | undefined {
  const seconds = tokens.expiresIn()
  if (refreshToken === undefined || seconds === undefined) return undefined
  return now + seconds * 1000 - TOKEN_REFRESH_LEAD_MS
}

/** The tokens to keep beside the session. */
export function providerTokens(tokens: Tokens): ProviderTokens {
  return {
    accessToken: tokens.access_token,
    ...(tokens.refresh_token !== undefined && { refreshToken: tokens.refresh_token }),
    ...(tokens.id_token !== undefined && { idToken: tokens.id_token }),
  }
}
