import assert from 'node:assert/strict'
import type { AuthBackendCheck } from '../check.js'
import { tampered } from '../tamper.js'

const KINDS = ['oauth', 'oidc', 'saml', 'credentials', 'custom']
const NO_PROVIDER = ['', 'missing', '__proto__', 'constructor', 'toString']
const NO_TOKEN = ['', '.', '..', 'a.b', 'a.b.c', '%', '\0', '\ud800', 'é', 'x'.repeat(8192)]

/** Minimum length of a token: 128 bits in base64url. */
const SHORTEST_TOKEN = 22

export const PART_CHECKS: readonly AuthBackendCheck[] = [
  {
    id: 'providers-are-consistent',
    title: 'providers have unique ids and are found by them',
    async run({ backend: { providers } }) {
      const list = providers.listProviders()
      assert.ok(list.length > 0, 'the backend lists no provider')
      assert.equal(new Set(list.map(({ id }) => id)).size, list.length, 'two have the same id')
      for (const provider of list) {
        assert.notEqual(provider.id, '', 'a provider has no id')
        assert.notEqual(provider.displayName, '', `${provider.id} has no name to show`)
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
    id: 'crypto-opens-what-it-issued',
    title: 'a session token opens to its session id and does not contain it',
    async run({ backend: { crypto } }) {
      const issued = Array.from({ length: 20 }, () => crypto.issueSessionToken())
      for (const { token, sessionId } of issued) {
        assert.equal(crypto.openSessionToken(token), sessionId, 'the token opens to another id')
        assert.ok(!token.includes(sessionId), 'the token contains the public id')
        assert.ok(token.length >= SHORTEST_TOKEN, 'the token is too short to be unguessable')
      }
      assert.equal(new Set(issued.map(({ token }) => token)).size, 20, 'a token was issued twice')
      assert.equal(new Set(issued.map((one) => one.sessionId)).size, 20, 'an id was issued twice')
    },
  },
  {
    id: 'crypto-refuses-the-rest',
    title: 'changed tokens and tokens that were never issued do not open',
    async run({ backend: { crypto } }) {
      const { token, sessionId } = crypto.issueSessionToken()
      for (const text of [...tampered(token), ...NO_TOKEN, sessionId, `${sessionId}.${token}`]) {
        let opened: string | undefined
        try {
          opened = crypto.openSessionToken(text)
        } catch (error) {
          assert.fail(`openSessionToken threw ${String(error)}`)
        }
        assert.equal(opened, undefined, 'a token that was not issued opens')
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
