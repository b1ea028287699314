import assert from 'node:assert/strict'
import { StoredUser } from '@netscript/auth-contract'
import type { AuthSelfServicePort } from '../../port.js'
import type { AuthBackendCheck } from '../check.js'
import { expectAlive, expectOver, type Scene, signIn } from '../scene.js'
import { skip } from '../skip.js'

export const SELF_SERVICE_CHECKS: readonly AuthBackendCheck[] = [
  {
    id: 'exports-own-data',
    title: 'the export has the user and all their sessions, and nothing of other users',
    async run(scene) {
      const selfService = selfServiceOf(scene)
      const person = await signIn(scene)
      const [elsewhere, other] = [await signIn(scene, person), await signIn(scene)]
      const stored = await selfService.exportUser(person.session)
      const parsed = StoredUser.safeParse(stored)
      assert.ok(parsed.success, `the export is not valid: ${parsed.error?.message}`)
      assert.equal(stored.user.id, person.user.id, 'the export is of another user')
      const ids = stored.sessions.map(({ session }) => session.id).sort()
      const expected = [person.session.id, elsewhere.session.id].sort()
      assert.deepEqual(ids, expected, 'the export has other sessions')
      const text = JSON.stringify(stored)
      assert.ok(!text.includes(other.user.id), 'the export names another user')
      assert.ok(!text.includes(other.session.id), 'the export has a session of another user')
    },
  },
  {
    id: 'deletes-own-user',
    title: 'deleting a user ends all their sessions, can be repeated, and changes no other user',
    async run(scene) {
      const selfService = selfServiceOf(scene)
      const person = await signIn(scene)
      const [elsewhere, other] = [await signIn(scene, person), await signIn(scene)]
      await selfService.deleteUser(person.session)
      await expectOver(scene, person, 'the session of a deleted user')
      await expectOver(scene, elsewhere, 'another session of a deleted user')
      await expectAlive(scene, other, 'after another user was deleted')
      await selfService.deleteUser(person.session)
    },
  },
]

const selfServiceOf = ({ backend }: Scene): AuthSelfServicePort =>
  backend.selfService ?? skip('the backend neither exports nor deletes users')
