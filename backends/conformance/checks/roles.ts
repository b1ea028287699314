import assert from 'node:assert/strict'
import {
  type AuthBackendChecks,
  change,
  expectAlive,
  expectNobody,
  expectPerson,
  missingHook,
  type Person,
  requestOf,
  requestWith,
  type Scene,
  signIn,
  skip,
} from '../scene.js'
import { applySetCookies } from '../set-cookie.js'
import { begin, expectCode, interactive } from '../sign-in-flow.js'

const ROLE = 'conformance-role'

export const ROLE_CHECKS: AuthBackendChecks = {
  'changed-roles-are-in-force': {
    title:
      'a role that a user is given is in every live session at the next request, and in no other',
    async run(scene) {
      const [one, other] = [await signIn(scene), await signIn(scene)]
      const two = await signIn(scene, one)
      await giveRole(scene, one)
      for (const person of [one, two]) {
        await expectRole(scene, requestOf(person), person, true)
      }
      await expectRole(scene, requestOf(other), other, false)
    },
  },
  'changed-roles-survive-a-refresh': {
    title: 'a refresh of the session keeps a role that the user was given',
    async run(scene) {
      if (!scene.backend.capabilities.refresh) return skip('capabilities.refresh is false')
      const person = await signIn(scene)
      await giveRole(scene, person)
      const headers = await change(scene, 'refreshDue', person)
      await expectRole(scene, requestWith(headers), person, true)
      await expectRole(scene, requestWith(headers), person, true)
    },
  },
  'user-who-is-not-admitted-gets-no-session': {
    title: 'a sign-in of a user who is not admitted is AUTH_NOT_ADMITTED and changes no session',
    async run(scene) {
      interactive(scene)
      const { approveRefused } = scene.harness
      if (!approveRefused) return missingHook('approveRefused')
      const person = await signIn(scene)
      for (const before of [person.headers.cookie, undefined]) {
        const { browser, signedIn } = await begin(scene, before)
        const query = await approveRefused(signedIn.redirectUrl)
        const asked = interactive(scene).handleCallback(browser, query)
        const refused = await asked.catch((error: unknown) => error)
        await expectCode(asked, ['AUTH_NOT_ADMITTED'], 'a user who is not admitted')
        const { setCookies } = refused as { setCookies: readonly string[] }
        const cookie = applySetCookies(before, setCookies)
        if (before === undefined) {
          await expectNobody(scene, requestWith({ cookie }), 'a user who is not admitted')
        } else {
          await expectAlive(scene, person, 'after another user was not admitted')
        }
      }
    },
  },
}

async function giveRole({ harness, backend }: Scene, person: Person): Promise<void> {
  if (!harness.giveRole) return missingHook('giveRole')
  await harness.giveRole(backend, person.signedIn, ROLE)
}

async function expectRole(
  scene: Scene,
  request: ReturnType<typeof requestOf>,
  person: Person,
  hasRole: boolean,
): Promise<void> {
  const found = await expectPerson(scene, request, person, 'after a role was given')
  for (const roles of [found.session.roles, found.principal.roles]) {
    const what = hasRole ? 'the new role is missing' : 'another user has the role'
    assert.equal(roles.includes(ROLE), hasRole, what)
  }
}
