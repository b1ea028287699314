import assert from 'node:assert/strict'
import {
  assertPerson,
  type AuthBackendChecks,
  authenticate,
  change,
  expectPerson,
  type Headers,
  nextMillisecond,
  requestWith,
  signIn,
  skip,
} from '../scene.js'
import { applySetCookies } from '../set-cookie.js'

const CAPABILITIES = ['listSessions', 'providerLogout', 'refresh', 'revokeSessions'] as const

const FLOW = ['signIn', 'handleCallback', 'startLogout', 'finishLogout'] as const

const CLAIM = 'capabilities.refresh is true'

export const CAPABILITY_CHECKS: AuthBackendChecks = {
  'name-is-expected': {
    title: 'the backend has the name that it is registered under',
    async run({ backend, harness }) {
      assert.notEqual(backend.name, '', 'the backend has no name')
      assert.equal(backend.name, harness.name, 'the backend has another name')
    },
  },
  'capabilities-are-complete': {
    title: 'every capability is true or false',
    async run({ backend }) {
      for (const capability of CAPABILITIES) {
        const value: unknown = backend.capabilities[capability]
        assert.equal(typeof value, 'boolean', `capabilities.${capability} is not a boolean`)
      }
    },
  },
  'interactive-is-complete': {
    title: 'a redirect flow has all of its methods',
    async run({ backend: { interactive } }) {
      if (!interactive) return skip('the backend is not interactive')
      for (const method of FLOW) {
        assert.equal(typeof interactive[method], 'function', `interactive.${method} is missing`)
      }
    },
  },
  'refresh-extends-session': {
    title: 'with capabilities.refresh, using a session extends it',
    async run(scene) {
      if (!scene.backend.capabilities.refresh) return skip('capabilities.refresh is false')
      const person = await signIn(scene)
      const request = requestWith(await change(scene, 'refreshDue', person, CLAIM))
      await nextMillisecond()
      const { session, setCookies } = await expectPerson(scene, request, person, 'refresh is due')
      const later = Date.parse(session.expiresAt) > Date.parse(person.session.expiresAt)
      // With a resolution of seconds, expiresAt may stay the same.
      const said = session.refreshedAt !== person.session.refreshedAt
      assert.ok(
        later || said || setCookies.length > 0,
        'the session was not extended: it ends no later and no cookie is set',
      )
    },
  },
  'no-refresh-extends-nothing': {
    title: 'without capabilities.refresh, using a session does not extend it',
    async run(scene) {
      if (scene.backend.capabilities.refresh) return skip(CLAIM)
      const person = await signIn(scene)
      const headers = scene.harness.refreshDue
        ? await change(scene, 'refreshDue', person)
        : person.headers
      const known = await expectPerson(scene, requestWith(headers), person, 'the first time')
      const again = await expectPerson(scene, requestWith(headers), person, 'the second time')
      assert.equal(again.session.expiresAt, known.session.expiresAt, 'the session was extended')
      const sets = [...known.setCookies, ...again.setCookies]
      assert.deepEqual(sets, [], 'a cookie is set although nothing was extended')
    },
  },
  'refresh-is-safe-at-once': {
    title: 'twenty concurrent requests that are all due to refresh keep the user signed in',
    async run(scene) {
      if (!scene.backend.capabilities.refresh) return skip('capabilities.refresh is false')
      const person = await signIn(scene)
      const headers = await change(scene, 'refreshDue', person, CLAIM)
      const when = 'one of twenty concurrent requests while refresh is due'
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => authenticate(scene, requestWith(headers), when)),
      )
      for (const answer of answers) assertPerson(answer, person, when)
      for (const { setCookies } of answers) {
        const request = requestWith(nextHeaders(headers, setCookies))
        await expectPerson(scene, request, person, 'after twenty concurrent refreshes')
      }
    },
  },
}

function nextHeaders(headers: Headers, setCookies: readonly string[]): Headers {
  if (setCookies.length === 0) return headers
  return { ...headers, cookie: applySetCookies(headers.cookie, setCookies) }
}

const KINDS = ['oauth', 'oidc', 'saml', 'credentials', 'custom']
const NO_PROVIDER = ['', 'missing', '__proto__', 'constructor', 'toString']

export const PART_CHECKS: AuthBackendChecks = {
  'providers-are-consistent': {
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
  'probe-resolves': {
    title: 'a working backend is ready',
    async run({ backend }) {
      await assert.doesNotReject(backend.probe(), 'probe was rejected')
    },
  },
  'close-can-be-repeated': {
    title: 'closing works and can be repeated',
    async run({ backend }) {
      await assert.doesNotReject(backend.close(), 'close was rejected')
      await assert.doesNotReject(backend.close(), 'close was rejected the second time')
    },
  },
}
