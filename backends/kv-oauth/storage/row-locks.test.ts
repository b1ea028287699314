import { randomBytes, randomUUID } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createTestDatabase,
  type TestDatabase,
  waitsForLock,
} from '../../../prisma/test-database.js'
import { createKeyring } from '../../keyring.js'
import { createPool } from '../../../prisma/pool.js'
import type { SessionRecord } from '../session-store.js'
import { sessionRecord } from './session-store-suite.js'
import { newAccount, signInOf } from './sign-in-store-suite.js'
import { createPostgresStores } from './stores.js'
import { createTestUser, linkAccountOf, TEST_CHANGE, withAccounts } from './testing/test-user.js'

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

  async function createSession(): Promise<SessionRecord> {
    const record = sessionRecord(await createTestUser(stores.users))
    await withAccounts(stores).sessions.create(record)
    return record
  }

  it('a lease that another process is taking is not taken twice', async () => {
    const tokens = stores.tokens(createKeyring([randomBytes(32)]))
    const session = await createSession()
    await tokens.save(session, session.providerId, {
      accessToken: 'access',
      refreshToken: 'refresh',
    })
    const outcome = await afterCommit(
      [
        `UPDATE auth_provider_tokens SET lease_until = now() + interval '1 minute' WHERE session_key = $1`,
        [`session:${session.id}`],
      ],
      () => tokens.lease(session, session.providerId, 60_000),
    )
    expect(outcome).toEqual({ status: 'fulfilled', value: undefined })
  })

  it('tokens of a session that is being ended are not saved, without an error', async () => {
    const tokens = stores.tokens(createKeyring([randomBytes(32)]))
    const session = await createSession()
    const outcome = await afterCommit(
      ['DELETE FROM auth_keyv WHERE key = $1', [`session:${session.id}`]],
      () => tokens.save(session, session.providerId, { accessToken: 'access' }),
    )
    expect(outcome).toEqual({ status: 'fulfilled', value: undefined })
    expect(await tokens.read(session, session.providerId)).toBeUndefined()
  })

  it('a user who is being disabled gets no session', async () => {
    const userId = await createTestUser(stores.users)
    const record = sessionRecord(userId)
    await linkAccountOf(stores.users, record)
    const outcome = await afterCommit(
      ['UPDATE auth_users SET disabled_at = now() WHERE id = $1', [userId]],
      () => stores.sessions.create(record),
    )
    expect(outcome).toMatchObject({ reason: { code: 'AUTH_USER_DISABLED' } })
    expect(await stores.sessions.get(record.id)).toBeUndefined()
  })

  /** A user with a second account. */
  async function createLinkedUser() {
    const userId = await createTestUser(stores.users)
    const account = { providerId: 'two', issuer: 'https://two.example', subject: userId }
    await stores.users.link(userId, account, TEST_CHANGE)
    const accounts = await stores.users.listAccounts(userId)
    const idAt = (issuer: string) => accounts.find((one) => one.issuer === issuer)!.id
    return { userId, account, firstId: idAt('local'), id: idAt(account.issuer) }
  }
  it('an account that is being removed gets no session', async () => {
    const { userId, account, id } = await createLinkedUser()
    const record = sessionRecord(userId, account)
    const outcome = await afterCommit(['DELETE FROM auth_accounts WHERE id = $1', [id]], () =>
      stores.sessions.create(record),
    )
    expect(outcome).toMatchObject({ reason: { code: 'AUTH_SESSION_CHANGED' } })
    expect(await stores.sessions.get(record.id)).toBeUndefined()
  })

  it('a session of an account that is being removed waits for the user, not only the account', async () => {
    const { userId, account, id } = await createLinkedUser()
    const record = sessionRecord(userId, account)
    const outcome = await afterCommit(
      [
        `WITH locked AS (SELECT FROM auth_users WHERE id = $2 FOR NO KEY UPDATE)
         DELETE FROM auth_accounts USING locked WHERE id = $1`,
        [id, userId],
      ],
      () => stores.sessions.create(record),
    )
    expect(outcome).toMatchObject({ reason: { code: 'AUTH_SESSION_CHANGED' } })
  })

  it('a removal that waits for a sign-in ends the session of that sign-in', async () => {
    const { userId, account, id } = await createLinkedUser()
    const record = sessionRecord(userId, account)
    const outcome = await afterCommit(
      [
        `WITH locked AS (SELECT FROM auth_users WHERE id = $3 FOR SHARE)
         INSERT INTO auth_keyv (key, value) SELECT $1, $2 FROM locked`,
        [
          `session:${record.id}`,
          JSON.stringify({ value: record, expires: record.expiresAt }),
          userId,
        ],
      ],
      () => stores.users.unlink(userId, id, TEST_CHANGE),
    )
    expect(outcome).toMatchObject({ value: { outcome: 'unlinked', ended: [record.id] } })
    expect(await stores.sessions.get(record.id)).toBeUndefined()
  })

  it('a removal that waits for another one keeps the last account', async () => {
    const { userId, firstId, id } = await createLinkedUser()
    const outcome = await afterCommit(
      [
        `WITH locked AS (SELECT FROM auth_users WHERE id = $2 FOR NO KEY UPDATE)
         DELETE FROM auth_accounts USING locked WHERE id = $1`,
        [firstId, userId],
      ],
      () => stores.users.unlink(userId, id, TEST_CHANGE),
    )
    expect(outcome).toEqual({ status: 'fulfilled', value: { outcome: 'last' } })
  })

  it('a user who is being disabled gets no account', async () => {
    const { userId } = await createLinkedUser()
    const account = { providerId: 'three', issuer: 'https://three.example', subject: userId }
    const outcome = await afterCommit(
      ['UPDATE auth_users SET disabled_at = now() WHERE id = $1', [userId]],
      () => stores.users.link(userId, account, TEST_CHANGE),
    )
    expect(outcome).toMatchObject({ reason: { code: 'AUTH_USER_DISABLED' } })
    expect(await stores.users.listAccounts(userId)).toHaveLength(2)
  })

  it('an account that another user is removing can be linked', async () => {
    const [{ account, id }, userId] = [await createLinkedUser(), await createTestUser(stores.users)]
    const outcome = await afterCommit(['DELETE FROM auth_accounts WHERE id = $1', [id]], () =>
      stores.users.link(userId, account, TEST_CHANGE),
    )
    expect(outcome).toEqual({ status: 'fulfilled', value: 'linked' })
  })

  it('an account that another user is linking is a conflict', async () => {
    const [owner, userId] = [await createTestUser(stores.users), await createTestUser(stores.users)]
    const account = { providerId: 'four', issuer: 'https://four.example', subject: owner }
    const outcome = await afterCommit(
      [
        `INSERT INTO auth_accounts (id, user_id, provider_id, issuer, subject)
         VALUES ($1, $2, $3, $4, $5)`,
        [randomUUID(), owner, account.providerId, account.issuer, account.subject],
      ],
      () => stores.users.link(userId, account, TEST_CHANGE),
    )
    expect(outcome).toEqual({ status: 'fulfilled', value: 'conflict' })
  })

  it('a session that starts while the roles of its user change has the new ones', async () => {
    const userId = await createTestUser(stores.users)
    const record = sessionRecord(userId)
    await linkAccountOf(stores.users, record)
    const outcome = await afterCommit(
      [`UPDATE auth_users SET roles = '{admin}' WHERE id = $1`, [userId]],
      () => stores.sessions.create(record),
    )
    expect(outcome).toEqual({ status: 'fulfilled', value: { roles: ['admin'] } })
  })

  describe('a sign-in', () => {
    const complete = (...given: Parameters<typeof signInOf>) =>
      stores.signIns(createKeyring([randomBytes(32)])).complete(signInOf(...given))
    /** A user with a session. */
    async function signedIn() {
      const account = newAccount()
      const { session } = await complete(account)
      return { account, userId: session.userId, session }
    }

    it('of a user who is being disabled leaves no session', async () => {
      const { account, userId } = await signedIn()
      const outcome = await afterCommit(
        ['UPDATE auth_users SET disabled_at = now() WHERE id = $1', [userId]],
        () => complete(account, { previousSessionId: 'other' }),
      )
      expect(outcome).toMatchObject({ reason: { code: 'AUTH_USER_DISABLED' } })
      expect(await stores.sessions.listByUser(userId)).toHaveLength(1)
    })

    it.each([
      ['is refused if it must be of that user', true],
      ['is the first of a new user', false],
    ])('with an account that is being removed %s', async (_, isExpected) => {
      const { account, userId } = await signedIn()
      const identity = { ...account, profile: {}, ...(isExpected && { expectedUserId: userId }) }
      const outcome = await afterCommit(
        ['DELETE FROM auth_accounts WHERE subject = $1', [account.subject]],
        () => complete(account, { identity }),
      )
      expect(outcome).toMatchObject(
        isExpected ? { reason: { code: 'AUTH_SESSION_CHANGED' } } : { value: { isNew: true } },
      )
      expect(await stores.sessions.listByUser(userId)).toHaveLength(1)
    })

    it('while the roles of its user change has the new ones from the start', async () => {
      const { account, userId } = await signedIn()
      const outcome = await afterCommit(
        [`UPDATE auth_users SET roles = '{admin}' WHERE id = $1`, [userId]],
        () => complete(account),
      )
      expect(outcome).toMatchObject({ value: { session: { version: 1, roles: ['admin'] } } })
    })

    it('counts the session of another sign-in that it waited for', async () => {
      const { account, userId, session } = await signedIn()
      const other = sessionRecord(userId, account)
      const value = JSON.stringify({ value: other, expires: other.expiresAt })
      const outcome = await afterCommit(
        [
          `WITH person AS (UPDATE auth_users SET updated_at = now() WHERE id = $1)
           INSERT INTO auth_keyv (key, value) VALUES ($2, $3)`,
          [userId, `session:${other.id}`, value],
        ],
        () => complete(account, { maxSessions: 2 }),
      )
      expect(outcome).toMatchObject({ value: { evicted: 1 } })
      expect(await stores.sessions.get(session.id)).toBeUndefined()
    })
  })

  it('roles that change while a session is extended are in the extended session', async () => {
    const { id, userId } = await createSession()
    const outcome = await afterCommit(
      [
        `UPDATE auth_keyv SET value = jsonb_set(value::jsonb, '{value,version}', '2')::text WHERE key = $1`,
        [`session:${id}`],
      ],
      () => stores.users.changeRoles(userId, { add: ['admin'] }),
    )
    expect(outcome).toEqual({ status: 'fulfilled', value: ['admin'] })
    expect(await stores.sessions.get(id)).toMatchObject({ version: 3, roles: ['admin'] })
  })

  it('a sign-in whose session is being ended by another sign-in ends no session', async () => {
    const { id: kept, userId } = await createSession()
    const record = sessionRecord(userId)
    await withAccounts(stores).sessions.create(record)
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
        await withAccounts(stores).sessions.create(
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
      'removal of an account': async (userId) => {
        const account = { issuer: 'one-order', subject: userId }
        const accounts = await stores.users.listAccounts(userId)
        const { id } = accounts.find(({ subject }) => subject === account.subject)!
        return stores.users.unlink(userId, id, TEST_CHANGE)
      },
      disabling: (userId) => stores.users.disable(userId),
      deletion: (userId) => stores.users.delete(userId),
    }

    it('a change of roles changes sessions in the order of their keys', async () => {
      const { userId, ids } = await createSessions()
      const keys = ids.map((id) => `session:${id}`)
      await leavesFree(
        ['SELECT FROM auth_keyv WHERE key = $1 FOR UPDATE', [keys[0]]],
        ['SELECT FROM auth_keyv WHERE key = ANY($1)', [keys.slice(1)]],
        () => stores.users.changeRoles(userId, { add: ['admin'] }),
      )
      const roles = await Promise.all(ids.map(async (id) => (await stores.sessions.get(id))?.roles))
      expect(roles).toEqual(ids.map(() => ['admin']))
    })
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

    const changes: Record<
      string,
      (user: {
        userId: string
        id: string
        identity: Parameters<typeof stores.users.link>[1]
      }) => Promise<unknown>
    > = {
      'a new session': ({ userId, identity }) =>
        stores.sessions.create(sessionRecord(userId, identity)),
      'the removal of an account': ({ userId, id }) => stores.users.unlink(userId, id, TEST_CHANGE),
    }
    it.each(Object.entries(changes))('%s locks the user before the account', async (_, change) => {
      const { userId, account, id } = await createLinkedUser()
      await leavesFree(
        ['SELECT FROM auth_users WHERE id = $1 FOR UPDATE', [userId]],
        ['SELECT FROM auth_accounts WHERE user_id = $1', [userId]],
        () => change({ userId, id, identity: account }),
      )
    })

    it.each([
      ['the account', 'SELECT FROM auth_accounts WHERE user_id = $1'],
      ['the previous session', 'SELECT FROM auth_keyv WHERE user_id = $1'],
    ])('a completed sign-in locks the user before %s', async (_, others) => {
      const keyring = createKeyring([randomBytes(32)])
      const account = newAccount()
      const { session } = await stores.signIns(keyring).complete(signInOf(account))
      await leavesFree(
        ['SELECT FROM auth_users WHERE id = $1 FOR UPDATE', [session.userId]],
        [others, [session.userId]],
        () =>
          stores.signIns(keyring).complete(signInOf(account, { previousSessionId: session.id })),
      )
    })

    it('a sign-in locks the user before the account, as deletion does', async () => {
      const identity = { providerId: 'local', issuer: 'one-order', subject: 'ada', profile: {} }
      const { userId } = await stores.users.signIn(identity)
      const signedIn = await leavesFree(
        ['SELECT FROM auth_users WHERE id = $1 FOR UPDATE', [userId]],
        ['SELECT FROM auth_accounts WHERE user_id = $1', [userId]],
        () => stores.users.signIn(identity),
      )
      expect(signedIn).toMatchObject({ userId, roles: [] })
    })
  })
})
