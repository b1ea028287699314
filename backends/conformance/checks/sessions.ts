import assert from 'node:assert/strict'
import { AuthSession } from '@netscript/auth-contract'
import { AuthBackendOperationUnsupportedError, isAuthError } from '../../errors.js'
import type { AuthSessionSummary } from '../../port.js'
import {
  assertValid,
  type AuthBackendChecks,
  expectAlive,
  expectOver,
  nextMillisecond,
  rejection,
  requestOf,
  type Scene,
  signIn,
  skip,
} from '../scene.js'

/** User ids come from the backend, but an invalid one must still match no user. */
const UNKNOWN = ['missing', '', '%', "' OR 1=1 --", '__proto__', '../..', 'x'.repeat(1000)]
/** Session ids come from the caller, who can send anything. */
const UNKNOWN_SESSIONS = [...UNKNOWN, '\0', '\ud800']

export const SESSION_CHECKS: AuthBackendChecks = {
  'lists-own-sessions': {
    title: 'the list contains exactly the live sessions of the user, newest first',
    async run(scene) {
      needs(scene, 'listSessions')
      const first = await signIn(scene)
      await nextMillisecond()
      const second = await signIn(scene, first)
      const over = await signIn(scene, first)
      await signIn(scene)
      await scene.backend.sessions.signOut(requestOf(over), { everywhere: false })
      const { sessions: list } = await scene.backend.sessions.listSessions(first.user.id)
      const expected = [first.session.id, second.session.id].sort()
      assert.deepEqual(ids(list).sort(), expected, 'the list has other sessions')
      const issued = list.map(({ session }) => Date.parse(session.issuedAt))
      assert.deepEqual(
        issued,
        [...issued].sort((a, b) => b - a),
        'the list is not newest first',
      )
    },
  },
  'pages-own-sessions': {
    title: 'pages of any size contain each session once, in the order of the full list',
    async run(scene) {
      needs(scene, 'listSessions')
      const first = await signIn(scene)
      for (let more = 0; more < 4; more += 1) await signIn(scene, first)
      const whole = await scene.backend.sessions.listSessions(first.user.id)
      assert.equal(whole.sessions.length, 5, 'not all five sessions are listed')
      assert.equal(whole.cursor, undefined, 'there is a cursor, but no more sessions')
      for (const limit of [1, 2, 3, 5]) {
        const found: string[] = []
        let cursor: string | undefined
        do {
          const page = await scene.backend.sessions.listSessions(first.user.id, {
            limit,
            ...(cursor !== undefined && { cursor }),
          })
          assert.ok(page.sessions.length <= limit, `a page has more than ${limit} sessions`)
          found.push(...ids(page.sessions))
          cursor = page.cursor
        } while (cursor !== undefined && found.length < 10)
        assert.deepEqual(found, ids(whole.sessions), `pages of ${limit} differ from the list`)
      }
    },
  },
  'pages-are-stable': {
    title: 'pages stay consistent when sessions start or end in between',
    async run(scene) {
      needs(scene, 'listSessions')
      const oldest = await signIn(scene)
      await nextMillisecond()
      const middle = await signIn(scene, oldest)
      await nextMillisecond()
      const newest = await signIn(scene, oldest)
      const { sessions } = scene.backend
      const { sessions: page, cursor } = await sessions.listSessions(oldest.user.id, { limit: 1 })
      assert.deepEqual(ids(page), [newest.session.id], 'the first page is not the newest session')
      assert.ok(cursor, 'the first of three pages has no cursor')
      await nextMillisecond()
      for (let more = 0; more < 2; more += 1) await signIn(scene, oldest)
      await sessions.signOut(requestOf(newest), { everywhere: false })
      const next = await sessions.listSessions(oldest.user.id, { limit: 1, cursor })
      const expected = [middle.session.id]
      assert.deepEqual(ids(next.sessions), expected, 'the second page is not the second session')
    },
  },
  'refuses-unknown-cursors': {
    title: 'an invalid cursor is VALIDATION_ERROR',
    async run(scene) {
      needs(scene, 'listSessions')
      const { user } = await signIn(scene)
      for (const cursor of UNKNOWN_SESSIONS.filter((text) => !/^\w+$/.test(text))) {
        const error = await rejection(
          scene.backend.sessions.listSessions(user.id, { cursor }),
          `listSessions with the cursor ${JSON.stringify(cursor.slice(0, 16))}`,
        )
        assert.ok(isAuthError(error), `a cursor threw ${String(error)}`)
        assert.equal(error.code, 'VALIDATION_ERROR', 'the error is not VALIDATION_ERROR')
      }
    },
  },
  'listed-sessions-follow-contract': {
    title: 'a listed session matches the contract, is active and belongs to the user',
    async run(scene) {
      needs(scene, 'listSessions')
      const { user } = await signIn(scene)
      const { sessions: list } = await scene.backend.sessions.listSessions(user.id)
      assert.equal(list.length, 1, 'the list does not have exactly one session')
      for (const { session, userAgent } of list) {
        assertValid(AuthSession.safeParse(session), 'a listed session')
        assert.equal(session.userId, user.id, 'a listed session is of another user')
        assert.equal(session.state, 'active', 'a listed session is not active')
        assert.ok((userAgent ?? '').length <= 256, 'the user agent is longer than 256 characters')
      }
    },
  },
  'lists-nothing-of-unknown-user': {
    title: 'an unknown user has no sessions',
    async run(scene) {
      needs(scene, 'listSessions')
      const { session } = await signIn(scene)
      for (const userId of [...UNKNOWN, session.id]) {
        const { sessions: list } = await scene.backend.sessions.listSessions(userId)
        assert.deepEqual(list, [], `there are sessions of ${JSON.stringify(userId.slice(0, 16))}`)
      }
    },
  },
  'revokes-own-session-once': {
    title: 'revoking an own session returns true, and false the second time',
    async run(scene) {
      needs(scene, 'revokeSessions')
      const mine = await signIn(scene)
      const [elsewhere, theirs] = [await signIn(scene, mine), await signIn(scene)]
      const revoke = () => scene.backend.sessions.revokeSession(mine.user.id, elsewhere.session.id)
      assert.equal(await revoke(), true, 'the own session was not revoked')
      assert.equal(await revoke(), false, 'a second revocation returned true')
      await expectOver(scene, elsewhere, 'a session that was revoked')
      await expectAlive(scene, mine, 'after another session was revoked')
      await expectAlive(scene, theirs, 'after a session of another user was revoked')
    },
  },
  'revokes-no-foreign-session': {
    title: 'sessions of another user and unknown sessions are not revoked',
    async run(scene) {
      needs(scene, 'revokeSessions')
      const [mine, theirs] = [await signIn(scene), await signIn(scene)]
      for (const [userId, sessionId] of [
        [mine.user.id, theirs.session.id],
        ['', theirs.session.id],
        [theirs.session.id, theirs.session.id],
        ...UNKNOWN_SESSIONS.map((id) => [mine.user.id, id] as const),
      ] as const) {
        const revoked = await scene.backend.sessions.revokeSession(userId, sessionId)
        assert.equal(revoked, false, 'a session of another user was revoked')
      }
      await expectAlive(scene, mine, 'after it tried to revoke a foreign session')
      await expectAlive(scene, theirs, 'after another user tried to revoke it')
    },
  },
  'revokes-all-sessions-but-one': {
    title: 'revoking all sessions of a user, with or without an exception, returns how many',
    async run(scene) {
      needs(scene, 'revokeSessions')
      const { sessions } = scene.backend
      const kept = await signIn(scene)
      const others = [await signIn(scene, kept), await signIn(scene, kept)]
      const theirs = await signIn(scene)
      const except = kept.session.id
      assert.equal(
        await sessions.revokeSessions(kept.user.id, { except }),
        2,
        'revokeSessions did not return 2',
      )
      for (const other of others) await expectOver(scene, other, 'a session that was revoked')
      await expectAlive(scene, kept, 'after all sessions but this were revoked')
      assert.equal(
        await sessions.revokeSessions(kept.user.id),
        1,
        'revokeSessions did not return 1',
      )
      await expectOver(scene, kept, 'the last session, after all were revoked')
      assert.equal(
        await sessions.revokeSessions(kept.user.id),
        0,
        'revokeSessions did not return 0',
      )
      await expectAlive(scene, theirs, 'after all sessions of another user were revoked')
    },
  },
  'revokes-nothing-of-unknown-user': {
    title: 'revoking all sessions of an unknown user ends nothing',
    async run(scene) {
      needs(scene, 'revokeSessions')
      const person = await signIn(scene)
      for (const userId of [...UNKNOWN, person.session.id]) {
        const ended = await scene.backend.sessions.revokeSessions(userId)
        assert.equal(ended, 0, `sessions were ended for ${JSON.stringify(userId.slice(0, 16))}`)
      }
      await expectAlive(scene, person, 'after all sessions of an unknown user were revoked')
    },
  },
  'unsupported-listing-says-so': {
    title: 'without capabilities.listSessions, listing throws AuthBackendOperationUnsupportedError',
    async run(scene) {
      lacks(scene, 'listSessions')
      const { user } = await signIn(scene)
      await assertUnsupported(scene, 'listSessions', (port) => port.listSessions(user.id))
    },
  },
  'unsupported-revocation-says-so': {
    title:
      'without capabilities.revokeSessions, revoking throws AuthBackendOperationUnsupportedError',
    async run(scene) {
      lacks(scene, 'revokeSessions')
      const { user, session } = await signIn(scene)
      await assertUnsupported(scene, 'revokeSession', (port) =>
        port.revokeSession(user.id, session.id),
      )
      await assertUnsupported(scene, 'revokeSessions', (port) => port.revokeSessions(user.id))
    },
  },
}

type Capability = 'listSessions' | 'revokeSessions'

function needs({ backend }: Scene, capability: Capability): void {
  if (!backend.capabilities[capability]) skip(`capabilities.${capability} is false`)
}

function lacks({ backend }: Scene, capability: Capability): void {
  if (backend.capabilities[capability]) skip(`capabilities.${capability} is true`)
}

const ids = (list: readonly AuthSessionSummary[]): string[] => list.map(({ session }) => session.id)

async function assertUnsupported(
  { backend }: Scene,
  operation: string,
  run: (sessions: Scene['backend']['sessions']) => Promise<unknown>,
): Promise<void> {
  const error = await rejection(run(backend.sessions), operation)
  assert.ok(
    error instanceof AuthBackendOperationUnsupportedError,
    `${operation} must throw AuthBackendOperationUnsupportedError, but threw ${String(error)}`,
  )
  assert.equal(error.backendName, backend.name, 'the error names another backend')
  assert.ok(error.operation.includes(operation), `the error does not name ${operation}`)
  assert.notEqual(error.reason.trim(), '', 'the error gives no reason')
}
