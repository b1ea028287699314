import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rolesBySource } from '../session-roles.js'
import type { KvOAuthStores, SessionRecord } from '../session-store.js'
import { sessionRecord } from './session-store-suite.js'
import { createTestUser } from './testing/test-user.js'

/** Stores under test, and the same stores of another process. */
export interface RolesUnderTest {
  readonly stores: KvOAuthStores
  readonly others: KvOAuthStores
  close(): Promise<void>
}

/** The suite for the roles that an operator gives, for every pair of a user and a session store. */
export function operatorRolesSuite(name: string, make: () => Promise<RolesUnderTest>): void {
  describe(`roles of the operator: ${name}`, () => {
    let sut: RolesUnderTest
    beforeAll(async () => {
      sut = await make()
    })
    afterAll(() => sut.close())

    const create = async (over: Partial<SessionRecord> = {}): Promise<SessionRecord> => {
      const record = sessionRecord(over.userId ?? (await createTestUser(sut.stores.users)), over)
      await sut.stores.sessions.create(record)
      return record
    }
    const stored = async ({ id }: { id: string }): Promise<SessionRecord> => {
      const record = await sut.others.sessions.get(id)
      if (!record) throw new Error('The session has ended.')
      return record
    }

    it('change the user and every live session of that user, and no other', async () => {
      const one = await create({ roles: ['member'] })
      const { userId } = one
      const two = await create({ userId })
      const other = await create()
      expect(await sut.stores.users.changeRoles(userId, { add: ['admin', 'editor'] })).toEqual([
        'admin',
        'editor',
      ])
      expect(await stored(one)).toMatchObject({ roles: ['admin', 'editor', 'member'], version: 2 })
      expect(await stored(two)).toMatchObject({ roles: ['admin', 'editor'], version: 2 })
      expect(await stored(other)).toEqual(other)
      const change = { add: ['owner', 'admin'], remove: ['editor', 'unknown'] }
      expect(await sut.others.users.changeRoles(userId, change)).toEqual(['admin', 'owner'])
      expect((await stored(one)).roles).toEqual(['admin', 'owner', 'member'])
      expect(await sut.others.users.changeRoles(userId, { remove: ['admin', 'owner'] })).toEqual([])
      expect(await stored(one)).toMatchObject({ roles: ['member'] })
      expect(await stored(one)).not.toHaveProperty('rolesBySource')
    })

    it('leave the roles of the provider and of admit alone, also those of the same name', async () => {
      const one = await create({
        roles: ['admin', 'editor', 'member'],
        rolesBySource: { admit: ['editor'], provider: [] },
      })
      const change = { add: ['admin', 'editor'] }
      await sut.stores.users.changeRoles(one.userId, change)
      expect(rolesBySource(await stored(one))).toEqual({
        operator: ['admin', 'editor'],
        admit: ['editor'],
        provider: ['admin', 'member'],
      })
      await sut.stores.users.changeRoles(one.userId, { remove: change.add })
      const left = await stored(one)
      expect(left.roles).toEqual(['editor', 'admin', 'member'])
      expect(rolesBySource(left)).toEqual({
        ...{ operator: [], admit: ['editor'], provider: ['admin', 'member'] },
      })
    })

    it('are returned by the next sign-in and by the creation of its session', async () => {
      const identity = { providerId: 'p', issuer: 'i', subject: `${name} roles`, profile: {} }
      const { userId, roles } = await sut.stores.users.signIn(identity)
      expect(roles).toEqual([])
      await sut.stores.users.changeRoles(userId, { add: ['admin'] })
      expect(await sut.others.users.signIn(identity)).toMatchObject({ userId, roles: ['admin'] })
      expect(await sut.others.sessions.create(sessionRecord(userId))).toEqual({ roles: ['admin'] })
    })

    it('survive an extension of the version before the change', async () => {
      const one = await create()
      await sut.stores.users.changeRoles(one.userId, { add: ['admin'] })
      expect(await sut.others.sessions.extend({ ...one, version: 2 }, 'used')).toBe(false)
      expect((await stored(one)).roles).toEqual(['admin'])
    })

    it('are all in every session after concurrent changes and extensions', async () => {
      const one = await create()
      const { userId } = one
      const two = await create({ userId })
      const given = Array.from({ length: 6 }, (_, n) => `role-${n}`)
      const extend = async (id: string): Promise<void> => {
        const record = await stored({ id })
        await sut.others.sessions.extend({ ...record, version: record.version + 1 }, 'used')
      }
      await Promise.all(
        given.flatMap((role, n) => [
          (n % 2 ? sut.stores : sut.others).users.changeRoles(userId, { add: [role] }),
          extend(one.id),
          extend(two.id),
        ]),
      )
      for (const record of [one, two]) {
        expect([...(await stored(record)).roles].sort()).toEqual(given)
      }
    })

    it('are in the session or returned by its creation when both happen at once', async () => {
      for (let round = 0; round < 8; round += 1) {
        const userId = await createTestUser(sut.stores.users)
        const record = sessionRecord(userId)
        const [created] = await Promise.all([
          sut.stores.sessions.create(record),
          sut.others.users.changeRoles(userId, { add: ['admin'] }),
        ])
        expect([...created.roles, ...(await stored(record)).roles]).toContain('admin')
      }
    })

    it('do not bring back an ended or expired session', async () => {
      const past = Date.now() - 10_000
      const expired = await create({ issuedAt: past - 1000, expiresAt: past })
      const ended = await create({ userId: expired.userId })
      await sut.stores.sessions.revoke(ended.id, 'signed-out')
      await sut.stores.users.changeRoles(expired.userId, { add: ['admin'] })
      expect(await sut.stores.sessions.get(expired.id)).toBeUndefined()
      expect(await sut.stores.sessions.get(ended.id)).toBeUndefined()
    })

    it('come before those of the provider where an entry has no room for all', async () => {
      const roles = Array.from({ length: 60 }, (_, n) => `provider-${n}-${'x'.repeat(50)}`)
      const one = await create({ roles, claims: { text: 'x'.repeat(3_000) } })
      await sut.stores.users.changeRoles(one.userId, { add: ['admin'] })
      const { roles: kept } = await stored(one)
      expect(kept[0]).toBe('admin')
      expect(kept.length).toBeGreaterThan(50)
    })

    it('are at most 100, and unknown users have none', async () => {
      const many = Array.from({ length: 101 }, (_, n) => `role-${n}`)
      const one = await create()
      const refused = sut.stores.users.changeRoles(one.userId, { add: many })
      await expect(refused).rejects.toMatchObject({ code: 'VALIDATION_ERROR' })
      expect(await sut.stores.users.changeRoles(one.userId, { add: many.slice(1) })).toHaveLength(
        100,
      )
      expect(await sut.stores.users.changeRoles('unknown', { add: ['admin'] })).toBeUndefined()
    })
  })
}
