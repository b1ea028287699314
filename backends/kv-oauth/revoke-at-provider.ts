import type { ProviderTokens } from './session-store.js'
import { getClientConfiguration, metadataOf } from './configuration.js'
import type { KvOAuthContext } from './context.js'
import type { OAuthProvider } from './provider.js'

/**
 * Revokes the tokens at the provider (RFC 7009): the refresh token if there is one, which ends the
 * grant. Best effort: the session has already ended here, and the wait is limited by the timeout of
 * the client.
 */
export async function revokeAtProvider(
  context: KvOAuthContext,
  provider: OAuthProvider,
  { refreshToken, accessToken }: ProviderTokens,
): Promise<void> {
  const token = refreshToken ?? accessToken
  if (token === undefined) return
  try {
    const client = await import('openid-client')
    const configuration = await getClientConfiguration(provider, context)
    if (metadataOf(configuration).revocation_endpoint === undefined) return
    await client.tokenRevocation(configuration, token, {
      token_type_hint: refreshToken === undefined ? 'access_token' : 'refresh_token',
    })
  } catch (error) {
    context.log.warn(
      { provider: provider.id, err: error },
      'The provider did not revoke the token.',
    )
  }
}
