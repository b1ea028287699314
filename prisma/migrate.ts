import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { PostgresPool, PostgresQueryable } from './postgres-pool.js'
import {
  checksums,
  createTable,
  type MigrationFile,
  migrationsTable,
  ownMigrations,
  readMigrations,
} from './migration-files.js'
import { claimSchema, tableSchema } from './pool.js'

/** The advisory lock that Prisma's engine takes, so that the two never migrate concurrently. */
const ADVISORY_LOCK = 72707369
/** Waiting for another process, or changing a large table, may exceed the pool's time limit. */
const QUERY_TIMEOUT_MS = 15 * 60_000

/**
 * A migration that cannot be applied. `message` names the migration and the fix; `cause` is the
 * reason.
 */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
  readonly code = 'AUTH_MIGRATION_ERROR'
  constructor(
    readonly migrationName: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** The state of a migration in a database. */
export interface MigrationStatus {
  readonly name: string
  /**
   * `pending`: not applied yet. `failed`: started but not finished; nothing else is applied until
   * it is resolved. `unknown`: recorded in the database but missing from this version, as during a
   * rolling deployment.
   */
  readonly state: 'applied' | 'pending' | 'failed' | 'unknown'
  readonly appliedAt?: Date
}

/** Options of {@link applyMigrations} and {@link migrationStatus}. */
export interface MigrationOptions {
  /** Called once per applied migration. Default: no output. */
  log?: (message: string) => void
  /** Directory of the migrations. Default: those of this package. */
  directory?: string
}

interface MigrationRow {
  name: string
  checksum: string
  finishedAt: Date | null
}

/**
 * Applies the pending migrations, each in its own transaction, and returns their names. It records
 * the same rows as `prisma migrate deploy`, so both can be used on one database. Any number of
 * processes may call it concurrently, also through a pooler; each migration is applied exactly
 * once.
 *
 * Existing tables stay in their schema. The first run uses the first schema of `search_path` and
 * creates it if it does not exist.
 *
 * A failed migration leaves nothing but the record of its failure. Use `prisma migrate deploy` for
 * migrations that cannot run in a transaction, such as `CREATE INDEX CONCURRENTLY`.
 *
 * @throws MigrationError when a migration fails, failed before, or was edited after it was applied.
 */
export async function applyMigrations(
  pool: PostgresPool,
  { log, directory = ownMigrations() }: MigrationOptions = {},
): Promise<string[]> {
  const files = readMigrations(directory)
  const applied: string[] = []
  for (;;) {
    const name = await applyNext(pool, files)
    if (name === undefined) return applied
    applied.push(name)
    log?.(`Applied migration ${name}`)
  }
}

/** The state of each migration, ordered by name. Reads only. */
export async function migrationStatus(
  pool: PostgresPool,
  { directory = ownMigrations() }: Pick<MigrationOptions, 'directory'> = {},
): Promise<MigrationStatus[]> {
  const schema = await tableSchema(pool)
  const table = schema === undefined ? undefined : migrationsTable(schema)
  const rows = table !== undefined && (await exists(pool, table)) ? await readRows(pool, table) : []
  const files = new Set(readMigrations(directory).map(({ name }) => name))
  const names = [...new Set([...files, ...rows.map(({ name }) => name)])].sort()
  return names.map((name): MigrationStatus => {
    const row = rows.find((candidate) => candidate.name === name)
    if (!row) return { name, state: 'pending' }
    if (!row.finishedAt) return { name, state: 'failed' }
    return { name, state: files.has(name) ? 'applied' : 'unknown', appliedAt: row.finishedAt }
  })
}

/**
 * Resolves a failed migration, like `prisma migrate resolve`. `rolled-back`: it left no changes or
 * they were undone; it will be retried. `applied`: its changes were made by hand.
 *
 * @returns False when no failed migration has that name.
 */
export async function resolveMigration(
  pool: PostgresPool,
  name: string,
  as: 'applied' | 'rolled-back',
  { directory = ownMigrations() }: Pick<MigrationOptions, 'directory'> = {},
): Promise<boolean> {
  return locked(pool, async (client, table) => {
    const { rowCount } = await client.query(
      `UPDATE ${table} SET rolled_back_at = now()
       WHERE migration_name = $1 AND finished_at IS NULL AND rolled_back_at IS NULL`,
      [name],
    )
    if (rowCount === 0) return false
    const file = readMigrations(directory).find((candidate) => candidate.name === name)
    if (as === 'applied' && file) {
      await client.query(
        `INSERT INTO ${table} (id, checksum, migration_name, finished_at)
         VALUES ($1, $2, $3, clock_timestamp())`,
        [randomUUID(), checksums(file.sql)[0], name],
      )
    }
    return true
  })
}

/**
 * Runs `work` in a transaction that holds the advisory lock and has the tables' schema first in
 * `search_path`.
 */
async function locked<T>(
  pool: PostgresPool,
  work: (client: PostgresQueryable, table: string) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  // A connection that breaks while checked out emits an event on the client; the query rejects as
  // well.
  const ignore = (): void => {}
  client.on('error', ignore)
  const patient: PostgresQueryable = {
    query: (text, values) =>
      client.query({
        ...(typeof text === 'string' ? { text } : text),
        query_timeout: QUERY_TIMEOUT_MS,
        ...(values && { values }),
      }),
  }
  let committed = false
  try {
    await patient.query('BEGIN')
    // The pool's time limits are too short for a migration. These settings end with the
    // transaction, as the lock does: a pooler may give the next transaction another connection.
    await patient.query('SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0')
    await patient.query(`SELECT pg_advisory_xact_lock(${ADVISORY_LOCK})`)
    const table = migrationsTable(await claimSchema(patient))
    if (!(await exists(patient, table))) await patient.query(createTable(table))
    const result = await work(patient, table)
    await patient.query('COMMIT')
    committed = true
    return result
  } finally {
    client.off('error', ignore)
    // Closing the connection rolls back, whatever its state.
    client.release(!committed)
  }
}

/** Applies the first pending migration. Returns its name, or `undefined` when none is pending. */
async function applyNext(
  pool: PostgresPool,
  files: readonly MigrationFile[],
): Promise<string | undefined> {
  let next: MigrationFile | undefined
  try {
    return await locked(pool, async (client, table) => {
      next = nextOf(files, await readRows(client, table))
      if (!next) return undefined
      const id = randomUUID()
      await client.query(
        `INSERT INTO ${table} (id, checksum, migration_name) VALUES ($1, $2, $3)`,
        [id, checksums(next.sql)[0], next.name],
      )
      await client.query(next.sql)
      await client.query(
        `UPDATE ${table} SET finished_at = clock_timestamp(), applied_steps_count = 1 WHERE id = $1`,
        [id],
      )
      return next.name
    })
  } catch (cause) {
    if (!next || !isRefusal(cause)) throw cause
    await recordFailure(pool, next, cause)
    throw new MigrationError(
      next.name,
      `Migration ${next.name} failed and changed nothing: ${(cause as Error).message}. ${resolveHint(next.name)}`,
      { cause },
    )
  }
}

/**
 * Whether Postgres rejected the migration itself. A lost connection, a full disk, a conflict or a
 * missing privilege is not the migration's fault: it is retried after the repair.
 */
function isRefusal(error: unknown): boolean {
  const { severity, code = '' } = error as Partial<pg.DatabaseError>
  return severity !== undefined && !/^(08|25006|40|42501|53|55P03|57|58)/.test(code)
}

/** @throws MigrationError when no migration may be applied. */
function nextOf(
  files: readonly MigrationFile[],
  rows: readonly MigrationRow[],
): MigrationFile | undefined {
  const failed = rows.find((row) => !row.finishedAt)
  if (failed) {
    throw new MigrationError(
      failed.name,
      `Migration ${failed.name} failed earlier, so none is applied; the logs column of _prisma_migrations says why. ${resolveHint(failed.name)}`,
    )
  }
  const pending = files.filter(({ name, sql }) => {
    const row = rows.find((candidate) => candidate.name === name)
    if (!row) return true
    if (checksums(sql).includes(row.checksum)) return false
    throw new MigrationError(
      name,
      `Migration ${name} was edited after it was applied to this database. Restore the file and put the change into a new migration.`,
    )
  })
  return pending[0]
}

/** Does nothing when another process has applied the migration meanwhile, or failed as well. */
async function recordFailure(
  pool: PostgresPool,
  { name, sql }: MigrationFile,
  cause: unknown,
): Promise<void> {
  await locked(pool, async (client, table) => {
    const rows = await readRows(client, table)
    if (rows.some((row) => row.name === name)) return
    await client.query(
      `INSERT INTO ${table} (id, checksum, migration_name, logs) VALUES ($1, $2, $3, $4)`,
      [randomUUID(), checksums(sql)[0], name, failureLog(name, cause as Partial<pg.DatabaseError>)],
    )
  })
}

/** The latest attempt of each migration that was not rolled back. */
async function readRows(client: PostgresQueryable, table: string): Promise<MigrationRow[]> {
  const { rows } = await client.query<{ name: string; checksum: string; finished: number | null }>(
    `SELECT DISTINCT ON (migration_name) migration_name AS name, checksum,
       (extract(epoch FROM finished_at) * 1000)::float8 AS finished
     FROM ${table} WHERE rolled_back_at IS NULL
     ORDER BY migration_name, started_at DESC`,
  )
  return rows.map(({ name, checksum, finished }) => ({
    name,
    checksum,
    finishedAt: finished === null ? null : new Date(finished),
  }))
}

async function exists(client: PostgresQueryable, table: string): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(
    'SELECT to_regclass($1) IS NOT NULL AS found',
    [table],
  )
  return rows[0]?.found === true
}

function failureLog(name: string, { code, message = '' }: Partial<pg.DatabaseError>): string {
  return [
    'A migration failed to apply. New migrations cannot be applied before the error is recovered from.',
    `Migration name: ${name}`,
    `Database error code: ${code ?? 'none'}`,
    `Database error:\n${message}`,
  ].join('\n\n')
}

function resolveHint(name: string): string {
  return (
    `When the reason is fixed run \`netscript db resolve ${name}\` or \`npx prisma migrate resolve --rolled-back ${name}\`, ` +
    `and start again; when its changes were made by hand run it with --applied.`
  )
}
