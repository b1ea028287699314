import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { applyMigrations } from './migrate.js'
import { createEmptyTestDatabase, type TestDatabase } from './test-database.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const toSchema = ['--to-schema', 'prisma/schema', '--exit-code']

let database: TestDatabase
let pool: pg.Pool

beforeAll(async () => {
  database = await createEmptyTestDatabase()
  pool = new pg.Pool({ connectionString: database.url })
})

afterAll(async () => {
  await pool.end()
  await database.drop()
})

/** The real CLI of Prisma on the database of this test. */
function prisma(...args: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['node_modules/prisma/build/index.js', ...args],
      {
        cwd: root,
        env: {
          ...process.env,
          DATABASE_URL: database.url,
          PRISMA_SCHEMA_ENGINE_BINARY: 'prisma/schema-engine.mjs',
          CHECKPOINT_DISABLE: '1',
          CI: '1',
        },
      },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, said: stdout + stderr }),
    )
  })
}

it('is what the migrations make of a database, to Prisma as well', async () => {
  const before = await prisma('migrate', 'status')
  expect(before).toMatchObject({ code: 1, said: expect.stringContaining('not yet been applied') })
  await applyMigrations(pool)
  const [status, deploy, migrations, live] = await Promise.all([
    prisma('migrate', 'status'),
    prisma('migrate', 'deploy'),
    prisma('migrate', 'diff', '--from-migrations', 'prisma/migrations', ...toSchema),
    prisma('migrate', 'diff', '--from-config-datasource', ...toSchema),
  ])
  expect(status).toMatchObject({ code: 0, said: expect.stringContaining('schema is up to date') })
  expect(deploy).toMatchObject({ code: 0, said: expect.stringContaining('No pending migrations') })
  expect(migrations).toMatchObject({ code: 0, said: expect.stringContaining('No difference') })
  expect(live).toMatchObject({ code: 0, said: expect.stringContaining('No difference') })
}, 60_000)

it('shows Prisma a difference when there is one', async () => {
  await pool.query('ALTER TABLE auth_users ADD COLUMN surprise TEXT')
  const live = await prisma('migrate', 'diff', '--from-config-datasource', ...toSchema)
  expect(live).toMatchObject({
    code: 2,
    said: expect.stringContaining('Removed column `surprise`'),
  })
}, 60_000)

it('computes the columns of a Keyv entry from its value', async () => {
  const value = { userId: 'u', issuer: 'https://i.test', subject: 's', sid: 'd', version: 1 }
  const read = 'SELECT expires_at, user_id, issuer, subject, sid FROM auth_keyv WHERE key = $1'
  await pool.query('INSERT INTO auth_keyv (key, value) VALUES ($1, $2), ($3, $4)', [
    'session:a',
    JSON.stringify({ value, expires: 1_800_000_000_000 }),
    'transaction:b',
    JSON.stringify({ value: { sealed: 'x' } }),
  ])
  expect((await pool.query(read, ['session:a'])).rows).toEqual([
    {
      expires_at: '1800000000000',
      user_id: 'u',
      issuer: 'https://i.test',
      subject: 's',
      sid: 'd',
    },
  ])
  expect((await pool.query(read, ['transaction:b'])).rows).toEqual([
    { expires_at: null, user_id: null, issuer: null, subject: null, sid: null },
  ])
  await expect(
    pool.query(`INSERT INTO auth_keyv (key, value) VALUES ('c', 'no JSON')`),
  ).rejects.toThrow(/json/)
})

it('drops the tokens of a session with it', async () => {
  await pool.query(`INSERT INTO auth_keyv (key, value) VALUES ('session:t', '{"value":{}}')`)
  await pool.query(`INSERT INTO auth_provider_tokens (session_key) VALUES ('session:t')`)
  await pool.query(`DELETE FROM auth_keyv WHERE key = 'session:t'`)
  expect((await pool.query('SELECT 1 FROM auth_provider_tokens')).rowCount).toBe(0)
})
