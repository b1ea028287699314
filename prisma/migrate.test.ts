import { readdir } from 'node:fs/promises'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { applyMigrations, MigrationError, migrationStatus } from './migrate.js'
import { createEmptyTestDatabase, type TestDatabase } from './test-database.js'

/** The names of the migrations of the package, in order. */
async function ownMigrations(): Promise<string[]> {
  const entries = await readdir(new URL('./migrations', import.meta.url), { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}

/** A pool whose connections may be thrown out with their database. */
function quietPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config)
  pool.on('error', () => undefined)
  return pool
}

let database: TestDatabase
let pool: pg.Pool
let directory: string

beforeEach(async () => {
  database = await createEmptyTestDatabase()
  pool = quietPool({ connectionString: database.url })
  directory = mkdtempSync(join(tmpdir(), 'netscript-auth-migrations-'))
})

afterEach(async () => {
  await pool.end()
  await database.drop()
  rmSync(directory, { recursive: true })
})

function migration(name: string, sql: string): void {
  mkdirSync(join(directory, name), { recursive: true })
  writeFileSync(join(directory, name, 'migration.sql'), sql)
}

async function exists(table: string): Promise<boolean> {
  const { rowCount } = await pool.query('SELECT WHERE to_regclass($1) IS NOT NULL', [table])
  return rowCount === 1
}

describe('applyMigrations', () => {
  it('applies those of the package to an empty database, and nothing the second time', async () => {
    const lines: string[] = []
    const applied = await applyMigrations(pool, { log: (line) => lines.push(line) })
    expect(applied).toEqual(await ownMigrations())
    expect(lines).toEqual(applied.map((name) => `Applied migration ${name}`))
    expect(await exists('auth_keyv')).toBe(true)
    expect(await applyMigrations(pool)).toEqual([])
  })

  it('applies in the order of the names, with any text in a script', async () => {
    migration('2_second', `INSERT INTO notes VALUES ('a;b'), ($$x;$$);`)
    migration('1_first', 'CREATE TABLE notes (text TEXT)')
    expect(await applyMigrations(pool, { directory })).toEqual(['1_first', '2_second'])
    expect((await pool.query('SELECT text FROM notes')).rows).toEqual([
      { text: 'a;b' },
      { text: 'x;' },
    ])
  })

  it('works once when several processes start at the same moment', async () => {
    migration('1_first', 'CREATE TABLE once (id INT); SELECT pg_sleep(0.2)')
    const pools = [1, 2, 3, 4].map(() =>
      quietPool({ connectionString: database.url, query_timeout: 100 }),
    )
    const applied = await Promise.all(pools.map((each) => applyMigrations(each, { directory })))
    await Promise.all(pools.map((each) => each.end()))
    expect(applied.flat()).toEqual(['1_first'])
  })

  it('leaves nothing of a failed migration but the record of its failure', async () => {
    migration('1_good', 'CREATE TABLE good (id INT)')
    migration('2_bad', 'CREATE TABLE half (id INT); SELECT nonsense')
    migration('3_never', 'CREATE TABLE never (id INT)')
    const failure = await applyMigrations(pool, { directory }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(MigrationError)
    expect(failure).toMatchObject({
      migrationName: '2_bad',
      cause: { code: '42703' },
      message: expect.stringContaining('prisma migrate resolve --rolled-back 2_bad'),
    })
    expect(await exists('good')).toBe(true)
    expect(await exists('half')).toBe(false)
    expect(await exists('never')).toBe(false)
    expect(await migrationStatus(pool, { directory })).toEqual([
      { name: '1_good', state: 'applied', appliedAt: expect.any(Date) },
      { name: '2_bad', state: 'failed' },
      { name: '3_never', state: 'pending' },
    ])
    const { rows } = await pool.query(
      `SELECT logs, finished_at, applied_steps_count FROM _prisma_migrations WHERE migration_name = '2_bad'`,
    )
    expect(rows).toEqual([
      {
        logs: expect.stringContaining('column "nonsense" does not exist'),
        finished_at: null,
        applied_steps_count: 0,
      },
    ])
  })

  it('applies nothing after a failure until that is resolved', async () => {
    migration('1_bad', 'SELECT nonsense')
    await expect(applyMigrations(pool, { directory })).rejects.toThrow(/1_bad failed/)
    migration('1_bad', 'CREATE TABLE fixed (id INT)')
    await expect(applyMigrations(pool, { directory })).rejects.toThrow(/1_bad failed earlier/)
    await pool.query('UPDATE _prisma_migrations SET rolled_back_at = now()')
    expect(await applyMigrations(pool, { directory })).toEqual(['1_bad'])
    expect(await exists('fixed')).toBe(true)
  })

  it('refuses a migration that was edited after it was applied, and applies no other', async () => {
    migration('1_first', 'CREATE TABLE first (id INT)')
    await applyMigrations(pool, { directory })
    migration('1_first', 'CREATE TABLE first (id BIGINT)')
    migration('2_second', 'CREATE TABLE second (id INT)')
    const failure = await applyMigrations(pool, { directory }).catch((error: unknown) => error)
    expect(failure).toMatchObject({
      name: 'MigrationError',
      migrationName: '1_first',
      message: expect.stringMatching(/1_first was edited/),
    })
    expect(await exists('second')).toBe(false)
  })

  it('takes the same script with other line ends for the same script', async () => {
    migration('1_first', 'CREATE TABLE first (\n id INT\n)')
    await applyMigrations(pool, { directory })
    migration('1_first', 'CREATE TABLE first (\r\n id INT\r\n)')
    expect(await applyMigrations(pool, { directory })).toEqual([])
  })

  it('does not mind a migration of a newer version', async () => {
    migration('1_first', 'CREATE TABLE first (id INT)')
    migration('2_newer', 'CREATE TABLE newer (id INT)')
    await applyMigrations(pool, { directory })
    rmSync(join(directory, '2_newer'), { recursive: true })
    expect(await applyMigrations(pool, { directory })).toEqual([])
    expect((await migrationStatus(pool, { directory })).map(({ state }) => state)).toEqual([
      'applied',
      'unknown',
    ])
  })
})

describe('migrationStatus', () => {
  it('changes nothing in a database without migrations', async () => {
    const pending = (await ownMigrations()).map((name) => ({ name, state: 'pending' }))
    expect(await migrationStatus(pool)).toEqual(pending)
    expect(await exists('_prisma_migrations')).toBe(false)
  })
})
