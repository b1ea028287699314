import assert from 'node:assert/strict'
import { validateHeaderValue } from 'node:http'
import { AuthSession, AuthUser, MeResponse } from '@netscript/auth-contract'
import type { AuthnResult } from '../../port.js'
import {
  assertPerson,
  type AuthBackendChecks,
  assertValid,
  authenticate,
  change,
  expectPerson,
  type Headers,
  requestOf,
  requestWith,
  signIn,
} from '../scene.js'

/** Allowed clock skew between machines. */
const CLOCK_SKEW_MS = 60_000
const SCHEMES = ['api-key', 'bearer', 'trusted-header', 'custom']

export const IDENTITY_CHECKS: AuthBackendChecks = {
  'session-follows-contract': {
    title: 'session and user match the contract and belong together',
    async run(scene) {
      const { session, user } = await signIn(scene)
      assertValid(AuthSession.safeParse(session), 'the session')
      assertValid(AuthUser.safeParse(user), 'the user')
      assert.equal(session.userId, user.id, 'the session belongs to another user')
      if (session.providerId !== undefined) {
        const provider = scene.backend.providers.getProvider(session.providerId)
        assert.ok(provider, `no provider has the providerId of the session: ${session.providerId}`)
      }
    },
  },
  'answers-can-be-sent': {
    title:
      'every result can be sent as JSON of the contract and as Set-Cookie headers, also after a refresh',
    async run(scene) {
      const { backend, harness } = scene
      const assertSendableTo = async (whose: string, headers: Headers): Promise<void> =>
        assertSendable(await authenticate(scene, requestWith(headers), whose), whose)
      await assertSendableTo('an anonymous caller', {})
      const person = await signIn(scene)
      await assertSendableTo('a signed-in user', person.headers)
      const headers = harness.refreshDue
        ? await change(scene, 'refreshDue', person)
        : person.headers
      await assertSendableTo('a session that is due for a refresh', headers)
      const started = await backend.interactive?.signIn(requestWith({}), { returnTo: '/' })
      if (started) assertCookies(started.setCookies, 'a sign-in that was started')
      const ended = await backend.sessions.signOut(requestWith(headers), { everywhere: false })
      assertCookies(ended.setCookies, 'a sign-out')
    },
  },
  'session-is-live': {
    title: 'a valid session is active, was issued in the past and expires in the future',
    async run(scene) {
      const { session } = await signIn(scene)
      const [issued, expires] = [Date.parse(session.issuedAt), Date.parse(session.expiresAt)]
      assert.equal(session.state, 'active', 'the session is not active')
      assert.equal(session.revokedAt, undefined, 'the session says that it was revoked')
      assert.ok(issued <= Date.now() + CLOCK_SKEW_MS, 'the session was issued in the future')
      assert.ok(expires > Date.now(), 'the session has expired')
    },
  },
  'principal-follows-session': {
    title: 'the principal is the user of the session, with its scopes and roles',
    async run(scene) {
      const { session, user, principal } = await signIn(scene)
      assert.equal(principal.subject, user.id, 'the subject of the principal is not the user id')
      assert.deepEqual(principal.scopes, session.scopes, 'the scopes differ')
      assert.deepEqual(principal.roles, session.roles, 'the roles differ')
      assert.ok(SCHEMES.includes(principal.scheme), `there is no scheme ${principal.scheme}`)
      assert.equal(typeof principal.claims, 'object', 'the principal has no claims')
    },
  },
  'answers-are-stable': {
    title: 'the same credential gives the same session and user every time',
    async run(scene) {
      const person = await signIn(scene)
      for (const when of ['the first time', 'the second time', 'the third time']) {
        const { session } = await expectPerson(scene, requestOf(person), person, when)
        assert.equal(session.issuedAt, person.session.issuedAt, 'issuedAt moves')
        assert.equal(session.subject, person.session.subject, 'the subject changes')
      }
    },
  },
  'same-person-same-user': {
    title: 'a user who signs in twice has one user id and two sessions',
    async run(scene) {
      const first = await signIn(scene)
      const second = await signIn(scene, first)
      assert.equal(second.session.subject, first.session.subject, 'the subject changes')
      await expectPerson(scene, requestOf(first), first, 'after the same user signed in again')
      await expectPerson(scene, requestOf(second), second, 'signed in again')
    },
  },
  'two-people-are-two': {
    title: 'two users share no user id, session id or credential',
    async run(scene) {
      const [a, b] = [await signIn(scene), await signIn(scene)]
      assert.notEqual(a.user.id, b.user.id, 'two users share a user id')
      assert.notEqual(a.session.id, b.session.id, 'two users share a session id')
      assert.notEqual(a.principal.subject, b.principal.subject, 'two users share a principal')
      assert.notDeepEqual(a.headers, b.headers, 'two users share a credential')
      await expectPerson(scene, requestOf(a), a, 'after another user signed in')
    },
  },
  'people-are-never-mixed': {
    title: 'fifty concurrent requests of five users each get their own user',
    async run(scene) {
      const people = [await signIn(scene)]
      while (people.length < 5) people.push(await signIn(scene))
      const turns = Array.from({ length: 10 }, () => people).flat()
      const answers = await Promise.all(
        turns.map((person) =>
          authenticate(scene, requestOf(person), 'one of fifty concurrent requests'),
        ),
      )
      for (const [n, person] of turns.entries()) {
        const answer = answers[n]
        assert.ok(answer)
        assertPerson(answer, person, 'one of fifty concurrent requests')
      }
    },
  },
}

/** Checks the body of `GET /me` as a client reads it. */
function assertSendable(result: AuthnResult, whose: string): void {
  const { ok: authenticated } = result
  const body = result.ok
    ? { authenticated, user: result.user, session: result.session }
    : { authenticated }
  let text: string
  try {
    text = JSON.stringify(body)
  } catch (error) {
    assert.fail(`the result of ${whose} cannot be serialized as JSON: ${String(error)}`)
  }
  assertValid(MeResponse.safeParse(JSON.parse(text)), `the result of ${whose}`)
  assertCookies(result.setCookies, whose)
}

function assertCookies(setCookies: readonly string[], whose: string): void {
  for (const cookie of setCookies) {
    assert.doesNotThrow(
      () => validateHeaderValue('set-cookie', cookie),
      `a cookie of ${whose} is not a valid header value`,
    )
  }
}
