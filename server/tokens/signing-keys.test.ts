import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import pg from 'pg'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { createKeyring, type Keyring, unseal } from '../../backends/keyring.js'
import { silentLog } from '../../backends/log.js'
import { createPool } from '../../prisma/pool.js'
import { createPostgresSigningKeyStore, createSigningKeys } from './signing-keys.js'

const [one, two] = [randomBytes(32), randomBytes(32)]
let database: TestDatabase
let pool: PostgresPool
beforeAll(async () => {
  database = await createTestDatabase()
  pool = createPool(database.url)
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})
beforeEach(() => pool.query('DELETE FROM auth_signing_keys'))

/** A process of the service. */
const process_ = (keyring: Keyring = createKeyring([one])) =>
  createSigningKeys(createPostgresSigningKeyStore(pool, keyring), silentLog)
const kids = async (keys: ReturnType<typeof process_>) =>
  (await keys.published()).map(({ kid }) => kid)
/** Lets time pass for the keys. */
const pass = (interval: string) =>
  pool.query(
    `UPDATE auth_signing_keys SET published_at = published_at - $1::interval,
       signs_at = signs_at - $1::interval, retires_at = retires_at - $1::interval`,
    [interval],
  )

describe('signing keys', () => {
  it('are one key for any number of processes that start concurrently', async () => {
    const processes = Array.from({ length: 8 }, () => process_())
    await Promise.all(processes.map((keys) => keys.maintain()))
    const signing = await Promise.all(processes.map((keys) => keys.current()))
    expect(new Set(signing.map(({ kid }) => kid)).size).toBe(1)
    expect(await kids(process_())).toEqual([signing[0]?.kid])
  })

  it('are made anew when they are deleted as backends/KEYS.md says, under a running process', async () => {
    const keys = process_()
    const { kid } = await keys.current()
    const guide = await readFile(new URL('../../backends/KEYS.md', import.meta.url), 'utf8')
    const [, statement = ''] = /```sql\n([^`]+)```/.exec(guide) ?? []
    await pool.query(statement)
    const next = await keys.current()
    expect(next.kid).not.toBe(kid)
    expect(await kids(process_())).toEqual([next.kid])
  })

  it('publish only the public half, and are encrypted in the database', async () => {
    const keys = process_()
    const { kid } = await keys.current()
    const [published] = await keys.published()
    expect(Object.keys(published ?? {}).sort()).toEqual([
      'alg',
      'crv',
      'kid',
      'kty',
      'use',
      'x',
      'y',
    ])
    const { rows } = await pool.query<{ private_key: string }>('SELECT * FROM auth_signing_keys')
    expect(JSON.stringify(rows)).not.toContain('"d"')
    const sealed = rows[0]?.private_key ?? ''
    expect(unseal(createKeyring([one]), 'signing-keys', kid, sealed)).toContain('"d"')
    expect(unseal(createKeyring([one]), 'signing-keys', 'other', sealed)).toBeUndefined()
    expect(unseal(createKeyring([two]), 'signing-keys', kid, sealed)).toBeUndefined()
  })

  it('are published a day before they sign, and until their last token has expired', async () => {
    const keys = process_()
    await keys.maintain()
    const first = (await keys.current()).kid
    await pass('28 days 23 hours')
    await keys.maintain()
    expect(await kids(keys)).toEqual([first])

    await pass('2 hours')
    await Promise.all([keys, process_(), process_()].map((each) => each.maintain()))
    const [second, ...others] = await kids(keys)
    expect(others).toEqual([first])
    expect((await keys.current()).kid).toBe(first)

    await pass('22 hours 58 minutes')
    expect((await keys.current()).kid).toBe(first)
    await pass('3 minutes')
    expect((await keys.current()).kid).toBe(second)
    await keys.maintain()
    expect(await kids(keys)).toContain(first)
    await pass('10 minutes')
    await keys.maintain()
    expect(await kids(keys)).toEqual([second])
  })

  it('are made at once when a service comes back after all have retired', async () => {
    const keys = process_()
    await keys.maintain()
    const [first] = await kids(keys)
    await pass('90 days')
    await keys.maintain()
    const [second, ...others] = await kids(keys)
    expect(others).toEqual([])
    expect(second).not.toBe(first)
    expect((await keys.current()).kid).toBe(second)
  })

  it('outlive the secret that sealed them, once another one is first', async () => {
    const { kid } = await process_(createKeyring([one])).current()
    expect((await process_(createKeyring([two, one])).current()).kid).toBe(kid)
    expect((await process_(createKeyring([two])).current()).kid).toBe(kid)
  })

  it('are replaced, but stay published, when no secret opens them', async () => {
    const { kid } = await process_(createKeyring([one])).current()
    const dropped = process_(createKeyring([two]))
    await dropped.maintain()
    const { kid: next } = await dropped.current()
    expect(next).not.toBe(kid)
    expect(await kids(dropped)).toEqual([next, kid])
  })

  it('report an unavailable store and create no key', async () => {
    const gone = new pg.Pool({ connectionString: 'postgres://localhost:1/none' })
    const keys = createSigningKeys(
      createPostgresSigningKeyStore(gone, createKeyring([one])),
      silentLog,
    )
    for (const ask of [() => keys.current(), () => keys.published(), () => keys.maintain()]) {
      await expect(ask()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
    await gone.end()
  })
})
