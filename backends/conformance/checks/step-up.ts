import assert from 'node:assert/strict'
import {
  type AuthBackendChecks,
  authenticate,
  expectAlive,
  expectNobody,
  requestOf,
  requestWith,
  type Scene,
  signIn,
  skip,
} from '../scene.js'
import { approved, begin, complete, expectCode, interactive } from '../sign-in-flow.js'

export const STEP_UP_CHECKS: AuthBackendChecks = {
  'step-up-is-refused-where-unsupported': {
    title: 'a sign-in with maxAge or acrValues at a provider without stepUp is a VALIDATION_ERROR',
    async run(scene) {
      const flow = interactive(scene)
      const without = providersWith(scene, false)
      if (without.length === 0) skip('every provider has stepUp')
      for (const providerId of without) {
        for (const input of [{ maxAge: 0 }, { maxAge: 300 }, { acrValues: ['mfa'] }]) {
          const asked = flow.signIn(requestWith({}), { providerId, returnTo: '/', ...input })
          await expectCode(asked, ['VALIDATION_ERROR'], `${JSON.stringify(input)} at ${providerId}`)
        }
      }
    },
  },
  'step-up-is-requested': {
    title: 'a sign-in with maxAge and acrValues sends them to the provider',
    async run(scene) {
      const { url } = await begin(scene, undefined, {
        providerId: stepUpProvider(scene),
        ...{ maxAge: 0, acrValues: ['phr', 'mfa'] },
      })
      assert.equal(url.searchParams.get('max_age'), '0', 'max_age is not sent')
      assert.equal(url.searchParams.get('acr_values'), 'phr mfa', 'acr_values is not sent')
    },
  },
  'step-up-gives-auth-time': {
    title: 'a sign-in with maxAge gives session and principal the time of the authentication',
    async run(scene) {
      const input = { providerId: stepUpProvider(scene), maxAge: 0 }
      const { cookie } = await complete(scene, undefined, input)
      const found = await authenticate(scene, requestWith({ cookie }), 'after the callback')
      assert.ok(found.ok, 'no user is signed in after the callback')
      const { session, principal } = found
      const age = Date.now() - Date.parse(session.authTime ?? '')
      assert.ok(Math.abs(age) < 60_000, `authTime is ${session.authTime}`)
      const seconds = Math.floor(Date.parse(session.authTime ?? '') / 1000)
      assert.equal(principal.claims.auth_time, seconds, 'the claim auth_time is another time')
    },
  },
  'step-up-verifies-the-class': {
    title: 'a sign-in with acrValues that the provider does not confirm is AUTH_STEP_UP_FAILED',
    async run(scene) {
      const person = await signIn(scene)
      const input = { providerId: stepUpProvider(scene), acrValues: ['urn:conformance:made-up'] }
      const { browser, query } = await approved(scene, person.headers.cookie, input)
      const asked = interactive(scene).handleCallback(browser, query)
      await expectCode(asked, ['AUTH_STEP_UP_FAILED'], 'a class that was not confirmed')
      await expectAlive(scene, person, 'after a step-up that failed')
    },
  },
  'step-up-refuses-another-user': {
    title: 'a step-up that another user completes is AUTH_SESSION_CHANGED and changes nothing',
    async run(scene) {
      const person = await signIn(scene)
      const input = { providerId: stepUpProvider(scene), maxAge: 0 }
      // The hook approves as a new user.
      const { browser, query } = await approved(scene, person.headers.cookie, input)
      const asked = interactive(scene).handleCallback(browser, query)
      await expectCode(asked, ['AUTH_SESSION_CHANGED'], 'a step-up by another user')
      await expectAlive(scene, person, 'after a step-up of another user')
    },
  },
  'step-up-needs-its-session': {
    title: 'a step-up whose session has ended meanwhile is AUTH_SESSION_CHANGED',
    async run(scene) {
      const person = await signIn(scene)
      const input = { providerId: stepUpProvider(scene), maxAge: 0 }
      const { browser, query } = await approved(scene, person.headers.cookie, input)
      await scene.backend.sessions.signOut(requestOf(person), { everywhere: false })
      const asked = interactive(scene).handleCallback(browser, query)
      await expectCode(asked, ['AUTH_SESSION_CHANGED'], 'a step-up without its session')
      await expectNobody(scene, requestOf(person), 'the session that was signed out')
    },
  },
}

/** The ids of the providers that have stepUp, or that have not. */
function providersWith({ backend }: Scene, stepUp: boolean): string[] {
  const all = backend.providers.listProviders()
  return all.filter((one) => (one.stepUp ?? false) === stepUp).map(({ id }) => id)
}

function stepUpProvider(scene: Scene): string {
  interactive(scene)
  return providersWith(scene, true)[0] ?? skip('no provider has stepUp')
}
