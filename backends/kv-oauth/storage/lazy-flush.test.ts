import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../prisma/test-database.js'
import { createPostgresSessionStore } from './postgres-session-store.js'
import { createPostgresTransactionStore } from './postgres-transaction-store.js'
import { createPostgresUserStore } from './postgres-user-store.js'

/** The steps of a sign-in of a known user, each in a transaction that the test can inspect. */
describe('the flush to disk', () => {
  let database: TestDatabase
  let connection: pg.Client
  let pool: pg.Pool
  beforeAll(async () => {
    database = await createTestDatabase()
    connection = new pg.Client({ connectionString: database.url })
    await connection.connect()
    await connection.query('SET synchronous_commit = on')
    pool = Object.assign(new pg.Pool({ connectionString: database.url, max: 1 }), {
      query: connection.query.bind(connection),
    })
  })
  afterAll(async () => {
    await pool.end()
    await connection.end()
    await database.drop()
  })

  async function commitOf(step: () => Promise<unknown>): Promise<unknown> {
    await connection.query('BEGIN')
    await step()
    const { rows } = await connection.query<{ synchronous_commit: string }>(
      'SHOW synchronous_commit',
    )
    await connection.query('COMMIT')
    return rows[0]?.synchronous_commit
  }

  it('is awaited for a sign-out ticket, which no later commit of the flow covers', async () => {
    const transactions = createPostgresTransactionStore(pool)
    const ticket = { stateHash: 'hash', sealed: 'sealed' }
    expect(await commitOf(() => transactions.put('ticket', ticket, 60_000))).toBe('on')
  })

  it('is awaited in a sign-in only by the session, whose flush covers the earlier writes', async () => {
    const transactions = createPostgresTransactionStore(pool)
    const users = createPostgresUserStore(pool)
    const person = { providerId: 'p', issuer: 'https://p.example', subject: 's', profile: {} }
    await users.signIn(person)
    const entry = { stateHash: 'hash', sealed: 'sealed', flushedLater: true }
    expect(await commitOf(() => transactions.put('key', entry, 60_000))).toBe('off')
    expect(
      await commitOf(async () => expect(await transactions.take('key', 'hash')).toBe('sealed')),
    ).toBe('off')
    let userId = ''
    expect(await commitOf(async () => ({ userId } = await users.signIn(person)))).toBe('off')
    const now = Date.now()
    const session = {
      id: 'session',
      userId,
      providerId: 'p',
      issuer: person.issuer,
      subject: person.subject,
      auditSubject: 'hash',
      scopes: [],
      roles: [],
      claims: {},
      user: {},
      issuedAt: now,
      expiresAt: now + 60_000,
      absoluteExpiresAt: now + 60_000,
      version: 1,
    }
    const sessions = createPostgresSessionStore(pool)
    expect(await commitOf(() => sessions.create(session))).toBe('on')
    expect(await commitOf(() => sessions.revoke('session', 'signed-out'))).toBe('on')
  })
})
