import assert from 'node:assert/strict'
import { LinkedAccount, ProviderToken, StoredUser } from '@netscript/auth-contract'
import type {
  AuthAccountsPort,
  AuthBackendPort,
  AuthSelfServicePort,
  CallbackResult,
} from '../../port.js'
import {
  assertValid,
  type AuthBackendChecks,
  expectAlive,
  expectOver,
  type Person,
  requestWith,
  type Scene,
  signIn,
  skip,
} from '../scene.js'
import { isCleared, parseSetCookie } from '../set-cookie.js'
import { approved, expectCode, interactive } from '../sign-in-flow.js'
import { isAuthError } from '../../errors.js'

/** Account ids come from the caller, who can send anything. */
const UNKNOWN = ['missing', '', '%', "' OR 1=1 --", '__proto__', 'x'.repeat(1000), '\0', '\ud800']

export const ACCOUNT_CHECKS: AuthBackendChecks = {
  'lists-own-accounts': {
    title: 'the list of a new user is the account of the session, as the contract has it',
    async run(scene) {
      const accounts = accountsOf(scene)
      const person = await signIn(scene)
      await signIn(scene)
      const list = await accounts.list(person.session)
      assert.equal(list.length, 1, 'a new user does not have exactly one account')
      assertValid(LinkedAccount.safeParse(list[0]), 'an account')
      assert.equal(list[0]?.subject, person.session.subject, 'the account has another subject')
      assert.equal(list[0]?.current, true, 'the account of the session is not current')
    },
  },
  'link-adds-account': {
    title: 'a link adds the account to the user and leaves the session as it is',
    async run(scene) {
      const accounts = accountsOf(scene)
      const person = await signIn(scene)
      const result = await link(scene, person)
      assert.equal(result.userId, person.user.id, 'the callback names another user')
      assert.equal(result.sessionId, person.session.id, 'the callback names another session')
      const set = result.setCookies.map(parseSetCookie).filter((one) => !isCleared(one))
      assert.deepEqual(set, [], 'a link sets a cookie')
      await expectAlive(scene, person, 'after a link')
      const list = await accounts.list(person.session)
      const expected = [person.session.subject, result.subject]
      assert.deepEqual(
        list.map(({ subject }) => subject),
        expected,
        'the linked account is not listed after the first one',
      )
      assert.deepEqual(
        list.map(({ current }) => current),
        [true, false],
        'not only the account of the session is current',
      )
    },
  },
  'link-needs-its-session': {
    title: 'a link without the session that started it is AUTH_SESSION_CHANGED and adds nothing',
    async run(scene) {
      const accounts = accountsOf(scene)
      const person = await signIn(scene)
      const other = await signIn(scene)
      // The browser of another user: the transaction is theirs, the session is not.
      const { browser, query } = await approved(scene, other.headers.cookie, {
        linkTo: person.session,
      })
      const code = interactive(scene).handleCallback(browser, query)
      await expectCode(code, ['AUTH_SESSION_CHANGED'], 'a link in the browser of another user')
      for (const { session } of [person, other]) {
        const { length } = await accounts.list(session)
        assert.equal(length, 1, 'an account was added')
      }
    },
  },
  'unlink-ends-its-sessions': {
    title: 'removing an account ends the sessions that were made with it, and no others',
    async run(scene) {
      const accounts = accountsOf(scene)
      const person = await signIn(scene)
      const [elsewhere, bystander] = [await signIn(scene, person), await signIn(scene)]
      await link(scene, person)
      const [own] = await accounts.list(person.session)
      const { ended } = await accounts.unlink(person.session, own?.id ?? '')
      await expectOver(scene, person, 'the session of a removed account')
      await expectOver(scene, elsewhere, 'another session of a removed account')
      await expectAlive(scene, bystander, 'after another user removed an account')
      const expected = [person.session.id, elsewhere.session.id].sort()
      assert.deepEqual([...ended].sort(), expected, 'the result names other sessions')
    },
  },
  'last-account-stays': {
    title: 'the last account cannot be removed, also when all are removed at once',
    async run(scene) {
      const accounts = accountsOf(scene)
      const person = await signIn(scene)
      const [own] = await accounts.list(person.session)
      const last = accounts.unlink(person.session, own?.id ?? '')
      await expectCode(last, ['AUTH_LAST_ACCOUNT'], 'removing the last account')
      await expectAlive(scene, person, 'after the last account was not removed')
      await link(scene, person)
      const list = await accounts.list(person.session)
      const tries = await Promise.allSettled(
        list.map(({ id }) => accounts.unlink(person.session, id)),
      )
      const removed = tries.filter(({ status }) => status === 'fulfilled')
      assert.equal(removed.length, 1, `${removed.length} of two concurrent removals succeeded`)
    },
  },
  'removes-no-foreign-account': {
    title: 'an account of another user and an unknown one are NOT_FOUND',
    async run(scene) {
      const accounts = accountsOf(scene)
      const [person, other] = [await signIn(scene), await signIn(scene)]
      await link(scene, person)
      const [own] = await accounts.list(person.session)
      await link(scene, other)
      for (const id of [own?.id ?? '', ...UNKNOWN]) {
        const what = `removing the account ${JSON.stringify(id.slice(0, 16))}`
        await expectCode(accounts.unlink(other.session, id), ['NOT_FOUND'], what)
      }
      await expectAlive(scene, person, 'after another user tried to remove the account')
      assert.equal((await accounts.list(person.session)).length, 2, 'the account was removed')
    },
  },
}

const accountsOf = ({ backend }: Scene): AuthAccountsPort =>
  backend.accounts ?? skip('the backend links no accounts')

/** Links the account of a new user of the provider. */
async function link(scene: Scene, person: Person): Promise<CallbackResult> {
  const flow = await approved(scene, person.headers.cookie, { linkTo: person.session })
  return interactive(scene).handleCallback(flow.browser, flow.query)
}

export const SELF_SERVICE_CHECKS: AuthBackendChecks = {
  'exports-own-data': {
    title: 'the export has the user and all their sessions, and nothing of other users',
    async run(scene) {
      const selfService = selfServiceOf(scene)
      const person = await signIn(scene)
      const [elsewhere, other] = [await signIn(scene, person), await signIn(scene)]
      const stored = await selfService.exportUser(person.session)
      assertValid(StoredUser.safeParse(stored), 'the export')
      assert.equal(stored.user.id, person.user.id, 'the export is of another user')
      const ids = stored.sessions.map(({ session }) => session.id).sort()
      const expected = [person.session.id, elsewhere.session.id].sort()
      assert.deepEqual(ids, expected, 'the export has other sessions')
      const text = JSON.stringify(stored)
      assert.ok(!text.includes(other.user.id), 'the export names another user')
      assert.ok(!text.includes(other.session.id), 'the export has a session of another user')
    },
  },
  'deletes-own-user': {
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
}

const selfServiceOf = ({ backend }: Scene): AuthSelfServicePort =>
  backend.selfService ?? skip('the backend neither exports nor deletes users')

type GetProviderToken = NonNullable<AuthBackendPort['getProviderToken']>

export const PROVIDER_TOKEN_CHECKS: AuthBackendChecks = {
  'provider-token-is-of-its-user': {
    title: 'the provider token of a session is valid to the contract, and no token of another user',
    async run(scene) {
      const tokenOf = providerTokens(scene)
      const [one, other] = [await signIn(scene), await signIn(scene)]
      const tokens: string[] = []
      for (const { session } of [one, other]) {
        const token = await tokenOf(session).catch((error: unknown) => {
          if (isAuthError(error) && error.code === 'PROVIDER_TOKEN_UNAVAILABLE') return undefined
          throw error
        })
        if (!token) return skip('the sessions of the harness have no provider tokens')
        assertValid(ProviderToken.safeParse(token), 'the token')
        tokens.push(token.accessToken)
      }
      assert.notEqual(tokens[0], tokens[1], 'two users have the same provider token')
    },
  },
  'provider-token-ends-with-session': {
    title: 'an ended session and an unknown one have no provider token: UNAUTHORIZED',
    async run(scene) {
      const tokenOf = providerTokens(scene)
      const { headers, session } = await signIn(scene)
      await scene.backend.sessions.signOut(requestWith(headers), { everywhere: false })
      await expectCode(tokenOf(session), ['UNAUTHORIZED'], 'the token of an ended session')
      for (const id of ['unknown', '', "' OR 1=1 --", 'x'.repeat(1000)]) {
        await expectCode(tokenOf({ id }), ['UNAUTHORIZED'], 'the token of an unknown session')
      }
    },
  },
}

function providerTokens({ backend }: Scene): GetProviderToken {
  if (!backend.getProviderToken) return skip('the backend keeps no provider tokens')
  return (session, options) => backend.getProviderToken!(session, options)
}
