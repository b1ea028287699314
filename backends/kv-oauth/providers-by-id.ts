import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import type { OAuthProvider } from './provider.js'

/**
 * Indexes providers by id, and marks those of several. A redirect URI is sent unchanged and must be registered. If several
 * providers share one, it is a base to which each appends its id as a path segment, so that every
 * provider has its own redirect URI (mix-up defense, RFC 9700 section 4.4.2.2).
 *
 * @throws AuthConfigurationError without a provider, and for two with the same id or redirect URI.
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
    const isShared = list.some(
      (other) => other !== provider && other.redirectUri === provider.redirectUri,
    )
    const redirectUri = isShared
      ? redirectUriOf(provider.redirectUri, provider.id)
      : provider.redirectUri
    const { href } = new URL(redirectUri)
    const rival = [...providers.values()].find((other) => new URL(other.redirectUri).href === href)
    if (rival) {
      throw new AuthConfigurationError(
        `The providers "${rival.id}" and "${provider.id}" have the redirect URI ${redirectUri} both. Give each its own.`,
      )
    }
    providers.set(
      provider.id,
      list.length === 1 ? provider : { ...provider, redirectUri, isOneOfSeveral: true },
    )
  }
  return providers
}

/** The redirect URI of one of several providers: the shared one with `id` appended to its path. */
export function redirectUriOf(shared: string, id: string): string {
  const url = new URL(shared)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${id}`
  return url.href
}
