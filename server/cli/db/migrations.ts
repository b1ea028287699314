import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownMigrations } from '@netscript/auth-database/internal'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { type PreparedProject, type PrismaProject, runPrisma } from './project.js'

/** The names of the migrations in a directory, in the order in which they apply. */
export function migrationNames(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}

/**
 * Names of the migrations that come with the plugin. They are written by hand: Prisma cannot generate
 * them.
 */
export function pluginMigrations(): ReadonlySet<string> {
  return new Set(migrationNames(ownMigrations()))
}

/** Directory of the migrations: the workspace's, or this package's outside a workspace. */
export function migrationsDirectory({ root, migrations }: PrismaProject): string {
  const directory = join(root, migrations)
  return existsSync(directory) ? directory : ownMigrations()
}

/** Copies the plugin's migrations that the workspace lacks, and returns their names. */
export function copyPluginMigrations({ root, migrations, plugins }: PreparedProject): string[] {
  const directory = join(root, migrations)
  const present = new Set(migrationNames(directory))
  const wanted = plugins.includes('auth') ? [...pluginMigrations()] : []
  const missing = wanted.filter((name) => !present.has(name))
  for (const name of missing) {
    cpSync(join(ownMigrations(), name), join(directory, name), { recursive: true })
  }
  const lock = join(directory, 'migration_lock.toml')
  if (!existsSync(lock)) {
    mkdirSync(directory, { recursive: true })
    cpSync(join(ownMigrations(), 'migration_lock.toml'), lock)
  }
  return missing
}

/** Deletes migrations that were just created. */
export function removeMigrations(
  { root, migrations }: PrismaProject,
  names: readonly string[],
): void {
  for (const name of names) rmSync(join(root, migrations, name), { recursive: true })
}

/**
 * Writes the migration from the state that the existing migrations produce to the schema, and returns its
 * name; `undefined` when there is no difference. Prisma compares in a shadow database, created and
 * dropped on the server of the URL.
 */
export async function writeMigration(
  { root, schema, migrations }: PrismaProject,
  name: string,
  databaseUrl: string,
): Promise<string | undefined> {
  const { code, stdout, stderr } = await runPrisma(
    root,
    [
      ...['migrate', 'diff', '--script', '--exit-code'],
      ...['--from-migrations', migrations, '--to-schema', schema],
    ],
    databaseUrl,
  )
  if (code === 0) return undefined
  if (code !== 2) {
    throw new AuthConfigurationError(
      `Prisma could not compare the schema with the migrations:\n${`${stderr}${stdout}`.trim()}`,
    )
  }
  const directory = join(root, migrations)
  const full = `${nextTimestamp(migrationNames(directory).at(-1))}_${slug(name)}`
  mkdirSync(join(directory, full))
  writeFileSync(join(directory, full, 'migration.sql'), `${stdout.trim()}\n`)
  return full
}

function slug(name: string): string {
  const text = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  if (text !== '') return text.slice(0, 100)
  throw new AuthConfigurationError(
    `"${name}" is no name for a migration. Use letters and digits, such as --name add_notes.`,
  )
}

/**
 * The current time in UTC, or a later one when the last migration is newer: migrations apply in the order
 * of their names.
 */
function nextTimestamp(last = ''): string {
  const now = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
  const previous = /^\d{14}/.exec(last)?.[0] ?? ''
  return now > previous ? now : String(BigInt(previous) + 1n)
}
