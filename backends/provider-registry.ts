import type { AuthProviderDescriptor, AuthProviderRegistryPort } from './port.js'

/** Creates a provider registry from a list, in its order. */
export function createProviderRegistry(
  providers: readonly AuthProviderDescriptor[],
): AuthProviderRegistryPort {
  return {
    listProviders: () => providers,
    getProvider: (id) => providers.find((provider) => provider.id === id),
  }
}
