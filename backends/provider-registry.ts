import type { AuthProviderDescriptor, AuthProviderRegistryPort } from './port.js'

/** The providers of a backend over a list, in its order. */
export function createProviderRegistry(
  providers: readonly AuthProviderDescriptor[],
): AuthProviderRegistryPort {
  return {
    listProviders: () => providers,
    getProvider: (id) => providers.find((provider) => provider.id === id),
  }
}
