import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'

/** The lock that Prisma's own engine takes, so that the two never migrate at the same time. */
const ADVISORY_LOCK = 72707369
/** Waiting for another process and changing a large table may both outlast the pool's time limit. */
const QUERY_TIMEOUT_MS = 15 * 60_000

const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)`

/** A migration that cannot be applied; `message` names it and the mend, `cause` is the reason. */
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

/** Where a migration stands in a database. */
export interface MigrationStatus {
  readonly name: string
  /**
   * `pending`: not applied yet. `failed`: started and never finished; nothing is applied until it is
   * resolved. `unknown`: the database has it and this version does not, as in a rolling deployment.
   */
  readonly state: 'applied' | 'pending' | 'failed' | 'unknown'
  readonly appliedAt?: Date
}

/** Options of {@link applyMigrations} and {@link migrationStatus}. */
export interface MigrationOptions {
  /** Told in one line of each migration that was applied. Default: nobody. */
  log?: (message: string) => void
  /** The directory of the migrations. Default: those of this package. */
  directory?: string
}

interface MigrationFile {
  name: string
  sql: string
}

interface MigrationRow {
  name: string
  checksum: string
  finishedAt: Date | null
}

/**
 * Applies the pending migrations, each in a transaction, and returns their names. What it records is
 * what `prisma migrate deploy` records, so the two may be mixed. Any number of processes may call
 * it at once; one works and the others wait.
 *
 * A migration that fails changes nothing but the record of its failure. One that cannot run in a
 * transaction, such as `CREATE INDEX CONCURRENTLY`, is for `prisma migrate deploy`.
 *
 * @throws MigrationError when a migration fails, has failed before, or was edited after it was
 * applied.
 */
export async function applyMigrations(
  pool: pg.Pool,
  { log, directory = ownMigrations() }: MigrationOptions = {},
): Promise<string[]> {
  const files = readMigrations(directory)
  return withLock(pool, async (run) => {
    await run(CREATE_TABLE)
    const rows = await readRows(run)
    const failed = rows.find((row) => !row.finishedAt)
    if (failed) throw failedBefore(failed.name)
    const pending = files.filter(({ name, sql }) => {
      const row = rows.find((candidate) => candidate.name === name)
      if (row && !checksums(sql).includes(row.checksum)) throw edited(name)
      return !row
    })
    for (const file of pending) {
      await applyOne(run, file)
      log?.(`Applied migration ${file.name}`)
    }
    return pending.map(({ name }) => name)
  })
}

/** Where each migration stands, in the order of their names. Changes nothing. */
export async function migrationStatus(
  pool: pg.Pool,
  { directory = ownMigrations() }: Pick<MigrationOptions, 'directory'> = {},
): Promise<MigrationStatus[]> {
  const run: Run = (text, values) => pool.query(text, values)
  const { rows: found } = await run(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found`)
  const rows = (found[0] as { found: boolean }).found ? await readRows(run) : []
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
 * Settles a failed migration, as `prisma migrate resolve` does: `rolled-back` when it left nothing or
 * was undone, so that it is tried again; `applied` when its changes were made by hand.
 *
 * @returns False when no migration of that name has failed.
 */
export async function resolveMigration(
  pool: pg.Pool,
  name: string,
  as: 'applied' | 'rolled-back',
  { directory = ownMigrations() }: Pick<MigrationOptions, 'directory'> = {},
): Promise<boolean> {
  return withLock(pool, async (run) => {
    await run(CREATE_TABLE)
    const { rowCount } = await run(
      `UPDATE "_prisma_migrations" SET rolled_back_at = now()
       WHERE migration_name = $1 AND finished_at IS NULL AND rolled_back_at IS NULL`,
      [name],
    )
    if (rowCount === 0) return false
    const file = readMigrations(directory).find((candidate) => candidate.name === name)
    if (as === 'applied' && file) {
      await run(
        `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at)
         VALUES ($1, $2, $3, clock_timestamp())`,
        [randomUUID(), checksums(file.sql)[0], name],
      )
    }
    return true
  })
}

type Run = (text: string, values?: unknown[]) => Promise<pg.QueryResult>

async function withLock<T>(pool: pg.Pool, work: (run: Run) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  // A connection that breaks while it is lent is an event on the client; the query rejects as well.
  const ignore = (): void => {}
  client.on('error', ignore)
  const run: Run = (text, values) =>
    client.query({
      text,
      query_timeout: QUERY_TIMEOUT_MS,
      ...(values && { values }),
    } as pg.QueryConfig)
  let unlocked = false
  try {
    // What a pool allows a query of the service is not enough for a migration.
    await run('SET statement_timeout = 0')
    await run(`SELECT pg_advisory_lock(${ADVISORY_LOCK})`)
    const result = await work(run)
    await run(`SELECT pg_advisory_unlock(${ADVISORY_LOCK})`)
    await run('RESET statement_timeout')
    unlocked = true
    return result
  } finally {
    client.removeListener('error', ignore)
    // Closing the connection gives the lock back, whatever state it is in.
    client.release(!unlocked)
  }
}

async function applyOne(run: Run, { name, sql }: MigrationFile): Promise<void> {
  const id = randomUUID()
  const [checksum] = checksums(sql)
  await run('BEGIN')
  try {
    await run(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name) VALUES ($1, $2, $3)`,
      [id, checksum, name],
    )
    await run(sql)
    await run(
      `UPDATE "_prisma_migrations" SET finished_at = clock_timestamp(), applied_steps_count = 1 WHERE id = $1`,
      [id],
    )
    await run('COMMIT')
  } catch (cause) {
    await run('ROLLBACK')
    await run(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, logs) VALUES ($1, $2, $3, $4)`,
      [id, checksum, name, failureLog(name, cause as Partial<pg.DatabaseError>)],
    )
    throw new MigrationError(
      name,
      `Migration ${name} failed and changed nothing: ${(cause as Error).message}. ${resolveHint(name)}`,
      { cause },
    )
  }
}

/** The latest attempt of each migration that was not rolled back. */
async function readRows(run: Run): Promise<MigrationRow[]> {
  const { rows } = await run(
    `SELECT DISTINCT ON (migration_name) migration_name AS name, checksum, finished_at AS "finishedAt"
     FROM "_prisma_migrations" WHERE rolled_back_at IS NULL
     ORDER BY migration_name, started_at DESC`,
  )
  return rows as MigrationRow[]
}

/** Beside this module: in the source tree, and in dist/ where the build copies them. */
export function ownMigrations(): string {
  return fileURLToPath(new URL('./migrations', import.meta.url))
}

function readMigrations(directory: string): MigrationFile[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, path: join(directory, name, 'migration.sql') }))
    .filter(({ path }) => existsSync(path))
    .map(({ name, path }) => ({ name, sql: readFileSync(path, 'utf8') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The checksum of a script, and of the same script with the other kinds of line ends. */
function checksums(sql: string): string[] {
  const unix = sql.replaceAll('\r\n', '\n')
  return [sql, unix, unix.replaceAll('\n', '\r\n')].map((text) =>
    createHash('sha256').update(text).digest('hex'),
  )
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
    `When the reason is mended run \`netscript db resolve ${name}\` or \`npx prisma migrate resolve --rolled-back ${name}\`, ` +
    `and start again; when its changes were made by hand run it with --applied.`
  )
}

function failedBefore(name: string): MigrationError {
  return new MigrationError(
    name,
    `Migration ${name} failed earlier, so none is applied; the logs column of _prisma_migrations says why. ${resolveHint(name)}`,
  )
}

function edited(name: string): MigrationError {
  return new MigrationError(
    name,
    `Migration ${name} was edited after it was applied to this database. Restore the file and put the change into a new migration.`,
  )
}
