import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { seed } from './seed.js'
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

it('adds two users once, even when it runs repeatedly and concurrently', async () => {
  const runs = [1, 2, 3, 4, 5, 6]
  // Six connections that are open already, so that the statements do meet.
  await Promise.all(runs.map(() => pool.query('SELECT pg_sleep(0.05)')))
  const added = await Promise.all(runs.map(() => seed(pool, { issuer: 'http://a.test' })))
  expect(added.reduce((sum, count) => sum + count)).toBe(2)
  const { rows } = await pool.query(
    `SELECT display_name, issuer, subject FROM auth_users JOIN auth_accounts ON user_id = auth_users.id ORDER BY subject`,
  )
  expect(rows).toEqual([
    { display_name: 'Ada Lovelace', issuer: 'http://a.test', subject: 'ada' },
    { display_name: 'Grace Hopper', issuer: 'http://a.test', subject: 'grace' },
  ])
})

it('leaves a user who signed in before unchanged', async () => {
  await pool.query(`INSERT INTO auth_users (id, display_name) VALUES ('known', 'Countess')`)
  await pool.query(
    `INSERT INTO auth_accounts (id, user_id, provider_id, issuer, subject) VALUES ('known', 'known', 'local', 'http://b.test', 'ada')`,
  )
  expect(await seed(pool, { issuer: 'http://b.test' })).toBe(1)
  const { rows } = await pool.query(
    `SELECT user_id FROM auth_accounts WHERE issuer = 'http://b.test' AND subject = 'ada'`,
  )
  expect(rows).toEqual([{ user_id: 'known' }])
  const strays = await pool.query(
    `SELECT 1 FROM auth_users WHERE id NOT IN (SELECT user_id FROM auth_accounts)`,
  )
  expect(strays.rowCount).toBe(0)
})
