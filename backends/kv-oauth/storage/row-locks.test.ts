import { randomBytes } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createTestDatabase,
  type TestDatabase,
  waitsForLock,
} from '../../../prisma/test-database.js'
import { createKeyring } from '../../keyring.js'
import { createPool } from '../../../prisma/pool.js'
import { sessionRecord } from './session-store-suite.js'
import { createPostgresStores } from './stores.js'
import { createTestUser } from './testing/test-user.js'

/*
 * Each test holds a row in an open transaction, starts a statement that needs it, and commits: the
 * statement must see the committed state, not its own snapshot. A missing lock fails every time here,
 * unlike a race of many callers, which fails only sometimes.
 */
describe('row locks', () => {
  let database: TestDatabase
  let pool: PostgresPool
  let stores: ReturnType<typeof createPostgresStores>

  beforeAll(async () => {
    database = await createTestDatabase()
    pool = createPool(database.url)
    stores = createPostgresStores(pool)
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  /** The result of `blocked`, which waits for a row that `change` locks until its commit. */
  async function afterCommit<T>(
    change: [sql: string, values: unknown[]],
    blocked: () => Promise<T>,
  ): Promise<PromiseSettledResult<T>> {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      await client.query(...change)
      const outcome = Promise.allSettled([blocked()])
      await waitsForLock(pool, outcome)
      await client.query('COMMIT')
      const [settled] = await outcome
      return settled
    } finally {
      client.release(true)
    }
  }

  async function createSession(): Promise<{ id: string; userId: string }> {
    const record = sessionRecord(await createTestUser(stores.users))
    await stores.sessions.create(record)
    return record
  }

  it('a lease that another process is taking is not taken twice', async () => {
    const tokens = stores.tokens(createKeyring([randomBytes(32)]))
    const { id } = await createSession()
    await tokens.save(id, { accessToken: 'access', refreshToken: 'refresh' })
    const outcome = await afterCommit(
      [
        `UPDATE auth_provider_tokens SET lease_until = now() + interval '1 minute' WHERE session_key = $1`,
        [`session:${id}`],
      ],
      () => tokens.lease(id, 60_000),
    )
    expect(outcome).toEqual({ status: 'fulfilled', value: undefined })
  })

  it('tokens of a session that is being ended are not saved, without an error', async () => {
    const tokens = stores.tokens(createKeyring([randomBytes(32)]))
    const { id } = await createSession()
    const outcome = await afterCommit(
      ['DELETE FROM auth_keyv WHERE key = $1', [`session:${id}`]],
      () => tokens.save(id, { accessToken: 'access' }),
    )
    expect(outcome).toEqual({ status: 'fulfilled', value: undefined })
    expect(await tokens.read(id)).toBeUndefined()
  })

  it('a user who is being disabled gets no session', async () => {
    const userId = await createTestUser(stores.users)
    const record = sessionRecord(userId)
    const outcome = await afterCommit(
      ['UPDATE auth_users SET disabled_at = now() WHERE id = $1', [userId]],
      () => stores.sessions.create(record),
    )
    expect(outcome).toMatchObject({ reason: { code: 'AUTH_USER_DISABLED' } })
    expect(await stores.sessions.get(record.id)).toBeUndefined()
  })

  it('a sign-in whose session is being ended by another sign-in ends no session', async () => {
    const { id: kept, userId } = await createSession()
    const record = sessionRecord(userId)
    await stores.sessions.create(record)
    const outcome = await afterCommit(
      [
        `DELETE FROM auth_keyv USING (SELECT FROM auth_users WHERE id = $2 FOR NO KEY UPDATE) AS locked
         WHERE key = $1`,
        [`session:${record.id}`, userId],
      ],
      () => stores.sessions.evict(userId, { keep: record.id, max: 1 }),
    )
    expect(outcome).toEqual({ status: 'fulfilled', value: 0 })
    expect(await stores.sessions.get(kept)).toBeDefined()
  })

  it('a session that is being revoked is not extended', async () => {
    const { id } = await createSession()
    const record = await stores.sessions.get(id)
    if (!record) throw new Error('The session was not created.')
    const outcome = await afterCommit(
      ['DELETE FROM auth_keyv WHERE key = $1', [`session:${id}`]],
      () => stores.sessions.extend({ ...record, version: record.version + 1 }, 'used'),
    )
    expect(outcome).toEqual({ status: 'fulfilled', value: false })
    expect(await stores.sessions.get(id)).toBeUndefined()
  })

  it('a transaction that another callback is consuming is not consumed twice', async () => {
    await stores.transactions.put('once', { stateHash: 'state', sealed: 'sealed' }, 60_000)
    const outcome = await afterCommit([`DELETE FROM auth_keyv WHERE key LIKE '%once'`, []], () =>
      stores.transactions.take('once', 'state'),
    )
    expect(outcome).toEqual({ status: 'fulfilled', value: undefined })
  })

  /*
   * Statements that lock the same rows in different orders can deadlock. These tests hold the first row
   * of the order: a statement that waits for it must not have locked any other.
   */
  describe('rows are locked in one order', () => {
    /** Whether `blocked`, which waits for the row of `held`, has not locked the rows of `others`. */
    async function leavesFree<T>(
      held: [sql: string, values: unknown[]],
      others: [sql: string, values: unknown[]],
      blocked: () => Promise<T>,
    ): Promise<T> {
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        await client.query(...held)
        const outcome = blocked()
        await waitsForLock(pool, outcome)
        const [sql, values] = others
        const { rowCount } = await client.query(`${sql} FOR UPDATE NOWAIT`, values)
        expect(rowCount).toBeGreaterThan(0)
        await client.query('COMMIT')
        return await outcome
      } finally {
        client.release(true)
      }
    }

    /** Sessions of one user whose order by key differs from any other order. */
    async function createSessions(): Promise<{ userId: string; ids: string[] }> {
      const userId = await createTestUser(stores.users)
      const name = randomBytes(8).toString('hex')
      const ids = ['d', 'c', 'a', 'b', 'e'].map((letter) => `${name}-${letter}`)
      for (const [at, id] of ids.entries()) {
        const issuedAt = Date.now() - 10_000 + (at === 2 ? 1_000 : at)
        await stores.sessions.create(
          sessionRecord(userId, { id, issuer: 'one-order', subject: userId, issuedAt }),
        )
      }
      return { userId, ids: ids.sort() }
    }

    const ends: Record<string, (userId: string, keep: string) => Promise<unknown>> = {
      'sign-out everywhere': (userId) =>
        stores.sessions.revokeByUser(userId, 'signed-out-everywhere'),
      'sign-out elsewhere': (userId, except) =>
        stores.sessions.revokeByUser(userId, 'signed-out-everywhere', { except }),
      'a back-channel logout': (subject) =>
        stores.sessions.revokeByProviderSession({ issuer: 'one-order', subject }),
      'a back-channel logout, once': (subject) =>
        stores.sessions.revokeByProviderSession(
          { issuer: 'one-order', subject },
          { key: subject, ttlMs: 60_000 },
        ),
      eviction: (userId, keep) => stores.sessions.evict(userId, { keep, max: 1 }),
      disabling: (userId) => stores.users.disable(userId),
      deletion: (userId) => stores.users.delete(userId),
    }
    it.each(Object.entries(ends))('%s ends sessions in the order of their keys', async (_, end) => {
      const { userId, ids } = await createSessions()
      const keys = ids.map((id) => `session:${id}`)
      await leavesFree(
        ['SELECT FROM auth_keyv WHERE key = $1 FOR UPDATE', [keys[0]]],
        ['SELECT FROM auth_keyv WHERE key = ANY($1)', [keys.slice(1)]],
        () => end(userId, ids.at(-1)!),
      )
      const left = await Promise.all(ids.slice(0, -1).map((id) => stores.sessions.get(id)))
      expect(left.filter(Boolean)).toEqual([])
    })

    it('a sign-in locks the user before the account, as deletion does', async () => {
      const identity = { providerId: 'local', issuer: 'one-order', subject: 'ada', profile: {} }
      const { userId } = await stores.users.signIn(identity)
      const signedIn = await leavesFree(
        ['SELECT FROM auth_users WHERE id = $1 FOR UPDATE', [userId]],
        ['SELECT FROM auth_accounts WHERE user_id = $1', [userId]],
        () => stores.users.signIn(identity),
      )
      expect(signedIn).toEqual({ userId })
    })
  })
})
