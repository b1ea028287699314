import { randomBytes, randomUUID } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { createKeyring } from '../keyring.js'
import type { SessionStore } from '../session-store.js'
import { createPool } from './pool.js'
import { createPostgresProviderTokenStore } from './postgres-provider-token-store.js'
import { createPostgresSessionStore } from './postgres-session-store.js'
import { createPrismaUserStore } from './prisma-user-store.js'
import { sessionRecord } from './session-store-suite.js'

const TOKENS = {
  accessToken: 'access-secret',
  refreshToken: 'refresh-secret',
  idToken: 'id-secret',
}

describe('ProviderTokenStore: Postgres', () => {
  let database: TestDatabase
  let pool: pg.Pool
  let sessions: SessionStore
  const ring = createKeyring([randomBytes(32)])
  const store = (keyring = ring) => createPostgresProviderTokenStore(pool, keyring)

  const newSession = async (): Promise<string> => {
    const users = createPrismaUserStore(pool)
    const { userId } = await users.signIn({
      providerId: 'local',
      issuer: 'local',
      subject: randomUUID(),
      profile: {},
    })
    const record = sessionRecord(userId)
    await sessions.create(record)
    return record.id
  }

  beforeAll(async () => {
    database = await createTestDatabase()
    pool = createPool(database.url)
    sessions = createPostgresSessionStore(pool)
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  it('keeps the tokens sealed and gives them back', async () => {
    const id = await newSession()
    await store().save(id, TOKENS)
    expect(await store().read(id)).toEqual(TOKENS)
    const { rows } = await pool.query('SELECT * FROM auth_provider_tokens')
    expect(JSON.stringify(rows)).not.toMatch(/secret/)
  })

  it('keeps no tokens of a session that is over, and loses them with it', async () => {
    const id = await newSession()
    await store().save(id, TOKENS)
    await sessions.revoke(id, 'signed-out')
    expect(await store().read(id)).toBeUndefined()
    expect(await store().replace(id, TOKENS)).toBe(false)
    await store().save(id, TOKENS)
    expect(await store().read(id)).toBeUndefined()
  })

  it('opens no token that was moved to another session or another field', async () => {
    const [mine, theirs] = [await newSession(), await newSession()]
    await store().save(mine, { accessToken: 'mine' })
    await store().save(theirs, TOKENS)
    await pool.query(
      `UPDATE auth_provider_tokens SET access_token = refresh_token, refresh_token =
         (SELECT refresh_token FROM auth_provider_tokens WHERE session_key = $2)
       WHERE session_key = $1`,
      [`session:${mine}`, `session:${theirs}`],
    )
    expect(await store().read(mine)).toEqual({})
  })

  it('leases to one of many, until it is given back or runs out', async () => {
    const id = await newSession()
    await store().save(id, TOKENS)
    const leases = await Promise.all(Array.from({ length: 20 }, () => store().lease(id, 60_000)))
    expect(leases.filter(Boolean)).toEqual([{ ...TOKENS, abandoned: false }])
    expect(await store().replace(id, { accessToken: 'renewed' })).toBe(true)
    expect(await store().lease(id, -1)).toEqual({ accessToken: 'renewed', abandoned: false })
    expect(await store().lease(id, 60_000)).toEqual({ accessToken: 'renewed', abandoned: true })
    expect(await store().lease(id, 60_000)).toBeUndefined()
    await store().release(id)
    expect(await store().lease(id, 60_000)).toEqual({ accessToken: 'renewed', abandoned: false })
  })

  it('rotates: an old key still opens, and a write seals with the new one', async () => {
    const fresh = randomBytes(32)
    const rotated = createKeyring([fresh, ...ring.secrets])
    const id = await newSession()
    await store().save(id, TOKENS)
    expect(await store(rotated).read(id)).toEqual(TOKENS)
    await store(rotated).replace(id, TOKENS)
    expect(await store(createKeyring([fresh])).read(id)).toEqual(TOKENS)
    expect(await store().read(id)).toEqual({})
  })
})
