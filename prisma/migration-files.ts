import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import pg from 'pg'

const PACKAGE = dirname(
  createRequire(import.meta.url).resolve('@netscript/auth-database/package.json'),
)

/** The directory of the migrations of this package. */
export const ownMigrations = (): string => join(PACKAGE, 'migrations')

/** The Prisma schema of the tables of this package. */
export const ownSchema = (): string => join(PACKAGE, 'schema', 'auth.prisma')

/** A migration and its script. */
export interface MigrationFile {
  name: string
  sql: string
}

/** The migrations of a directory, in order. */
export function readMigrations(directory: string): MigrationFile[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, path: join(directory, name, 'migration.sql') }))
    .filter(({ path }) => existsSync(path))
    .map(({ name, path }) => ({ name, sql: readFileSync(path, 'utf8') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Checksums of a script with each kind of line ending. */
export function checksums(sql: string): string[] {
  const unix = sql.replaceAll('\r\n', '\n')
  return [sql, unix, unix.replaceAll('\n', '\r\n')].map((text) =>
    createHash('sha256').update(text).digest('hex'),
  )
}

/** The table of Prisma in which applied migrations are recorded. */
export const migrationsTable = (schema: string): string =>
  `${pg.escapeIdentifier(schema)}."_prisma_migrations"`

export const createTable = (table: string): string => `CREATE TABLE IF NOT EXISTS ${table} (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)`
