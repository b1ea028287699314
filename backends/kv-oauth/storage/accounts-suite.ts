import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KvOAuthStores, LinkedAccount, SessionRecord } from '../session-store.js'
import { sessionRecord } from './session-store-suite.js'
import { createTestUser, TEST_CHANGE } from './testing/test-user.js'

interface AccountStoresUnderTest extends Pick<KvOAuthStores, 'users' | 'sessions'> {
  /** The same stores in another process. */
  others: Pick<KvOAuthStores, 'users' | 'sessions'>
  /** Types and reasons of the audit events that name a session. */
  trail(sessionId: string): Promise<(readonly [type: string, reason: string | null])[]>
  close(): Promise<void>
}

/** The suite for linked accounts: they are in Postgres, and sessions in Postgres or Redis. */
export function accountsSuite(name: string, make: () => Promise<AccountStoresUnderTest>): void {
  describe(`linked accounts: ${name}`, () => {
    let sut: AccountStoresUnderTest
    beforeAll(async () => {
      sut = await make()
    })
    afterAll(() => sut.close())

    const at = (providerId: string, subject: string = randomUUID()) => ({
      providerId,
      issuer: `https://${providerId}.example`,
      subject,
    })
    type Identity = ReturnType<typeof at>
    const sessionOf = async (userId: string, identity: Identity): Promise<SessionRecord> => {
      const record = sessionRecord(userId, identity)
      await sut.sessions.create(record)
      return record
    }
    const accountOf = async (
      userId: string,
      { issuer, subject }: Pick<Identity, 'issuer' | 'subject'>,
    ): Promise<LinkedAccount> => {
      const accounts = await sut.users.listAccounts(userId)
      const account = accounts.find((one) => one.issuer === issuer && one.subject === subject)
      if (!account) throw new Error('The user does not have this account.')
      return account
    }
    const isAlive = async ({ id }: SessionRecord): Promise<boolean> =>
      (await sut.sessions.get(id)) !== undefined
    /** A user with an account at each of two providers. */
    const linkedUser = async (): Promise<{ userId: string; first: Identity; second: Identity }> => {
      const [first, second] = [at('one'), at('two')]
      const { userId } = await sut.users.signIn({ ...first, profile: {} })
      // Accounts are listed by the millisecond in which they were linked.
      await delay(2)
      expect(await sut.users.link(userId, second, TEST_CHANGE)).toBe('linked')
      return { userId, first, second }
    }

    it('lists the accounts of a user, the oldest first, and none of others', async () => {
      const before = Date.now() - 60_000
      const { userId, first, second } = await linkedUser()
      await linkedUser()
      const accounts = await sut.users.listAccounts(userId)
      expect(accounts).toMatchObject([first, second])
      expect(new Set(accounts.map(({ id }) => id)).size).toBe(2)
      for (const { createdAt, lastSignInAt } of accounts) {
        expect(createdAt).toBeGreaterThan(before)
        expect(lastSignInAt).toBeGreaterThanOrEqual(createdAt)
      }
      expect(await sut.users.listAccounts('unknown')).toEqual([])
    })

    it('a sign-in with a linked account is one of the same user', async () => {
      const { userId, second } = await linkedUser()
      expect(await sut.others.users.signIn({ ...second, profile: {} })).toMatchObject({ userId })
    })

    it('linking an account again changes nothing and writes no event', async () => {
      const { userId, second } = await linkedUser()
      const change = { ...TEST_CHANGE, sessionId: randomUUID() }
      const again = Array.from({ length: 5 }, () => sut.users.link(userId, second, change))
      expect(new Set(await Promise.all(again))).toEqual(new Set(['already-linked']))
      expect(await sut.users.listAccounts(userId)).toHaveLength(2)
      expect(await sut.trail(change.sessionId)).toEqual([])
    })

    it('does not link an account of another user', async () => {
      const [{ userId }, owner] = [await linkedUser(), await linkedUser()]
      expect(await sut.users.link(userId, owner.second, TEST_CHANGE)).toBe('conflict')
      expect(await sut.users.listAccounts(userId)).toHaveLength(2)
      expect(await sut.users.listAccounts(owner.userId)).toHaveLength(2)
    })

    it('links an account to exactly one of several users at once', async () => {
      for (let round = 0; round < 5; round += 1) {
        const users = await Promise.all(Array.from({ length: 6 }, () => createTestUser(sut.users)))
        const account = at('contested')
        const results = await Promise.all(
          users.map((userId, n) =>
            (n % 2 === 0 ? sut : sut.others).users.link(userId, account, TEST_CHANGE),
          ),
        )
        expect(results.filter((result) => result === 'linked')).toHaveLength(1)
        expect(results.filter((result) => result === 'conflict')).toHaveLength(5)
        const winner = users[results.indexOf('linked')]!
        expect(await sut.users.signIn({ ...account, profile: {} })).toMatchObject({
          userId: winner,
        })
      }
    })

    it('links an account once for concurrent links to the same user', async () => {
      const userId = await createTestUser(sut.users)
      const account = at('repeated')
      const results = await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          (n % 2 === 0 ? sut : sut.others).users.link(userId, account, TEST_CHANGE),
        ),
      )
      expect(results.sort()).toEqual([...Array<string>(5).fill('already-linked'), 'linked'])
    })

    it.each(['disable', 'delete'] as const)('does not link after %s', async (end) => {
      const userId = await createTestUser(sut.users)
      await sut.others.users[end](userId)
      const account = at('late')
      const linked = sut.users.link(userId, account, TEST_CHANGE)
      await expect(linked).rejects.toMatchObject({ code: 'AUTH_USER_DISABLED' })
      const { userId: other } = await sut.users.signIn({ ...account, profile: {} })
      expect(other).not.toBe(userId)
    })

    it('writes an event for each change of accounts, with the session that made it', async () => {
      const { userId, first } = await linkedUser()
      const [change, third] = [{ ...TEST_CHANGE, sessionId: randomUUID() }, at('three')]
      await sut.users.link(userId, third, change)
      await sut.users.unlink(userId, (await accountOf(userId, third)).id, change)
      await sut.users.unlink(userId, (await accountOf(userId, first)).id, change)
      expect(await sut.trail(change.sessionId)).toEqual([
        ['account.linked', null],
        ['account.unlinked', null],
        ['account.unlinked', null],
      ])
    })

    it('unlinking ends the sessions made with that account, and only those', async () => {
      const [{ userId, first, second }, other] = [await linkedUser(), await linkedUser()]
      const kept = [await sessionOf(userId, first), await sessionOf(other.userId, other.second)]
      const ended = [await sessionOf(userId, second), await sessionOf(userId, second)]
      const account = await accountOf(userId, second)
      const result = await sut.others.users.unlink(userId, account.id, TEST_CHANGE)
      if (result.outcome !== 'unlinked') throw new Error(result.outcome)
      expect(result.account).toEqual(account)
      expect([...result.ended].sort()).toEqual(ended.map(({ id }) => id).sort())
      expect(await Promise.all(kept.map(isAlive))).toEqual([true, true])
      expect(await Promise.all(ended.map(isAlive))).toEqual([false, false])
      for (const { id } of ended) {
        expect(await sut.trail(id)).toEqual([
          ['sign-in.completed', null],
          ['session.revoked', 'account-unlinked'],
        ])
      }
      expect(await sut.users.listAccounts(userId)).toMatchObject([first])
      const { userId: fresh } = await sut.users.signIn({ ...second, profile: {} })
      expect(fresh).not.toBe(userId)
    })

    it('refuses to unlink the last account, one of another user and an unknown one', async () => {
      const [userId, other] = [await createTestUser(sut.users), await linkedUser()]
      const [own] = await sut.users.listAccounts(userId)
      const foreign = await accountOf(other.userId, other.second)
      const unlink = (id: string) => sut.users.unlink(userId, id, TEST_CHANGE)
      expect(await unlink(own!.id)).toEqual({ outcome: 'last' })
      expect(await unlink(foreign.id)).toEqual({ outcome: 'unknown' })
      expect(await unlink('unknown')).toEqual({ outcome: 'unknown' })
      expect(await sut.users.listAccounts(userId)).toHaveLength(1)
      expect(await sut.users.listAccounts(other.userId)).toHaveLength(2)
    })

    it('keeps one of two accounts that are unlinked at once', async () => {
      for (let round = 0; round < 5; round += 1) {
        const { userId } = await linkedUser()
        const accounts = await sut.users.listAccounts(userId)
        const results = await Promise.all(
          accounts.map(({ id }, n) =>
            (n % 2 === 0 ? sut : sut.others).users.unlink(userId, id, TEST_CHANGE),
          ),
        )
        const outcomes = results.map(({ outcome }) => outcome).sort()
        expect(outcomes).toEqual(['last', 'unlinked'])
        expect(await sut.users.listAccounts(userId)).toHaveLength(1)
      }
    })

    it('creates no session for an account that is not linked to the user', async () => {
      const [{ userId, second }, other] = [await linkedUser(), await linkedUser()]
      await sut.users.unlink(userId, (await accountOf(userId, second)).id, TEST_CHANGE)
      for (const identity of [second, other.second, { ...second, issuer: other.first.issuer }]) {
        const record = sessionRecord(userId, identity)
        const created = sut.sessions.create(record)
        await expect(created).rejects.toMatchObject({ code: 'AUTH_SESSION_CHANGED' })
        expect(await isAlive(record)).toBe(false)
        expect(await sut.trail(record.id)).toEqual([])
      }
    })

    it('leaves no session when an unlink and a sign-in with the account are concurrent', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { userId, second } = await linkedUser()
        const { id } = await accountOf(userId, second)
        const records = Array.from({ length: 4 }, () => sessionRecord(userId, second))
        const [unlinked] = await Promise.allSettled([
          sut.users.unlink(userId, id, TEST_CHANGE),
          ...records.map((record) => sut.others.sessions.create(record)),
        ])
        expect(unlinked).toMatchObject({ value: { outcome: 'unlinked' } })
        expect(await Promise.all(records.map(isAlive))).toEqual([false, false, false, false])
      }
    })
  })
}
