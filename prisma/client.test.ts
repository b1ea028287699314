import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createPrismaClient } from './client.js'
import { createTestDatabase, type TestDatabase } from './test-database.js'

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
