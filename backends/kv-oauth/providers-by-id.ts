import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import type { OAuthProvider } from './provider.js'

/**
 * The providers by their ids. Each redirect URI is sent as it is and must be registered. One that
 * several providers share is a base: each appends its id as a path segment, since the answer of one
 * provider must not arrive where that of another is expected (RFC 9700 section 4.4.2.2).
 *
 * @throws AuthConfigurationError for no provider, and for two with the same id or redirect URI.
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
    providers.set(provider.id, isShared ? { ...provider, redirectUri } : provider)
  }
  return providers
}

/** The redirect URI of one of several providers: `id` appended to the path of the shared one. */
export function redirectUriOf(shared: string, id: string): string {
  const url = new URL(shared)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${id}`
  return url.href
}
