import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { inject } from 'vitest'

/** A database of one test file, with the migrations applied and no rows. */
export interface TestDatabase {
  url: string
  /** Drops it, whoever is still connected. */
  drop(): Promise<void>
}

/**
 * A fresh database in the Postgres that the test run started. Files may create theirs at the same
 * moment.
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
 * A pool that has ended may still be saying goodbye, and a connection that is thrown out meanwhile is
 * an error that nobody listens to any more: it gets a moment before it is.
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
