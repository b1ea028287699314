import type { SigningKey, SigningKeyStore } from '@netscript/plugin-auth/internal'

/** One key that signs as long as the process runs. */
export function createMemorySigningKeyStore(): SigningKeyStore {
  const keys: SigningKey[] = []
  return {
    list: async () => keys,
    async add({ generation, publicKey, privateKey }) {
      if (keys.length > 0) return
      keys.push({ generation, publicKey, privateKey, phase: 'signing', successorDue: false })
    },
    async remove() {},
  }
}
