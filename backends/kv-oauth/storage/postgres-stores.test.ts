import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createPrismaClient } from '../../../prisma/client.js'
import { migrationStatus } from '../../../prisma/migrate.js'
import { createTestDatabase, type TestDatabase } from '../../../prisma/test-database.js'
import { createKeyring } from '../../keyring.js'
import { silentLog } from '../../log.js'
import {
  createPostgresSigningKeyStore,
  createSigningKeys,
} from '../../../server/tokens/signing-keys.js'
import { createPool, isPooled } from '../../../prisma/pool.js'
import { createPostgresAuditLog } from '../../../prisma/postgres-audit-log.js'
import {
  createPostgresRateLimitStore,
  sweepRateLimits,
} from '../../../prisma/postgres-rate-limit-store.js'
import { sessionRecord } from './session-store-suite.js'
import { postgresStoresSuite } from './stores-suite.js'
import { createPostgresStores } from './stores.js'
import { describeWithPgBouncer, startPgBouncer, type TestPgBouncer } from './testing/pgbouncer.js'
import { ABROAD, createMigratedDatabase, type Place } from './testing/placed-database.js'
import { createTestUser, withAccounts } from './testing/test-user.js'
import { createUserDirectory } from '../../../prisma/user-directory.js'

postgresStoresSuite('Postgres', createTestDatabase)

const IN_SCHEMA: Place = { settings: { ...ABROAD, search_path: 'app' }, schema: 'app' }
postgresStoresSuite('Postgres, in another schema and time zone', () =>
  createMigratedDatabase(IN_SCHEMA),
)

describeWithPgBouncer('through PgBouncer', () => {
  let [refusing, ignoring]: TestPgBouncer[] = []
  beforeAll(async () => {
    refusing = await startPgBouncer()
    ignoring = await startPgBouncer({ ignore_startup_parameters: 'options' })
  })
  afterAll(async () => {
    await refusing?.close()
    await ignoring?.close()
  })
  const refusingOptions = (url: string): string => refusing!.url(url)
  const ignoringOptions = (url: string): string => ignoring!.url(url)

  postgresStoresSuite('Postgres, through a PgBouncer that ignores options', () =>
    createMigratedDatabase({ settings: ABROAD, through: ignoringOptions }),
  )
  postgresStoresSuite('Postgres, through PgBouncer in the schema of the URL', () =>
    createMigratedDatabase({
      settings: ABROAD,
      parameters: { pgbouncer: 'true', schema: 'app' },
      through: refusingOptions,
    }),
  )

  describe.each<[string, Place]>([
    ['that refuses options', { through: refusingOptions }],
    ['that ignores options', { through: ignoringOptions }],
    [
      'that the URL tells of',
      { parameters: { pgbouncer: 'true' }, settings: ABROAD, through: refusingOptions },
    ],
    ['with the schema of the role', { ...IN_SCHEMA, through: refusingOptions }],
    [
      'with the schema in the URL',
      { parameters: { schema: 'My App' }, schema: 'My App', through: ignoringOptions },
    ],
    [
      'with the schema in options of the URL',
      {
        parameters: { options: '-c search_path=app,public' },
        settings: { search_path: 'elsewhere' },
        schema: 'public',
        through: refusingOptions,
      },
    ],
  ])('%s', (_name, place) => everything(place, true))
})

describe.each<[string, Place]>([
  ['public', {}],
  ['a schema of the role', IN_SCHEMA],
  ['a schema in the URL', { parameters: { schema: 'My App' }, schema: 'My App' }],
  [
    'a schema in options of the URL',
    {
      parameters: { options: `-c search_path=app -c TimeZone=Asia/Tokyo` },
      settings: { search_path: 'elsewhere' },
      schema: 'app',
    },
  ],
  [
    'the schema of the URL before that of its options',
    { parameters: { options: '-c search_path=other', schema: 'app' }, schema: 'app' },
  ],
])('the tables in %s', (_name, place) => everything(place, false))

/** Uses everything that accesses the database once. */
function everything(place: Place, pooled: boolean): void {
  let database: TestDatabase
  let pool: PostgresPool
  beforeAll(async () => {
    database = await createMigratedDatabase(place)
    pool = createPool(database.url)
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  it('has all tables in one schema, and all migrations applied', async () => {
    expect(await isPooled(pool)).toBe(pooled)
    const { rows } = await pool.query(
      `SELECT DISTINCT schemaname FROM pg_tables WHERE tablename ~ '^(better_)?auth_|^_prisma'`,
    )
    expect(rows).toEqual([{ schemaname: place.schema ?? 'public' }])
    const states = (await migrationStatus(pool)).map(({ state }) => state)
    expect(new Set(states)).toEqual(new Set(['applied']))
  })

  it('serves sign-ins, rate limits, signing keys, sweeps and Prisma', async () => {
    const stores = withAccounts(createPostgresStores(pool))
    const [userId, other] = await Promise.all([
      createTestUser(stores.users),
      createTestUser(stores.users),
    ])
    const records = Array.from({ length: 30 }, () => sessionRecord(userId))
    await Promise.all(records.map((record) => stores.sessions.create(record)))
    const found = await Promise.all(records.map(({ id }) => stores.sessions.get(id)))
    expect(found).toEqual(records)
    await stores.sessions.create(sessionRecord(other, { expiresAt: Date.now() - 60_000 }))
    expect(await stores.sessions.sweep(10)).toBe(1)
    expect(await stores.users.disable(userId)).toBe(true)
    expect(await stores.sessions.listByUser(userId)).toEqual([])
    expect(await stores.users.enable(userId)).toBe(true)
    await stores.probe()
    const user = await createUserDirectory(pool).get(userId)
    for (const instant of [user?.createdAt, user?.lastSignInAt]) {
      expect(Math.abs(Date.parse(instant ?? '') - Date.now())).toBeLessThan(60_000)
    }

    const limits = createPostgresRateLimitStore(pool)
    const charges = [
      { key: 'key', limit: 30 },
      { key: 'wider', limit: 100 },
    ]
    const counts = await Promise.all(
      Array.from({ length: 30 }, () => limits.charge(charges, 60_000)),
    )
    expect(Math.max(...counts.map(([count]) => count!.hits))).toBe(30)
    for (const { resetMs } of counts.flat()) {
      expect(resetMs).toBeGreaterThan(30_000)
      expect(resetMs).toBeLessThanOrEqual(60_000)
    }
    expect(await sweepRateLimits(pool, 10)).toBe(0)
    await createPostgresAuditLog(pool).recordKey('fingerprint')

    const keyring = createKeyring([randomBytes(32)])
    const keys = createSigningKeys(createPostgresSigningKeyStore(pool, keyring), silentLog)
    const { kid } = await keys.current()
    expect(await keys.published()).toMatchObject([{ kid }])

    const prisma = createPrismaClient(pool)
    const instant = new Date('2026-01-02T03:04:05.678Z')
    const data = { disabledAt: instant }
    await prisma.authUser.update({ where: { id: other }, data, select: { id: true } })
    const { rows } = await pool.query(
      'SELECT (extract(epoch FROM disabled_at) * 1000)::float8 AS ms FROM auth_users WHERE id = $1',
      [other],
    )
    expect(rows).toEqual([{ ms: instant.getTime() }])
  })

  it('cancels a statement that takes too long, in Postgres too', async () => {
    // The server gives up 500 ms before the client: enough on a busy machine.
    const impatient = createPool(database.url, { queryTimeoutMs: 5_000, max: 1 })
    const direct = new pg.Client({ connectionString: inject('postgresUrl') })
    await direct.connect()
    try {
      const began = performance.now()
      await expect(impatient.query('SELECT pg_sleep(30) AS overlong')).rejects.toMatchObject({
        code: '57014',
      })
      expect(performance.now() - began).toBeLessThan(20_000)
      const running = async (): Promise<number> =>
        (
          await direct.query(
            `SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%AS overlong'
             AND datname = $1 AND pid <> pg_backend_pid()`,
            [new URL(database.url).pathname.slice(1)],
          )
        ).rowCount ?? 0
      await expect.poll(running).toBe(0)
      expect((await impatient.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    } finally {
      await impatient.end()
      await direct.end()
    }
  })
}
