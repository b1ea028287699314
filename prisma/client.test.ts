import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPrismaClient } from './client.js'
import { createEmptyTestDatabase, createTestDatabase, type TestDatabase } from './test-database.js'
import { applyMigrations } from './migrate.js'

let database: TestDatabase
let pool: pg.Pool

beforeAll(async () => {
  database = await createTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
})

afterAll(async () => {
  await pool.end()
  await database.drop()
})

it('reads and writes on the pool, which stays open when it disconnects', async () => {
  const prisma = createPrismaClient(pool)
  const instant = new Date('2026-01-02T03:04:05.678Z')
  await prisma.authUser.create({
    data: {
      id: 'u',
      disabledAt: instant,
      accounts: { create: { id: 'a', providerId: 'p', issuer: 'https://i.test', subject: 's' } },
    },
  })
  expect((await prisma.authUser.findUniqueOrThrow({ where: { id: 'u' } })).disabledAt).toEqual(
    instant,
  )
  await prisma.$disconnect()
  const { rows } = await pool.query('SELECT disabled_at, email FROM auth_users')
  expect(rows).toEqual([{ disabled_at: instant, email: null }])
})

it('never writes the computed columns of a Keyv entry, and reads them', async () => {
  const prisma = createPrismaClient(pool)
  await prisma.authKeyv.create({
    data: { key: 'session:x', value: '{"value":{"userId":"u"},"expires":5}' },
  })
  expect(await prisma.authKeyv.findFirst({ where: { userId: 'u' } })).toMatchObject({
    key: 'session:x',
    expiresAt: 5n,
    sid: null,
  })
})

/** A database whose roles begin with these settings. */
async function withSettings(
  settings: Record<string, string>,
  act: (pool: pg.Pool) => Promise<void>,
): Promise<void> {
  const other = await createEmptyTestDatabase()
  const name = new URL(other.url).pathname.slice(1)
  const own = new pg.Pool({ connectionString: other.url })
  own.on('error', () => {})
  try {
    for (const [setting, value] of Object.entries(settings)) {
      await pool.query(`ALTER DATABASE ${name} SET ${setting} = ${value}`)
    }
    await applyMigrations(own)
    await act(own)
  } finally {
    await own.end()
    await other.drop()
  }
}

it.each(['UTC', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Apia'])(
  'writes and reads instants as they are when the time zone is %s',
  (zone) =>
    withSettings({ TimeZone: `'${zone}'` }, async (own) => {
      const prisma = createPrismaClient(own)
      const instants = [
        '2026-01-02T03:04:05.678Z',
        '2026-07-01T23:59:59.000Z',
        '1890-05-05T12:00:00.001Z',
        '0099-01-01T00:00:00.000Z',
        '9999-12-31T23:59:59.999Z',
      ].map((text) => new Date(text))
      for (const [n, instant] of instants.entries()) {
        await prisma.$transaction(async (tx) => {
          await tx.authUser.create({ data: { id: `u${n}`, createdAt: instant } })
          expect(await tx.authUser.findMany({ where: { createdAt: instant } })).toMatchObject([
            { id: `u${n}`, createdAt: instant },
          ])
        })
        expect(await prisma.authUser.findUnique({ where: { id: `u${n}` } })).toMatchObject({
          createdAt: instant,
        })
        const { rows } = await own.query(
          'SELECT (extract(epoch FROM created_at) * 1000)::float8 AS ms FROM auth_users WHERE id = $1',
          [`u${n}`],
        )
        expect(rows).toEqual([{ ms: instant.getTime() }])
      }
      const [raw] = await prisma.$queryRaw<{ list: Date[]; one: Date; none: Date[] }[]>`
        SELECT ARRAY['2026-01-02T03:04:05.678Z'::timestamptz, NULL] AS list, ${instants[1]}::timestamptz AS one, '{}'::timestamptz[] AS none`
      expect(raw).toEqual({ list: [instants[0], null], one: instants[1], none: [] })
      const now = Date.now()
      const { updatedAt } = await prisma.authUser.update({
        where: { id: 'u0' },
        data: { email: 'x' },
      })
      expect(Math.abs(updatedAt.getTime() - now)).toBeLessThan(60_000)
    }),
)

it('says what to set when times are not in the ISO style, instead of reading them wrong', () =>
  withSettings({ DateStyle: `'German'` }, async (own) => {
    const prisma = createPrismaClient(own)
    await prisma.authUser.create({ data: { id: 'u' }, select: { id: true } })
    await expect(prisma.authUser.findFirst()).rejects.toThrow(/SET DateStyle = ISO/)
  }))

it('finds the tables in the schema that search_path names', () =>
  withSettings({ search_path: 'app' }, async (own) => {
    const prisma = createPrismaClient(own)
    await prisma.authUser.create({ data: { id: 'u' } })
    expect((await own.query('SELECT id FROM app.auth_users')).rows).toEqual([{ id: 'u' }])
    expect((await own.query(`SELECT to_regclass('public.auth_users') AS found`)).rows).toEqual([
      { found: null },
    ])
  }))

it('asks again where the tables are when the database was unavailable at first', async () => {
  let down = true
  class Flaky extends pg.Pool {
    override query(...args: unknown[]): never {
      if (down) return Promise.reject(new Error('unavailable')) as never
      return super.query(...(args as [string])) as never
    }
  }
  const own = new Flaky({ connectionString: database.url })
  const prisma = createPrismaClient(own)
  await expect(prisma.authUser.count()).rejects.toThrow('unavailable')
  await expect(prisma.authUser.count()).rejects.toThrow('unavailable')
  down = false
  expect(await prisma.authUser.count()).toBeGreaterThan(0)
  await own.end()
})
