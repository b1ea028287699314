import { randomBytes } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../prisma/test-database.js'
import { createKeyring } from '../../keyring.js'
import type { SessionRecord } from '../session-store.js'
import { createPool } from '../../../prisma/pool.js'
import { sessionKeys } from './redis-session-store.js'
import { sessionRecord } from './session-store-suite.js'
import type { KvOAuthStores } from '../session-store.js'
import { openStores } from './stores.js'
import { trailOf } from './testing/audit-trail.js'
import { describeWithRedis } from './testing/describe-with-redis.js'
import { ask, DURABLE, startTestRedis, type TestRedis } from './testing/redis-server.js'
import { createTestUser, linkAccountOf, TEST_CHANGE, withAccounts } from './testing/test-user.js'

const UNAVAILABLE = { code: 'STORE_UNAVAILABLE' }
/** Errors of the database itself are faults, not outages. */
const REFUSED = { code: 'INTERNAL' }

async function expectEach(
  asked: readonly Promise<unknown>[],
  error: { code: string },
): Promise<void> {
  await Promise.all(asked.map((one) => expect(one).rejects.toMatchObject(error)))
}

describeWithRedis('sessions in Redis, their users and their trail in Postgres', () => {
  let database: TestDatabase
  let pool: PostgresPool
  let server: TestRedis
  let stores: KvOAuthStores
  const keyring = createKeyring([randomBytes(32)])
  beforeAll(async () => {
    database = await createTestDatabase()
    pool = createPool(database.url)
    server = await startTestRedis(DURABLE)
    stores = withAccounts(await openStores({ pool, sessionStore: server.url }))
  })
  afterAll(async () => {
    await stores.close()
    await server.close()
    await pool.end()
    await database.drop()
  })
  beforeEach(() => redis('flushall'))

  const redis = (...command: string[]): Promise<string> => ask(server.port, ...command)
  const signedIn = async (over: Partial<SessionRecord> = {}): Promise<SessionRecord> => {
    const record = sessionRecord(over.userId ?? (await createTestUser(stores.users)), over)
    await stores.sessions.create(record)
    return record
  }
  /** Makes the audit trail reject events until {@link healTrail}. */
  const breakTrail = (): Promise<unknown> =>
    pool.query('ALTER TABLE auth_audit_events ADD CONSTRAINT none_fits CHECK (id < 0) NOT VALID')
  const healTrail = (): Promise<unknown> =>
    pool.query('ALTER TABLE auth_audit_events DROP CONSTRAINT IF EXISTS none_fits')
  afterEach(healTrail)
  /** Runs `during` while Redis is down. */
  const withoutRedis = async (during: () => Promise<void>): Promise<void> => {
    await server.stop()
    try {
      await during()
    } finally {
      await server.start()
      await vi.waitFor(() => stores.sessions.probe(), { timeout: 10_000, interval: 10 })
    }
  }

  it('is an error while Redis is down, never a missing session', async () => {
    const { sessions, transactions } = stores
    const tokens = stores.tokens(keyring)
    const userId = await createTestUser(stores.users)
    const session = { id: 'id', providerId: 'idp' }
    await withoutRedis(async () => {
      await expectEach(
        [
          sessions.get('id'),
          sessions.create(sessionRecord(userId)),
          sessions.extend(sessionRecord(userId), 'used'),
          sessions.revoke('id', 'signed-out'),
          sessions.listByUser(userId),
          sessions.revokeByUser(userId, 'signed-out'),
          sessions.revokeByProviderSession({ issuer: 'issuer', sid: 'sid' }),
          sessions.revokeByProviderSession(
            { issuer: 'issuer', sid: 'sid' },
            { key: 'k', ttlMs: 1 },
          ),
          sessions.count(),
          sessions.probe(),
          stores.probe(),
          transactions.put('a', { stateHash: 's', sealed: 's' }, 1_000),
          transactions.take('a', 's'),
          tokens.save(session, 'idp', {}),
          tokens.read(session, 'idp'),
          tokens.lease(session, 'idp', 1),
          tokens.replace(session, 'idp', {}),
          tokens.release(session, 'idp'),
          tokens.readLinked(session),
          tokens.forget(session, 'other'),
        ],
        UNAVAILABLE,
      )
    })
  })

  it('is an error at the start if Redis is down', async () => {
    await withoutRedis(async () => {
      const opened = openStores({ pool, sessionStore: server.url })
      await expect(opened).rejects.toMatchObject(UNAVAILABLE)
    })
  })

  it('stores no key without an expiry, and of an ended session only its id in an index', async () => {
    const record = await signedIn()
    const tokens = stores.tokens(keyring)
    await tokens.save(record, record.providerId, { accessToken: 'access' })
    await tokens.save(record, 'linked', { accessToken: 'access' })
    await stores.transactions.put('a', { stateHash: 's', sealed: 's' }, 60_000)
    await stores.sessions.revokeByProviderSession({ issuer: 'x' }, { key: 'once', ttlMs: 60_000 })
    const keys = (await redis('keys', '*')).split('\n')
    expect(keys).toHaveLength(8)
    for (const key of keys) {
      expect(key).toMatch(/^ns:/)
      expect(Number(await redis('pttl', key))).toBeGreaterThan(0)
    }
    await stores.sessions.revoke(record.id, 'signed-out')
    expect((await redis('keys', '*')).split('\n').sort()).toEqual([
      'ns:transaction:a:s',
      'ns:used:once',
    ])
  })

  it('expires tokens together with their session, also after an extension', async () => {
    const record = await signedIn({ expiresAt: Date.now() + 10_000 })
    const tokens = stores.tokens(keyring)
    await tokens.save(record, record.providerId, { accessToken: 'access' })
    await tokens.save(record, 'linked', { accessToken: 'access' })
    const left = async (): Promise<number[]> =>
      (await Promise.all(sessionKeys(record.id).map((key) => redis('pttl', key)))).map(Number)
    const [before = 0, tokensBefore = 0] = await left()
    expect(Math.abs(before - tokensBefore)).toBeLessThan(1_000)
    const next = { ...record, version: 2, expiresAt: Date.now() + 100_000 }
    expect(await stores.sessions.extend(next, 'used')).toBe(true)
    for (const ms of await left()) expect(ms).toBeGreaterThan(90_000)
  })

  it('removes expired ids from an index at the next sign-in', async () => {
    const past = Date.now() - 1_000
    const { userId } = await signedIn()
    const key = `ns:user:${userId}`
    await redis('zadd', key, String(past), 'old', String(Date.now() + 60_000), 'young')
    const { id } = await signedIn({ userId })
    const members = (await redis('zrange', key, '0', '-1')).split('\n')
    expect(members).not.toContain('old')
    expect(members).toEqual(expect.arrayContaining(['young', id]))
    // An id without a session is harmless.
    expect(await stores.sessions.listByUser(userId)).toHaveLength(2)
    expect(await stores.sessions.revokeByUser(userId, 'revoked-by-owner')).toBe(2)
  })

  it.each(['sid', 'subject'] as const)(
    'separates the %s indexes of two issuers, without text of a provider in their keys',
    async (name) => {
      const ids = []
      for (const [issuer, text] of [
        ['https://idp.example/', 'ada'],
        ['https://idp.example/a', 'da'],
        ['https://idp.example/a', 'ada'],
      ]) {
        ids.push((await signedIn({ issuer: issuer!, [name]: text! })).id)
      }
      const keys = (await redis('keys', `ns:${name}:*`)).split('\n')
      for (const key of keys) expect(key).toMatch(/^ns:(sid|subject):[\w-]{43}$/)
      const members = await Promise.all(keys.map((key) => redis('zrange', key, '0', '-1')))
      expect(members.sort()).toEqual(ids.sort())
    },
  )

  it('never writes a session that is not indexed', async () => {
    const record = sessionRecord(await createTestUser(stores.users))
    await redis('set', `ns:user:${record.userId}`, 'not a sorted set')
    await expect(stores.sessions.create(record)).rejects.toMatchObject(REFUSED)
    expect(await stores.sessions.get(record.id)).toBeUndefined()
  })

  it('removes the session if the sign-in event cannot be written', async () => {
    const record = sessionRecord(await createTestUser(stores.users))
    await linkAccountOf(stores.users, record)
    await breakTrail()
    await expect(stores.sessions.create(record)).rejects.toMatchObject(REFUSED)
    expect(await stores.sessions.get(record.id)).toBeUndefined()
    expect(await redis('keys', '*')).toBe('')
  })

  it('makes no change if the event cannot be written', async () => {
    const { sessions } = stores
    const record = await signedIn()
    await breakTrail()
    await expectEach(
      [
        sessions.extend({ ...record, version: 2 }, 'used'),
        sessions.revoke(record.id, 'signed-out'),
        sessions.revokeByUser(record.userId, 'revoked-by-owner'),
        sessions.revokeByProviderSession(record),
      ],
      REFUSED,
    )
    await healTrail()
    expect(await sessions.get(record.id)).toEqual(record)
  })

  it('writes one event per change of a session, and none without a change', async () => {
    const record = await signedIn()
    await stores.sessions.extend({ ...record, version: 2 }, 'used')
    await stores.sessions.extend({ ...record, version: 2 }, 'used')
    await stores.sessions.revoke(record.id, 'signed-out')
    await stores.sessions.revoke(record.id, 'signed-out')
    expect(await trailOf(pool, record.id)).toEqual([
      ['sign-in.completed', null],
      ['session.refreshed', 'used'],
      ['session.signed-out', 'signed-out'],
    ])
  })

  it('records the reason for each ended session', async () => {
    const { sessions, users } = stores
    const evictAll = async (userId: string): Promise<void> => {
      const { id } = await signedIn({ userId })
      await sessions.evict(userId, { keep: id, max: 1 })
    }
    const ends: [string, (record: SessionRecord) => Promise<unknown>][] = [
      ['revoked-by-owner', ({ userId }) => sessions.revokeByUser(userId, 'revoked-by-owner')],
      ['session-limit', ({ userId }) => evictAll(userId)],
      ['user-disabled', ({ userId }) => users.disable(userId)],
      ['user-deleted', ({ userId }) => users.delete(userId)],
    ]
    for (const [reason, end] of ends) {
      const one = await signedIn()
      const records = [one, await signedIn({ userId: one.userId })]
      await end(one)
      for (const record of records) {
        expect(await sessions.get(record.id)).toBeUndefined()
        expect(await trailOf(pool, record.id)).toEqual([
          ['sign-in.completed', null],
          ['session.revoked', reason],
        ])
      }
    }
  })

  it('records no sign-in of a disabled or unknown user', async () => {
    const userId = await createTestUser(stores.users)
    await stores.users.disable(userId)
    for (const refused of [sessionRecord(userId), sessionRecord('nobody')]) {
      const asked = stores.sessions.create(refused)
      await expect(asked).rejects.toMatchObject({ code: 'AUTH_USER_DISABLED' })
      expect(await trailOf(pool, refused.id)).toEqual([])
    }
    await stores.users.enable(userId)
    await signedIn({ userId })
  })

  it('fails to disable a user if the sessions could not be ended, and can be repeated', async () => {
    const record = await signedIn()
    const { userId } = record
    await withoutRedis(() =>
      expect(stores.users.disable(userId)).rejects.toMatchObject(UNAVAILABLE),
    )
    const later = stores.sessions.create(sessionRecord(userId))
    await expect(later).rejects.toMatchObject({ code: 'AUTH_USER_DISABLED' })
    expect(await stores.users.disable(userId)).toBe(true)
    expect(await stores.sessions.get(record.id)).toBeUndefined()
  })

  it('fails to unlink an account if the sessions could not be ended, and can be repeated', async () => {
    const record = await signedIn()
    const { userId, subject } = record
    const accounts = await stores.users.listAccounts(userId)
    const { id } = accounts.find((account) => account.subject === subject)!
    const unlink = () => stores.users.unlink(userId, id, TEST_CHANGE)
    await withoutRedis(() => expect(unlink()).rejects.toMatchObject(UNAVAILABLE))
    expect(await stores.sessions.get(record.id)).toEqual(record)
    expect(await unlink()).toEqual({ outcome: 'unknown' })
    expect(await stores.sessions.get(record.id)).toBeUndefined()
  })

  it('fails to change roles if the sessions could not be changed, and can be repeated', async () => {
    const record = await signedIn()
    const add = (): Promise<unknown> => stores.users.changeRoles(record.userId, { add: ['admin'] })
    await withoutRedis(() => expect(add()).rejects.toMatchObject(UNAVAILABLE))
    expect((await stores.sessions.get(record.id))?.roles).toEqual([])
    expect(await add()).toEqual(['admin'])
    expect((await stores.sessions.get(record.id))?.roles).toEqual(['admin'])
  })

  it('does not delete a user whose sessions could not be ended', async () => {
    const record = await signedIn()
    const { userId } = record
    await withoutRedis(() => expect(stores.users.delete(userId)).rejects.toMatchObject(UNAVAILABLE))
    expect(await stores.users.delete(userId)).toBe(true)
    expect(await stores.sessions.get(record.id)).toBeUndefined()
    expect(await stores.users.delete(userId)).toBe(false)
  })

  it('does not consume a logout token if ending failed', async () => {
    const { issuer, sid, ...record } = await signedIn()
    const once = { key: 'failed', ttlMs: 60_000 }
    const logOut = (): Promise<number | undefined> =>
      stores.sessions.revokeByProviderSession({ issuer, sid: sid! }, once)
    await breakTrail()
    await expect(logOut()).rejects.toMatchObject(REFUSED)
    await healTrail()
    expect(await logOut()).toBe(1)
    expect(await stores.sessions.get(record.id)).toBeUndefined()
    expect(await logOut()).toBeUndefined()
  })

  it('treats a logout token whose process crashed as neither done nor refused', async () => {
    const { issuer, sid } = await signedIn()
    const once = { key: 'died', ttlMs: 60_000 }
    const logOut = (): Promise<number | undefined> =>
      stores.sessions.revokeByProviderSession({ issuer, sid: sid! }, once)
    // The state that a crashed process leaves; it expires after ten seconds.
    await redis('set', 'ns:used:died', 'claim of a dead process', 'PX', '10000')
    await expect(logOut()).rejects.toMatchObject(UNAVAILABLE)
    await redis('pexpire', 'ns:used:died', '0')
    expect(await logOut()).toBe(1)
    expect(await logOut()).toBeUndefined()
  })

  it('holds a claim for at most ten seconds', async () => {
    const { issuer, sid } = await signedIn()
    const blocker = await pool.connect()
    try {
      await blocker.query('BEGIN; LOCK TABLE auth_audit_events IN ACCESS EXCLUSIVE MODE')
      const once = { key: 'held', ttlMs: 3_600_000 }
      const ended = stores.sessions.revokeByProviderSession({ issuer, sid: sid! }, once)
      await vi.waitFor(async () => expect(await redis('exists', 'ns:used:held')).toBe('1'))
      expect(Number(await redis('pttl', 'ns:used:held'))).toBeLessThanOrEqual(10_000)
      await blocker.query('COMMIT')
      expect(await ended).toBe(1)
      expect(Number(await redis('pttl', 'ns:used:held'))).toBeGreaterThan(3_000_000)
    } finally {
      blocker.release(true)
    }
  })

  it('reads sessions without the database', async () => {
    const record = await signedIn()
    const away = createPool('postgres://nobody@127.0.0.1:1/none')
    const apart = await openStores({ pool: away, sessionStore: server.url })
    try {
      expect(await apart.sessions.get(record.id)).toEqual(record)
      await expect(apart.probe()).rejects.toMatchObject(UNAVAILABLE)
      await expect(apart.sessions.create(sessionRecord('x'))).rejects.toMatchObject(UNAVAILABLE)
    } finally {
      await apart.close()
      await away.end()
    }
  })
})
