import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { inject } from 'vitest'
import type { PostgresPool } from './postgres-pool.js'

/** A database for one test file, migrated and empty. */
export interface TestDatabase {
  url: string
  /** Drops the database, even with open connections. */
  drop(): Promise<void>
}

/**
 * Creates a fresh database in the Postgres of the test run. Safe to call concurrently.
 *
 * @example
 * ```ts
 * const database = await createTestDatabase()
 * afterAll(() => database.drop())
 * ```
 */
export function createTestDatabase(): Promise<TestDatabase> {
  return create(inject('postgresTemplate'))
}

/** A database without tables. */
export function createEmptyTestDatabase(): Promise<TestDatabase> {
  return create('template0')
}

async function create(template: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await administer(`CREATE DATABASE ${name} TEMPLATE ${template}`)
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  return {
    url: url.href,
    drop: () => drop(name),
  }
}

/**
 * An ended pool may still be closing its connections. Terminating one at that moment raises an
 * error that no listener handles, so wait briefly first.
 */
async function drop(name: string): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      return await administer(`DROP DATABASE IF EXISTS ${name}`)
    } catch {
      await setTimeout(25)
    }
  }
  await administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
}

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/**
 * Resolves when a statement in the pool's database waits for a lock. Rejects when `statement`, which
 * must wait for one, ends first: a missing lock fails at once instead of timing out.
 */
export async function waitsForLock(pool: PostgresPool, statement: Promise<unknown>): Promise<void> {
  let ended = false
  const end = (): void => void (ended = true)
  statement.then(end, end)
  for (;;) {
    const { rowCount } = await pool.query(
      `SELECT 1 FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    if (rowCount !== 0) return
    if (ended) throw new Error('The statement ended without waiting for a lock.')
  }
}
