import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyring } from '../../keyring.js'
import type {
  KvOAuthStores,
  CompletedSignIn,
  SessionRecord,
  StoredSignIn,
} from '../session-store.js'
import { sessionRecord } from './session-store-suite.js'
import { TEST_CHANGE } from './testing/test-user.js'

interface SignInStoresUnderTest extends Pick<
  KvOAuthStores,
  'users' | 'sessions' | 'tokens' | 'signIns'
> {
  /** The same stores in another process. */
  others: KvOAuthStores
  /** Types and reasons of the audit events that name a session. */
  trail(sessionId: string): Promise<(readonly [type: string, reason: string | null])[]>
  close(): Promise<void>
}

type Account = { providerId: string; issuer: string; subject: string }

/** A sign-in of an account whose session has the roles of the operator. */
export function signInOf(account: Account, over: Partial<CompletedSignIn> = {}): CompletedSignIn {
  const record = sessionRecord('', account)
  return {
    identity: { ...account, profile: { displayName: 'Ada' } },
    sessionOf: ({ userId, roles }) => ({ ...record, userId, roles }),
    tokens: { accessToken: 'access' },
    maxSessions: 100,
    ...over,
  }
}

export const newAccount = (providerId = 'one'): Account => ({
  providerId,
  issuer: `https://${providerId}.example`,
  subject: randomUUID(),
})

/** The suite for completed sign-ins: users are in Postgres, and sessions in Postgres or Redis. */
export function signInStoreSuite(name: string, make: () => Promise<SignInStoresUnderTest>): void {
  describe(`completed sign-ins: ${name}`, () => {
    let sut: SignInStoresUnderTest
    const keyring = createKeyring([randomBytes(32)])
    const complete = (account: Account, over?: Partial<CompletedSignIn>): Promise<StoredSignIn> =>
      sut.signIns(keyring).complete(signInOf(account, over))
    const liveOf = async (userId: string): Promise<string[]> =>
      (await sut.sessions.listByUser(userId)).map(({ id }) => id)
    beforeAll(async () => {
      sut = await make()
    })
    afterAll(() => sut.close())

    it('create the user once, and the session and the tokens each time', async () => {
      const account = newAccount()
      const first = await complete(account)
      const second = await complete(account)
      const { userId } = first.session
      expect([first.isNew, second.isNew]).toEqual([true, false])
      expect(second.session.userId).toBe(userId)
      for (const { session } of [first, second]) {
        expect(await sut.sessions.get(session.id)).toEqual(session)
        expect(await sut.tokens(keyring).read(session, account.providerId)).toMatchObject({
          accessToken: 'access',
        })
        expect(await sut.trail(session.id)).toEqual([['sign-in.completed', null]])
      }
      expect(await sut.users.listAccounts(userId)).toHaveLength(1)
    })

    it('store what the provider issued, and nothing for what it did not', async () => {
      const account = newAccount()
      const tokens = {
        refreshToken: 'r',
        idToken: 'i',
        expiresAt: 1_800_000_000_000,
        scopes: ['a'],
      }
      const { session } = await complete(account, { tokens })
      expect(await sut.tokens(keyring).read(session, account.providerId)).toEqual(tokens)
    })

    it('find an account that was linked to a user of any id', async () => {
      const { session } = await complete(newAccount())
      const linked = newAccount('two')
      await sut.users.link(session.userId, linked, TEST_CHANGE)
      const signedIn = await complete(linked)
      expect(signedIn).toMatchObject({ isNew: false, session: { userId: session.userId } })
      expect(await sut.sessions.get(signedIn.session.id)).toMatchObject({
        userId: session.userId,
        providerId: 'two',
      })
    })

    it('update the profile, and keep what the provider leaves out', async () => {
      const account = newAccount()
      const email = { email: 'ada@example.com', emailVerified: true }
      const { session } = await complete(account, {
        identity: { ...account, profile: { displayName: 'Ada', ...email } },
      })
      await complete(account, { identity: { ...account, profile: { displayName: 'Countess' } } })
      expect(await sut.users.get(session.userId)).toMatchObject({
        displayName: 'Countess',
        ...email,
      })
      // A verification belongs to one address.
      await complete(account, { identity: { ...account, profile: { email: 'new@example.com' } } })
      expect(await sut.users.get(session.userId)).toMatchObject({
        email: 'new@example.com',
        emailVerified: false,
      })
    })

    it('build the session for the roles that the operator gave', async () => {
      const account = newAccount()
      const { session } = await complete(account)
      expect(session.roles).toEqual([])
      await sut.users.changeRoles(session.userId, { add: ['admin', 'clerk'] })
      const { session: later } = await complete(account)
      expect(later.roles).toEqual(['admin', 'clerk'])
      expect(await sut.sessions.get(later.id)).toEqual(later)
    })

    it('refuse a disabled user, and store nothing', async () => {
      const account = newAccount()
      const { session } = await complete(account)
      await sut.users.disable(session.userId)
      const profile = { displayName: 'Changed' }
      await expect(complete(account, { identity: { ...account, profile } })).rejects.toMatchObject({
        code: 'AUTH_USER_DISABLED',
      })
      expect(await liveOf(session.userId)).toEqual([])
      expect(await sut.users.get(session.userId)).toMatchObject({ displayName: 'Ada' })
    })

    it.each(['another user', 'no user'])(
      'refuse an account of %s when one user is expected, and store nothing',
      async (owner) => {
        const { session: expected } = await complete(newAccount())
        const account = newAccount('three')
        const other = owner === 'no user' ? undefined : (await complete(account)).session
        const { id } = sessionRecord('')
        await expect(
          complete(account, {
            identity: { ...account, profile: {}, expectedUserId: expected.userId },
            sessionOf: ({ userId }) => sessionRecord(userId, { ...account, id }),
            previousSessionId: expected.id,
          }),
        ).rejects.toMatchObject({ code: 'AUTH_SESSION_CHANGED' })
        expect(await sut.sessions.get(id)).toBeUndefined()
        expect(await liveOf(expected.userId)).toEqual([expected.id])
        if (other) expect(await liveOf(other.userId)).toEqual([other.id])
      },
    )

    it("end the browser's previous session, of whichever user it is", async () => {
      const account = newAccount()
      const { session: own } = await complete(account)
      const { session: foreign } = await complete(newAccount())
      for (const { id } of [own, foreign]) {
        const { session, replaced } = await complete(account, { previousSessionId: id })
        expect(replaced).toBe(1)
        expect(await sut.sessions.get(id)).toBeUndefined()
        expect(await sut.sessions.get(session.id)).toBeDefined()
        expect(await sut.trail(id)).toEqual([
          ['sign-in.completed', null],
          ['session.revoked', 'replaced-by-sign-in'],
        ])
      }
      expect(await complete(account, { previousSessionId: 'unknown' })).toMatchObject({
        replaced: 0,
      })
    })

    it('end the least recently used sessions over the limit', async () => {
      const account = newAccount()
      const now = Date.now()
      const at = (issuedAt: number): Partial<CompletedSignIn> => {
        const record = sessionRecord('', { ...account, issuedAt })
        return { maxSessions: 2, sessionOf: ({ userId }) => ({ ...record, userId }) }
      }
      const [, second, third] = [
        await complete(account, at(now - 3_000)),
        await complete(account, at(now - 2_000)),
        await complete(account, at(now - 1_000)),
      ]
      expect([second.evicted, third.evicted]).toEqual([0, 1])
      expect(await liveOf(third.session.userId)).toEqual([third.session.id, second.session.id])
      // The one that is replaced is not counted.
      const replacing = { ...at(now), previousSessionId: third.session.id }
      expect(await complete(account, replacing)).toMatchObject({ replaced: 1, evicted: 0 })
    })

    it('of an unknown account create one user, however many are concurrent', async () => {
      for (let round = 0; round < 5; round += 1) {
        const account = newAccount()
        const all = await Promise.all(
          Array.from({ length: 10 }, (_, n) =>
            (n % 2 ? sut : sut.others).signIns(keyring).complete(signInOf(account)),
          ),
        )
        expect(all.filter(({ isNew }) => isNew)).toHaveLength(1)
        const users = new Set(all.map(({ session }) => session.userId))
        expect(users.size).toBe(1)
        const [userId = ''] = users
        expect(await liveOf(userId)).toHaveLength(10)
      }
    })

    it.each([1, 3])(
      'leave %i sessions when twenty are concurrent in two processes',
      async (max) => {
        for (let round = 0; round < 5; round += 1) {
          const account = newAccount()
          const { session } = await complete(account)
          await Promise.all(
            Array.from({ length: 20 }, (_, n) =>
              (n % 2 ? sut : sut.others)
                .signIns(keyring)
                .complete(signInOf(account, { maxSessions: max })),
            ),
          )
          expect(await liveOf(session.userId)).toHaveLength(max)
        }
      },
    )

    it('have the roles of the operator, also when these change concurrently', async () => {
      const account = newAccount()
      const { session } = await complete(account)
      for (let round = 0; round < 10; round += 1) {
        const role = `role-${round}`
        const [signedIn] = await Promise.all([
          complete(account),
          sut.others.users.changeRoles(session.userId, { add: [role] }),
        ])
        const stored: SessionRecord | undefined = await sut.sessions.get(signedIn.session.id)
        expect(stored?.roles).toContain(role)
      }
    })

    it.each(['disabled', 'deleted'] as const)(
      'leave no session of a user who is %s concurrently',
      async (how) => {
        for (let round = 0; round < 10; round += 1) {
          const account = newAccount()
          const { userId } = (await complete(account)).session
          const { users } = sut.others
          await Promise.allSettled([
            complete(account),
            how === 'disabled' ? users.disable(userId) : users.delete(userId),
            complete(account),
          ])
          expect(await liveOf(userId)).toEqual([])
        }
      },
    )
  })
}
