import { AuthConfigurationError } from '../errors.js'
import type { OAuthProvider } from './provider.js'

/**
 * The providers by their ids. With several each has a redirect URI of its own, as they are sent and
 * have to be registered (RFC 9700 section 4.4.2.2).
 *
 * @throws AuthConfigurationError for none at all, and for two with the same id.
 */
export function providersById(list: readonly OAuthProvider[]): ReadonlyMap<string, OAuthProvider> {
  if (list.length === 0) {
    throw new AuthConfigurationError('createKvOAuthBackend needs a provider.')
  }
  const providers = new Map<string, OAuthProvider>()
  for (const provider of list) {
    if (providers.has(provider.id)) {
      throw new AuthConfigurationError(
        `Two providers have the id "${provider.id}". Give one of them another id.`,
      )
    }
    const redirectUri = new URL(provider.redirectUri)
    if (list.length > 1) redirectUri.searchParams.set('provider', provider.id)
    providers.set(provider.id, { ...provider, redirectUri: redirectUri.href })
  }
  return providers
}
