import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SessionRecord, SessionStore } from '../session-store.js'

/** A store under test, and what the suite needs besides the port. */
export interface StoreUnderTest {
  store: SessionStore
  /** The same store on a separate connection, like another process. */
  other: SessionStore
  /** Creates an enabled user and returns the id. */
  createUser(): Promise<string>
  disableUser(userId: string): Promise<unknown>
  /** Whether expired entries stay until they are swept. */
  readonly keepsExpired: boolean
  close(): Promise<void>
}

let sequence = 0

/** A live session of a user. */
export function sessionRecord(userId: string, over: Partial<SessionRecord> = {}): SessionRecord {
  sequence += 1
  const now = Date.now()
  return {
    id: `id-${process.pid}-${sequence}`,
    userId,
    providerId: 'local',
    issuer: 'https://issuer.example',
    subject: `subject-${sequence}`,
    auditSubject: `audit-${sequence}`,
    sid: `sid-${sequence}`,
    scopes: ['openid'],
    roles: [],
    claims: { name: 'Ada' },
    user: { displayName: 'Ada' },
    issuedAt: now,
    expiresAt: now + 60_000,
    absoluteExpiresAt: now + 120_000,
    version: 1,
    ...over,
  }
}

const extended = (record: SessionRecord): SessionRecord => ({
  ...record,
  version: record.version + 1,
  refreshedAt: Date.now(),
})

/** The error of a store that does not know yet whether the first call of a key will succeed. */
function whileUnderWay(error: unknown): undefined {
  expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' })
}

/** The suite for every {@link SessionStore}. */
export function sessionStoreSuite(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`SessionStore: ${name}`, () => {
    let sut: StoreUnderTest
    beforeAll(async () => {
      sut = await make()
    })
    afterAll(() => sut.close())

    const create = async (over: Partial<SessionRecord> = {}): Promise<SessionRecord> => {
      const record = sessionRecord(over.userId ?? (await sut.createUser()), over)
      await sut.store.create(record)
      return record
    }

    it('reads a created session, also in another process', async () => {
      const record = await create()
      expect(await sut.store.get(record.id)).toEqual(record)
      expect(await sut.other.get(record.id)).toEqual(record)
    })

    it('returns undefined for an unknown id, also for one that looks like a pattern', async () => {
      await create()
      expect(await sut.store.get('nobody')).toBeUndefined()
      expect(await sut.store.get('%')).toBeUndefined()
      expect(await sut.store.get('')).toBeUndefined()
    })

    it('returns to each of many concurrent reads its own session', async () => {
      const records = await Promise.all(Array.from({ length: 20 }, () => create()))
      const reads = Array.from({ length: 400 }, (_, n) => records[n % records.length]!.id)
      const found = await Promise.all(reads.map((id) => sut.store.get(id)))
      expect(found.map((record) => record?.id)).toEqual(reads)
    })

    it('does not return an expired session, and does not delete it on a read', async () => {
      const past = Date.now() - 10_000
      const record = await create({ issuedAt: past - 1000, expiresAt: past })
      expect(await sut.store.get(record.id)).toBeUndefined()
      expect(await sut.store.listByUser(record.userId)).toEqual([])
      const left = await sut.store.revoke(record.id, 'signed-out')
      expect(left?.id).toBe(sut.keepsExpired ? record.id : undefined)
    })

    it('extends a version only once', async () => {
      const record = await create()
      const next = extended(record)
      expect(await sut.store.extend(next, 'used')).toBe(true)
      expect(await sut.other.get(record.id)).toEqual(next)
      expect(await sut.store.extend(next, 'used')).toBe(false)
    })

    it('lets exactly one of many concurrent extensions win', async () => {
      const record = await create()
      const next = extended(record)
      const stores = Array.from({ length: 20 }, (_, n) => (n % 2 ? sut.store : sut.other))
      const won = await Promise.all(stores.map((store) => store.extend(next, 'used')))
      expect(won.filter(Boolean)).toHaveLength(1)
    })

    it('does not extend an expired or revoked session', async () => {
      const past = Date.now() - 10_000
      const expired = await create({ issuedAt: past - 1000, expiresAt: past })
      const later = { ...extended(expired), expiresAt: Date.now() + 60_000 }
      expect(await sut.store.extend(later, 'used')).toBe(false)
      const revoked = await create()
      await sut.other.revoke(revoked.id, 'signed-out')
      expect(await sut.store.extend(extended(revoked), 'used')).toBe(false)
      expect(await sut.store.get(revoked.id)).toBeUndefined()
    })

    it('restores no session in 1,000 races of refresh and sign-out', async () => {
      const userId = await sut.createUser()
      for (let round = 0; round < 20; round += 1) {
        const records = await Promise.all(Array.from({ length: 50 }, () => create({ userId })))
        await Promise.all(
          records.flatMap((record, n) => {
            const race = [
              () => sut.store.extend(extended(record), 'used'),
              () => sut.other.revoke(record.id, 'signed-out'),
            ]
            return (n % 2 ? race : race.reverse()).map((act) => act())
          }),
        )
        const left = await Promise.all(records.map(({ id }) => sut.store.get(id)))
        expect(left.filter(Boolean)).toEqual([])
      }
    })

    it('revokes a session once and returns it', async () => {
      const record = await create()
      const revoked = await Promise.all([
        sut.store.revoke(record.id, 'signed-out'),
        sut.other.revoke(record.id, 'signed-out'),
      ])
      expect(revoked.filter(Boolean)).toEqual([record])
    })

    it('lists only the sessions of the user, newest first', async () => {
      const userId = await sut.createUser()
      const now = Date.now()
      const old = await create({ userId, issuedAt: now - 2000 })
      const young = await create({ userId, issuedAt: now - 1000 })
      await create()
      expect((await sut.store.listByUser(userId)).map(({ id }) => id)).toEqual([young.id, old.id])
    })

    it('lists pages correctly, also for sessions of one millisecond and while some end', async () => {
      const userId = await sut.createUser()
      const issuedAt = Date.now()
      for (let n = 0; n < 7; n += 1)
        await create({ userId, issuedAt: issuedAt - Math.floor(n / 3) })
      const whole = await sut.store.listByUser(userId)
      expect(whole.map((record) => issuedAt - record.issuedAt)).toEqual([0, 0, 0, 1, 1, 1, 2])
      for (const limit of [1, 2, 3, 7]) {
        const found: SessionRecord[] = []
        for (;;) {
          const page = await sut.other.listByUser(userId, { limit, after: found.at(-1) })
          if (page.length === 0) break
          found.push(...page)
        }
        expect(found).toEqual(whole)
      }
      const [first, second, third] = whole
      await sut.store.revoke(second!.id, 'signed-out')
      await create({ userId, issuedAt: issuedAt + 1 })
      const page = await sut.store.listByUser(userId, { limit: 1, after: second! })
      expect(page.map(({ id }) => id)).toEqual([third!.id])
      expect(first!.id).not.toBe(third!.id)
    })

    it('lists at most 100 by default', async () => {
      const userId = await sut.createUser()
      await Promise.all(Array.from({ length: 120 }, () => create({ userId })))
      expect(await sut.store.listByUser(userId)).toHaveLength(100)
      expect(await sut.store.listByUser(userId, { limit: 1_000 })).toHaveLength(120)
    })

    describe('evict', () => {
      const live = async (userId: string): Promise<string[]> =>
        (await sut.store.listByUser(userId, { limit: 1_000 })).map(({ id }) => id).sort()

      it('ends only the least recently used sessions of the user', async () => {
        const userId = await sut.createUser()
        const now = Date.now()
        const expired = { issuedAt: now - 60_000, expiresAt: now - 10_000 }
        await create({ userId, ...expired })
        const used = await create({ userId, issuedAt: now - 9_000, refreshedAt: now - 1_000 })
        const idle = await create({ userId, issuedAt: now - 5_000 })
        const unused = await create({ userId, issuedAt: now - 8_000, refreshedAt: now - 7_000 })
        const young = await create({ userId, issuedAt: now - 2_000 })
        const newest = await create({ userId, issuedAt: now })
        const foreign = await create({ issuedAt: now - 50_000 })
        expect(await sut.store.evict(userId, { keep: newest.id, max: 5 })).toBe(0)
        expect(await sut.store.evict(userId, { keep: newest.id, max: 3 })).toBe(2)
        expect(await live(userId)).toEqual([used.id, young.id, newest.id].sort())
        for (const ended of [idle, unused]) {
          expect(await sut.other.get(ended.id)).toBeUndefined()
        }
        expect(await sut.store.get(foreign.id)).toBeDefined()
      })

      it('never ends the session to keep, even if it is the least recently used', async () => {
        const userId = await sut.createUser()
        const now = Date.now()
        const keep = await create({ userId, issuedAt: now - 50_000 })
        await create({ userId, issuedAt: now - 2_000 })
        await create({ userId, issuedAt: now - 1_000 })
        expect(await sut.store.evict(userId, { keep: keep.id, max: 1 })).toBe(2)
        expect(await live(userId)).toEqual([keep.id])
      })

      it('does nothing if the session to keep has ended', async () => {
        const userId = await sut.createUser()
        const records = [
          await create({ userId }),
          await create({ userId }),
          await create({ userId }),
        ]
        await sut.store.revoke(records[2]!.id, 'signed-out')
        expect(await sut.store.evict(userId, { keep: records[2]!.id, max: 1 })).toBe(0)
        expect(await live(userId)).toHaveLength(2)
      })

      it('ends at most 100 per call, the oldest first', async () => {
        const userId = await sut.createUser()
        const now = Date.now()
        const records = await Promise.all(
          Array.from({ length: 230 }, (_, n) => create({ userId, issuedAt: now - 10_000 + n })),
        )
        const keep = records.at(-1)!.id
        expect(await sut.store.evict(userId, { keep, max: 20 })).toBe(100)
        expect(await live(userId)).toEqual(
          records
            .slice(100)
            .map(({ id }) => id)
            .sort(),
        )
        expect(await sut.store.evict(userId, { keep, max: 20 })).toBe(100)
        expect(await sut.store.evict(userId, { keep, max: 20 })).toBe(10)
        expect(await sut.store.evict(userId, { keep, max: 20 })).toBe(0)
        expect(await live(userId)).toEqual(
          records
            .slice(210)
            .map(({ id }) => id)
            .sort(),
        )
      })

      it.each([1, 3])(
        'leaves %i after twenty concurrent sign-ins in two processes',
        async (max) => {
          for (let round = 0; round < 5; round += 1) {
            const userId = await sut.createUser()
            await Promise.all(
              Array.from({ length: 20 }, async (_, n) => {
                const store = n % 2 ? sut.store : sut.other
                const record = sessionRecord(userId)
                await store.create(record)
                await store.evict(userId, { keep: record.id, max })
              }),
            )
            expect(await live(userId)).toHaveLength(max)
          }
        },
      )
    })

    it('revokes all sessions of a user except one', async () => {
      const userId = await sut.createUser()
      const [kept] = [await create({ userId }), await create({ userId }), await create({ userId })]
      const foreign = await create()
      expect(await sut.store.revokeByUser(userId, 'revoked-by-owner', { except: kept.id })).toBe(2)
      expect((await sut.store.listByUser(userId)).map(({ id }) => id)).toEqual([kept.id])
      expect(await sut.store.revokeByUser(userId, 'revoked-by-owner')).toBe(1)
      expect(await sut.store.get(foreign.id)).toBeDefined()
    })

    it('revokes by sid and subject, within one issuer', async () => {
      const subject = `shared-${Date.now()}`
      const mine = await create({ subject })
      const { issuer, userId } = mine
      const second = await create({ subject, userId })
      const other = await create({ subject, issuer: 'https://other.example' })
      expect(await sut.store.revokeByProviderSession({ issuer })).toBe(0)
      const foreign = { issuer, sid: mine.sid!, subject: 'another' }
      expect(await sut.store.revokeByProviderSession(foreign)).toBe(0)
      expect(await sut.store.revokeByProviderSession({ issuer, sid: mine.sid!, subject })).toBe(1)
      expect(await sut.store.revokeByProviderSession({ issuer, subject })).toBe(1)
      expect(await sut.store.get(second.id)).toBeUndefined()
      expect(await sut.store.get(other.id)).toBeDefined()
    })

    it.each(['sid', 'subject'] as const)(
      'revokes no session of another issuer when issuer and %s join to the same text',
      async (name) => {
        const text = `x-${Date.now()}`
        const mine = await create({ issuer: 'https://idp.example/', [name]: `a${text}` })
        const other = await create({ issuer: 'https://idp.example/a', [name]: text })
        const named = { issuer: mine.issuer, [name]: mine[name] }
        expect(await sut.store.revokeByProviderSession(named)).toBe(1)
        expect(await sut.store.get(mine.id)).toBeUndefined()
        expect(await sut.store.get(other.id)).toEqual(other)
      },
    )

    it('revokes once for a key: exactly one concurrent caller does', async () => {
      const { issuer, subject, userId } = await create()
      for (let round = 0; round < 10; round += 1) {
        if (round > 0) await create({ subject, userId })
        const once = { key: `${subject}-${round}`, ttlMs: 60_000 }
        const counts = await Promise.all(
          Array.from({ length: 20 }, (_, n) =>
            (n % 2 ? sut.store : sut.other)
              .revokeByProviderSession({ issuer, subject }, once)
              .catch(whileUnderWay),
          ),
        )
        expect(counts.filter((count) => count !== undefined)).toEqual([1])
        const later = await create({ subject, userId })
        expect(await sut.store.revokeByProviderSession({ issuer, subject }, once)).toBeUndefined()
        expect(await sut.other.get(later.id)).toBeDefined()
        await sut.store.revoke(later.id, 'signed-out')
      }
    })

    it('accepts an expired key again, and remembers a key that ended no session', async () => {
      const { issuer, subject } = await create()
      const key = `expired-${subject}`
      const revoke = (ttlMs: number) =>
        sut.store.revokeByProviderSession({ issuer, subject }, { key, ttlMs })
      expect(await revoke(-1)).toBe(1)
      expect(await revoke(60_000)).toBe(0)
      expect(await revoke(60_000)).toBeUndefined()
    })

    it('creates no session for a disabled user', async () => {
      const userId = await sut.createUser()
      await sut.disableUser(userId)
      await expect(sut.store.create(sessionRecord(userId))).rejects.toMatchObject({
        code: 'AUTH_USER_DISABLED',
      })
    })

    it('leaves no session when a sign-in races with disabling the user', async () => {
      for (let round = 0; round < 30; round += 1) {
        const userId = await sut.createUser()
        const signIns = Array.from({ length: 6 }, (_, n) =>
          (n % 2 ? sut.store : sut.other).create(sessionRecord(userId)).catch(() => undefined),
        )
        await Promise.all([...signIns, sut.disableUser(userId)])
        expect(await sut.store.listByUser(userId)).toEqual([])
      }
    })

    it('sweeps expired sessions in batches, and keeps live ones', async () => {
      const userId = await sut.createUser()
      const past = Date.now() - 10_000
      for (let n = 0; n < 5; n += 1) await create({ userId, issuedAt: past - 1, expiresAt: past })
      const alive = await create({ userId })
      const first = await sut.store.sweep(3)
      expect(first).toBeLessThanOrEqual(3)
      let swept = first
      for (let batch = first; batch > 0; swept += batch) batch = await sut.store.sweep(3)
      expect(swept).toBeGreaterThanOrEqual(sut.keepsExpired ? 5 : 0)
      expect(await sut.store.get(alive.id)).toBeDefined()
      expect((await sut.store.listByUser(userId)).map(({ id }) => id)).toEqual([alive.id])
      expect(await sut.store.sweep(3)).toBe(0)
    })

    it('counts live sessions', async () => {
      const before = await sut.store.count()
      const record = await create()
      expect(await sut.store.count()).toBe(before + 1)
      await sut.store.revoke(record.id, 'signed-out')
      expect(await sut.store.count()).toBe(before)
    })

    it('stores any text of a claim', async () => {
      const claims = { name: '"\\\u2028 \u{1F600} ☃', nested: { list: [1, null, true] } }
      const record = await create({ claims })
      expect((await sut.store.get(record.id))?.claims).toEqual(claims)
    })
  })
}
