import { type MigrationStatus, migrationStatus } from '@netscript/auth-database'
import { table } from '../table.js'
import { paintFor, print } from '../terminal.js'
import { withDatabase } from './database.js'
import { migrationsDirectory, pluginMigrations } from './migrations.js'
import { readPrismaProject } from './project.js'

/** `netscript db status`; the exit code is 0 when nothing is pending or failed. */
export async function status({ json }: { json?: boolean }): Promise<void> {
  const project = await readPrismaProject(process.cwd())
  const directory = migrationsDirectory(project)
  const fromPlugin = pluginMigrations()
  const { found, description } = await withDatabase(process.env, async ({ pool, description }) => ({
    found: await migrationStatus(pool, { directory }),
    description,
  }))
  const rows = found.map((migration) => ({
    ...migration,
    schema: fromPlugin.has(migration.name) ? 'auth.prisma' : project.schema,
  }))
  // Like Prisma: a migration that only the database has comes from a newer version and does no harm.
  const upToDate = rows.every(({ state }) => state === 'applied' || state === 'unknown')
  if (!upToDate) process.exitCode = 1
  if (json) {
    console.log(JSON.stringify({ upToDate, database: description, migrations: rows }))
    return
  }
  const lines = rows.map(({ name, schema, state, appliedAt }) => [
    name,
    schema,
    state,
    appliedAt?.toISOString().slice(0, 19).concat('Z') ?? '',
  ])
  if (lines.length > 0) print(table(['MIGRATION', 'SCHEMA', 'STATE', 'AT'], lines))
  const paint = paintFor(process.stdout)
  print(`\n${paint(upToDate ? 'green' : 'red', verdict(rows, description))}`)
}

const FIXES: readonly (readonly [MigrationStatus['state'], string])[] = [
  ['failed', 'Fix the reason, run `netscript db resolve <name>`, then `netscript db migrate`.'],
  ['pending', 'Run `netscript db migrate`.'],
]

/** The summary line and what to do next. */
function verdict(migrations: readonly MigrationStatus[], description: string): string {
  for (const [state, fix] of FIXES) {
    const count = migrations.filter((migration) => migration.state === state).length
    if (count > 0) return `${count} ${state} in ${description}.\n${fix}`
  }
  const unknown = migrations.filter(({ state }) => state === 'unknown').length
  const known = `All ${migrations.length - unknown} migrations are applied to ${description}.`
  return unknown === 0 ? known : `${known}\nThe database has ${unknown} more, which are not here.`
}
