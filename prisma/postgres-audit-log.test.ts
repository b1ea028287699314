import { randomUUID } from 'node:crypto'
import type { PostgresPool } from './postgres-pool.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from './test-database.js'
import type { SessionRecord, SessionStore, UserStore } from '../backends/kv-oauth/session-store.js'
import { createPool } from './pool.js'
import { createPostgresAuditLog } from './postgres-audit-log.js'
import { createPostgresSessionStore } from '../backends/kv-oauth/storage/postgres-session-store.js'
import { createPostgresUserStore } from '../backends/kv-oauth/storage/postgres-user-store.js'
import { sessionRecord } from '../backends/kv-oauth/storage/session-store-suite.js'
import { trailOf } from '../backends/kv-oauth/storage/testing/audit-trail.js'
import { withAccounts } from '../backends/kv-oauth/storage/testing/test-user.js'

describe('the audit trail', () => {
  let database: TestDatabase
  let pool: PostgresPool
  let sessions: SessionStore
  let users: UserStore
  beforeAll(async () => {
    database = await createTestDatabase()
    pool = createPool(database.url)
    sessions = createPostgresSessionStore(pool)
    users = createPostgresUserStore(pool)
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  const signedIn = async (userId?: string): Promise<SessionRecord> => {
    const identity = { providerId: 'local', issuer: 'local', subject: randomUUID(), profile: {} }
    const record = sessionRecord(userId ?? (await users.signIn(identity)).userId)
    await withAccounts({ sessions, users }).sessions.create(record)
    return record
  }
  const trail = ({ id }: SessionRecord) => trailOf(pool, id)

  it('has one event for each change of a session, and none for what changed nothing', async () => {
    const record = await signedIn()
    await sessions.extend({ ...record, version: 2 }, 'used')
    await sessions.extend({ ...record, version: 2 }, 'used')
    await sessions.revoke(record.id, 'signed-out')
    await sessions.revoke(record.id, 'signed-out')
    expect(await trail(record)).toEqual([
      ['sign-in.completed', null],
      ['session.refreshed', 'used'],
      ['session.signed-out', 'signed-out'],
    ])
  })

  it('records the provider and a hash of the user', async () => {
    const record = await signedIn()
    const { rows } = await pool.query(
      'SELECT provider_id, subject_hash FROM auth_audit_events WHERE session_id = $1',
      [record.id],
    )
    expect(rows).toEqual([{ provider_id: 'local', subject_hash: record.auditSubject }])
  })

  it('says why sessions were ended, for each of them', async () => {
    const evictAll = async (userId: string): Promise<void> => {
      const { id } = await signedIn(userId)
      await sessions.evict(userId, { keep: id, max: 1 })
    }
    const ends: [string, (record: SessionRecord) => Promise<unknown>][] = [
      ['revoked-by-owner', ({ userId }) => sessions.revokeByUser(userId, 'revoked-by-owner')],
      ['session-limit', ({ userId }) => evictAll(userId)],
      ['user-disabled', ({ userId }) => users.disable(userId)],
      ['user-deleted', ({ userId }) => users.delete(userId)],
      [
        'ended-by-provider',
        ({ issuer, sid = '' }) => sessions.revokeByProviderSession({ issuer, sid }),
      ],
    ]
    for (const [reason, end] of ends) {
      const one = await signedIn()
      const records = reason === 'ended-by-provider' ? [one] : [one, await signedIn(one.userId)]
      await end(one)
      for (const record of records) {
        expect(await trail(record)).toEqual([
          ['sign-in.completed', null],
          ['session.revoked', reason],
        ])
      }
    }
  })

  it('has one sign-out however many race for it', async () => {
    const record = await signedIn()
    await Promise.all(Array.from({ length: 20 }, () => sessions.revoke(record.id, 'signed-out')))
    expect(await trail(record)).toHaveLength(2)
  })

  it('makes no change when the event cannot be written', async () => {
    const record = await signedIn()
    await pool.query(
      'ALTER TABLE auth_audit_events ADD CONSTRAINT none_fits CHECK (id < 0) NOT VALID',
    )
    await expect(sessions.revoke(record.id, 'signed-out')).rejects.toMatchObject({
      code: 'INTERNAL',
    })
    await pool.query('ALTER TABLE auth_audit_events DROP CONSTRAINT none_fits')
    expect(await sessions.get(record.id)).toEqual(record)
  })

  it('records a key once', async () => {
    const audit = createPostgresAuditLog(pool)
    await Promise.all([audit.recordKey('one'), audit.recordKey('one'), audit.recordKey('two')])
    const { rows } = await pool.query<{ reason: string }>(
      `SELECT reason FROM auth_audit_events WHERE type = 'key.rotated'`,
    )
    expect(rows.map(({ reason }) => reason).sort()).toEqual(['one', 'two'])
  })

  it.each([
    'UPDATE auth_audit_events SET reason = NULL',
    'DELETE FROM auth_audit_events',
    'TRUNCATE auth_audit_events',
  ])('refuses %s', async (statement) => {
    await createPostgresAuditLog(pool).record({ type: 'sign-in.failed', reason: 'test' })
    await expect(pool.query(statement)).rejects.toThrow(/append-only/)
  })
})
