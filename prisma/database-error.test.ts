import { createHmac, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import type { PostgresPool } from './postgres-pool.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPrismaClient } from './client.js'
import { createEmptyTestDatabase, createTestDatabase, type TestDatabase } from './test-database.js'
import { createBetterAuthBackend } from '../backends/better-auth/backend.js'
import { createNetscriptBetterAuth } from '../backends/better-auth/instance.js'
import { createBetterAuthOperator } from '../backends/better-auth/operator.js'
import { sweepBetterAuth } from './sweep.js'
import { createKeyring } from '../backends/keyring.js'
import { createOperator } from '../backends/kv-oauth/operator.js'
import { toAuthnRequest } from '../backends/request.js'
import { createTokenIssuer } from '../server/tokens/token-issuer.js'
import { isUnavailable } from './database-error.js'
import { createPool } from './pool.js'
import { createPostgresAuditLog } from './postgres-audit-log.js'
import { createPostgresRateLimitStore, sweepRateLimits } from './postgres-rate-limit-store.js'
import { createPostgresSigningKeyStore } from '../server/tokens/signing-keys.js'
import { sessionRecord } from '../backends/kv-oauth/storage/session-store-suite.js'
import { createPostgresStores } from '../backends/kv-oauth/storage/stores.js'

const SECRET = 's'.repeat(32)
const BASE_URL = 'http://localhost:8094'

describe('a database without tables', () => {
  let database: TestDatabase
  let pool: PostgresPool
  beforeAll(async () => {
    database = await createEmptyTestDatabase()
    pool = createPool(database.url)
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  it('is reported as a fault by every store, and never as an outage', async () => {
    const { sessions, transactions, users, tokens, probe } = createPostgresStores(pool)
    const keyring = createKeyring([randomBytes(32)])
    const session = sessionRecord('user')
    const person = { providerId: 'p', issuer: 'i', subject: 's', profile: {} }
    const operator = createOperator(pool)
    const issuer = createTokenIssuer({
      pool,
      keyring,
      origin: 'https://auth.example',
      audiences: ['https://a.example'],
    })
    const calls: (() => Promise<unknown>)[] = [
      () => sessions.get('id'),
      () => sessions.create(session),
      () => sessions.extend(session, 'used'),
      () => sessions.revoke('id', 'signed-out'),
      () => sessions.listByUser('user'),
      () => sessions.revokeByUser('user', 'signed-out'),
      () => sessions.revokeByProviderSession({ issuer: 'i', sid: 's' }),
      () => sessions.sweep(1),
      () => sessions.count(),
      () => sessions.probe(),
      () => transactions.put('key', { stateHash: 's', sealed: 's' }, 1_000),
      () => transactions.take('key', 'state'),
      () => users.signIn(person),
      () => users.disable('user'),
      () => users.enable('user'),
      () => users.delete('user'),
      () => tokens(keyring).read(session, 'idp'),
      () => tokens(keyring).save(session, 'idp', {}),
      () => tokens(keyring).lease(session, 'idp', 1_000),
      () => tokens(keyring).readLinked(session),
      () => tokens(keyring).forget(session, 'other'),
      () => probe(),
      () => createPostgresAuditLog(pool).recordKey('f'),
      () => createPostgresRateLimitStore(pool).charge([{ key: 'k', limit: 1 }], 1_000),
      () => sweepRateLimits(pool, 1),
      () => createPostgresSigningKeyStore(pool, keyring).list({ publishAheadMs: 1 }),
      () => issuer.maintain(),
      () => operator.listSessions('user'),
      () => operator.findUsers(),
      () => operator.getUser('user'),
      () => operator.revokeSession('id'),
      () => operator.revokeSessions('user'),
      () => operator.disableUser('user'),
      () => operator.enableUser('user'),
      () => operator.deleteUser('user'),
    ]
    for (const call of calls) {
      const error = (await call().catch((thrown: unknown) => thrown)) as Error
      expect(error, String(call)).toMatchObject({ code: 'INTERNAL' })
      expect((error.cause as Error).message, String(call)).toMatch(/"netscript db migrate"/)
      expect(error.message).not.toMatch(/auth_|relation/)
    }
  })

  it('is reported as a fault by better-auth, which asks through Prisma', async () => {
    const migrated = await createTestDatabase()
    const own = createPool(migrated.url)
    const prisma = createPrismaClient(own)
    const auth = await createNetscriptBetterAuth({ prisma, secret: SECRET, baseURL: BASE_URL })
    const backend = createBetterAuthBackend({
      auth,
      secret: SECRET,
      baseURL: BASE_URL,
    })
    await own.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    const operator = createBetterAuthOperator(own)
    const token = 'a'.repeat(32)
    const signature = createHmac('sha256', SECRET).update(token).digest('base64')
    const cookie = `better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`
    const request = toAuthnRequest({ headers: { cookie } })
    const calls = [
      () => backend.probe(),
      () => backend.authenticate(request),
      () => backend.sessions.signOut(request, { everywhere: true }),
      () => backend.sessions.listSessions('user'),
      () => backend.sessions.revokeSession('user', 'id'),
      () => backend.sessions.revokeSessions('user'),
      () => operator.findUsers(),
      () => operator.getUser('user'),
      () => operator.listSessions('user'),
      () => operator.revokeSession('id'),
      () => operator.revokeSessions('user'),
      () => operator.disableUser('user'),
      () => operator.enableUser('user'),
      () => operator.deleteUser('user'),
      () => sweepBetterAuth(own, 1),
    ]
    for (const call of calls) {
      const error = (await call().catch((thrown: unknown) => thrown)) as Error
      expect(error, String(call)).toMatchObject({ code: 'INTERNAL' })
      expect((error.cause as Error).message, String(call)).toMatch(/"netscript db migrate"/)
      expect(inspect(error, { depth: 10 })).not.toContain(token)
    }
    await own.end()
    await migrated.drop()
  })
})

describe('isUnavailable', () => {
  const withCode = (code: string): Error => Object.assign(new Error('said'), { code })
  const ofPrisma = (code: string, originalCode: string): Error =>
    Object.assign(withCode(code), { meta: { driverAdapterError: { cause: { originalCode } } } })

  it.each([
    ['a refused connection', withCode('ECONNREFUSED')],
    ['a broken pipe, whose code has five letters', withCode('EPIPE')],
    ['a time limit', new Error('Query read timeout')],
    ['a statement that was cancelled', withCode('57014')],
    ['a server that stops', withCode('57P01')],
    ['a server that starts', withCode('57P03')],
    ['too many connections', withCode('53300')],
    ['a full disk', withCode('53100')],
    ['a deadlock', withCode('40P01')],
    ['a lock that is not free', withCode('55P03')],
    ['a standby after a failover', withCode('25006')],
    ['a pooler that lost its server', withCode('08P01')],
    ['a password that was changed', withCode('28P01')],
    ['Prisma without a connection', withCode('P1001')],
    ['Prisma that waited for a connection', withCode('P2024')],
    ['too many connections for Prisma', ofPrisma('P2037', '53300')],
    ['a statement of Prisma that was cancelled', ofPrisma('P2010', '57014')],
    ['Redis that loads its data', new Error('LOADING Redis is loading the dataset in memory')],
    ['Redis without room for a client', new Error('ERR max number of clients reached')],
    [
      'a replica of Redis after a failover',
      new Error("READONLY You can't write against a replica"),
    ],
    ['an outage within other errors', new Error('outer', { cause: withCode('ECONNRESET') })],
  ])('is true for %s', (_what, error) => {
    expect(isUnavailable(error)).toBe(true)
  })

  it.each([
    ['a missing table', withCode('42P01')],
    ['a missing column', withCode('42703')],
    ['a missing privilege', withCode('42501')],
    ['a syntax error', withCode('42601')],
    ['a constraint', withCode('23505')],
    ['a value out of range', withCode('22003')],
    ['an exception of a trigger', withCode('P0001')],
    ['a lost prepared statement', withCode('26000')],
    ['a schema that does not exist', withCode('3F000')],
    ['a missing table of Prisma', ofPrisma('P2021', '42P01')],
    ['a missing column of Prisma', withCode('P2022')],
    ['a unique constraint of Prisma', withCode('P2002')],
    ['a foreign key of Prisma', withCode('P2003')],
    ['a raw query that Prisma was refused', ofPrisma('P2010', '42601')],
    ['a fault of the program', new TypeError('x is undefined')],
    ['an entry that is no JSON', new SyntaxError('Unexpected token')],
    ['a missing privilege in Redis', new Error('NOPERM this user has no permissions')],
    ['an entry of another type in Redis', new Error('WRONGTYPE Operation against a key')],
    ['a command that Redis does not have', new Error("ERR unknown command 'EVAL'")],
    ['a fault within other errors', new Error('outer', { cause: withCode('42P01') })],
  ])('is false for %s', (_what, error) => {
    expect(isUnavailable(error)).toBe(false)
  })
})
