import { randomBytes } from 'node:crypto'
import KeyvPostgres from '@keyv/postgres'
import Keyv from 'keyv'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PostgresPool } from '@netscript/auth-database'
import { createPool } from '../../../prisma/pool.js'
import { createTestDatabase, type TestDatabase } from '../../../prisma/test-database.js'
import { createKeyring } from '../../keyring.js'
import type { KvOAuthStores, SessionRecord } from '../session-store.js'
import { KEYV_TABLE } from './keyv-postgres.js'
import { sessionRecord } from './session-store-suite.js'
import { newAccount, signInOf } from './sign-in-store-suite.js'
import { createPostgresStores } from './stores.js'

/** Entries are those of Keyv, so that its tools and another program can use them. */
describe('a plain Keyv with @keyv/postgres', () => {
  let database: TestDatabase
  let pool: PostgresPool
  let stores: KvOAuthStores
  const plain: Keyv[] = []

  const plainKeyv = <T>(namespace: string): Keyv<T> => {
    const store = new KeyvPostgres({ uri: database.url, table: KEYV_TABLE })
    const keyv = new Keyv<T>({ store, namespace, throwOnErrors: true })
    plain.push(keyv)
    return keyv
  }
  const signedIn = async (): Promise<SessionRecord> => {
    const signIns = stores.signIns(createKeyring([randomBytes(32)]))
    return (await signIns.complete(signInOf(newAccount()))).session
  }

  beforeAll(async () => {
    database = await createTestDatabase()
    pool = createPool(database.url)
    stores = createPostgresStores(pool)
  })
  afterAll(async () => {
    // @keyv/postgres shares one pool between instances with the same URL.
    await plain[0]?.disconnect()
    await stores?.close()
    await pool?.end()
    await database?.drop()
  })

  it('reads the session of a sign-in', async () => {
    const session = await signedIn()
    expect(await plainKeyv<SessionRecord>('session').get(session.id)).toEqual(session)
  })

  it('reads a session that was extended, and none that was ended or has expired', async () => {
    const keyv = plainKeyv<SessionRecord>('session')
    const session = await signedIn()
    const next = { ...session, version: 2, refreshedAt: Date.now() }
    await stores.sessions.extend(next, 'used')
    expect(await keyv.get(session.id)).toEqual(next)
    await stores.sessions.revoke(session.id, 'signed-out')
    expect(await keyv.get(session.id)).toBeUndefined()
    const expired = await signedIn()
    await stores.sessions.extend({ ...expired, version: 2, expiresAt: Date.now() - 1 }, 'used')
    expect(await keyv.get(expired.id)).toBeUndefined()
  })

  it('writes sessions that are read, extended and ended', async () => {
    const keyv = plainKeyv<SessionRecord>('session')
    const record = sessionRecord((await signedIn()).userId)
    await keyv.set(record.id, record, record.expiresAt - Date.now())
    expect(await stores.sessions.get(record.id)).toEqual(record)
    const next = { ...record, version: 2 }
    expect(await stores.sessions.extend(next, 'used')).toBe(true)
    expect(await stores.sessions.get(record.id)).toEqual(next)
    await keyv.delete(record.id)
    expect(await stores.sessions.get(record.id)).toBeUndefined()
  })

  it('writes a session that expires', async () => {
    const record = sessionRecord('user')
    await plainKeyv<SessionRecord>('session').set(record.id, record, 1)
    await expect.poll(() => stores.sessions.get(record.id)).toBeUndefined()
  })

  it('reads and writes transactions, which are taken once', async () => {
    const keyv = plainKeyv<{ stateHash: string; sealed: string }>('transaction')
    await stores.transactions.put('ours', { stateHash: 'state', sealed: 'sealed' }, 60_000)
    expect(await keyv.get('ours')).toEqual({ stateHash: 'state', sealed: 'sealed' })
    await keyv.set('theirs', { stateHash: 'state', sealed: 'sealed' }, 60_000)
    expect(await stores.transactions.take('theirs', 'state')).toBe('sealed')
    expect(await keyv.get('theirs')).toBeUndefined()
    expect(await stores.transactions.take('ours', 'state')).toBe('sealed')
  })
})
