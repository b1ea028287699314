import assert from 'node:assert/strict'
import {
  type AuthBackendChecks,
  expectAlive,
  expectOver,
  type Person,
  requestOf,
  requestWith,
  requestWithCookies,
  signIn,
  skip,
} from '../scene.js'
import { isCleared, parseSetCookie } from '../set-cookie.js'
import { tamperedRequests } from './credentials.js'

const HERE = { everywhere: false }
const EVERYWHERE = { everywhere: true }

export const SIGN_OUT_CHECKS: AuthBackendChecks = {
  'sign-out-ends-own-session-only': {
    title: 'signing out ends only the session of the caller',
    async run(scene) {
      const mine = await signIn(scene)
      const [elsewhere, theirs] = [await signIn(scene, mine), await signIn(scene)]
      const { sessionId } = await scene.backend.sessions.signOut(requestOf(mine), HERE)
      assert.equal(sessionId, mine.session.id, 'signOut names another session than the caller’s')
      await expectOver(scene, mine, 'a user who signed out')
      await expectAlive(scene, elsewhere, 'after signing out in another browser')
      await expectAlive(scene, theirs, 'after another user signed out')
    },
  },
  'sign-out-is-idempotent': {
    title: 'signing out again, or without a session, succeeds and ends nothing',
    async run(scene) {
      const { sessions } = scene.backend
      const person = await signIn(scene)
      const elsewhere = await signIn(scene, person)
      await sessions.signOut(requestOf(person), HERE)
      for (const options of [HERE, EVERYWHERE]) {
        for (const [whom, request] of [
          ['a second sign-out', requestOf(person)],
          ['a sign-out without a credential', requestWith({})],
        ] as const) {
          const { sessionId } = await sessions.signOut(request, options)
          assert.equal(sessionId, undefined, `${whom} says that it ended a session`)
        }
      }
      await expectAlive(scene, elsewhere, 'after a sign-out with a session that has ended')
    },
  },
  'sign-out-clears-cookies': {
    title: 'signing out clears the cookies of the credential, valid or not',
    async run(scene) {
      const { sessions } = scene.backend
      const person = await signIn(scene)
      if (person.cookies.length === 0) return skip('the credential is no cookie')
      const invalid = person.cookies.map(([name]) => [name, 'x'] as const)
      const twice = [...person.cookies, ...person.cookies]
      for (const [whom, request] of [
        ['with an invalid cookie', requestWithCookies(invalid)],
        ['with a cookie that is sent twice', requestWithCookies(twice)],
        ['with a valid cookie', requestOf(person)],
        ['with the cookie of a session that has ended', requestOf(person)],
        ['without a cookie', requestWith({})],
      ] as const) {
        const { setCookies } = await sessions.signOut(request, HERE)
        assertClears(setCookies, person, whom)
      }
    },
  },
  'sign-out-everywhere': {
    title: 'signing out everywhere ends all sessions of the user, and no others',
    async run(scene) {
      const mine = await signIn(scene)
      const [second, third] = [await signIn(scene, mine), await signIn(scene, mine)]
      const theirs = await signIn(scene)
      await scene.backend.sessions.signOut(requestOf(mine), EVERYWHERE)
      for (const person of [mine, second, third]) {
        await expectOver(scene, person, 'a user who signed out everywhere')
      }
      await expectAlive(scene, theirs, 'after another user signed out everywhere')
    },
  },
  'forged-sign-out-ends-nothing': {
    title: 'signing out with a forged credential ends nothing, here or everywhere',
    async run(scene) {
      const [mine, theirs] = [await signIn(scene), await signIn(scene)]
      const forged = [
        ...tamperedRequests(mine),
        ...mine.cookies.map(([name]) => requestWithCookies([[name, mine.session.id]])),
        requestWith({}, `/api/v1/auth/signout?sessionId=${encodeURIComponent(mine.session.id)}`),
        ...(mine.cookies.length > 0
          ? [requestWithCookies([...mine.cookies, ...theirs.cookies])]
          : []),
      ]
      for (const request of forged) {
        for (const options of [HERE, EVERYWHERE]) {
          const { sessionId } = await scene.backend.sessions.signOut(request, options)
          assert.equal(sessionId, undefined, 'a forged credential ended a session')
        }
      }
      await expectAlive(scene, mine, 'after a user signed out with a forged credential')
      await expectAlive(scene, theirs, 'after a user signed out with a forged credential')
    },
  },
  'provider-logout-matches-capability': {
    title: 'signing out returns a logoutUrl only if capabilities.providerLogout is true',
    async run(scene) {
      const { sessions, capabilities } = scene.backend
      const options = { everywhere: false, returnTo: 'http://localhost/' }
      const { logoutUrl } = await sessions.signOut(requestOf(await signIn(scene)), options)
      if (logoutUrl === undefined) return
      assert.ok(capabilities.providerLogout, 'there is a logoutUrl, but the capability is false')
      assert.ok(URL.canParse(logoutUrl), 'the logoutUrl is not an absolute URL')
    },
  },
}

function assertClears(setCookies: readonly string[], { cookies }: Person, whom: string): void {
  const cleared = setCookies.map(parseSetCookie).filter(isCleared)
  for (const [name] of cookies) {
    const found = cleared.find((cookie) => cookie.name === name)
    assert.ok(found, `signing out ${whom} does not clear ${name}`)
    assert.equal(found.value, '', `signing out ${whom} leaves a value in ${name}`)
  }
}
