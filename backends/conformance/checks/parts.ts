import assert from 'node:assert/strict'
import type { AuthBackendCheck } from '../check.js'

const KINDS = ['oauth', 'oidc', 'saml', 'credentials', 'custom']
const NO_PROVIDER = ['', 'missing', '__proto__', 'constructor', 'toString']

export const PART_CHECKS: readonly AuthBackendCheck[] = [
  {
    id: 'providers-are-consistent',
    title: 'providers have unique ids and are found by them',
    async run({ backend: { providers } }) {
      const list = providers.listProviders()
      assert.ok(list.length > 0, 'the backend lists no provider')
      assert.equal(
        new Set(list.map(({ id }) => id)).size,
        list.length,
        'two providers have the same id',
      )
      for (const provider of list) {
        assert.notEqual(provider.id, '', 'a provider has no id')
        assert.notEqual(provider.displayName, '', `${provider.id} has no displayName`)
        assert.ok(KINDS.includes(provider.kind), `there is no kind ${provider.kind}`)
        const found = providers.getProvider(provider.id)
        assert.deepEqual(found, provider, `getProvider does not find ${provider.id}`)
      }
      for (const id of NO_PROVIDER) {
        assert.equal(providers.getProvider(id), undefined, `there is a provider ${id}`)
      }
    },
  },
  {
    id: 'probe-resolves',
    title: 'a working backend is ready',
    async run({ backend }) {
      await assert.doesNotReject(backend.probe(), 'probe was rejected')
    },
  },
  {
    id: 'close-can-be-repeated',
    title: 'closing works and can be repeated',
    async run({ backend }) {
      await assert.doesNotReject(backend.close(), 'close was rejected')
      await assert.doesNotReject(backend.close(), 'close was rejected the second time')
    },
  },
]
