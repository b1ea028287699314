import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { applyMigrations } from '@netscript/auth-database'
import { isPooled, resolveMigration, tableSchema } from '@netscript/auth-database/internal'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import pg from 'pg'
import { type CommandDatabase, withDatabase } from './database.js'
import {
  copyPluginMigrations,
  migrationNames,
  migrationsDirectory,
  removeMigrations,
  writeMigration,
} from './migrations.js'
import {
  type PreparedProject,
  prepareProject,
  type PrismaProject,
  readPrismaProject,
  runPrisma,
} from './project.js'
import { confirm, print } from '../terminal.js'

/** `netscript db init`: creates and applies the first migration. */
export async function init({ name }: { name: string }): Promise<void> {
  const project = await workspaceProject()
  await withDatabase(process.env, async (database) => {
    const [first] = migrationNames(join(project.root, project.migrations))
    await makeMigrations(project, first === undefined ? name : undefined, database)
    if (first !== undefined) {
      print(`The first migration exists already: ${first}.`)
      print('Create another with `netscript db migrate --name <name>`.')
    }
    await apply(project, database)
  })
}

/**
 * `netscript db migrate`: applies pending migrations; with a name, first creates one from the schema's
 * changes.
 */
export async function migrate({ name }: { name?: string }): Promise<void> {
  const project =
    name === undefined ? await prepareProject(process.cwd()) : await workspaceProject()
  await withDatabase(process.env, async (database) => {
    if (existsSync(join(project.root, project.schema))) {
      const made = await makeMigrations(project, name, database)
      if (name !== undefined && made.length === 0) {
        print('The migrations match the schema; no new one is needed.')
      }
    }
    await apply(project, database)
  })
}

/** `netscript db resolve`: marks a failed migration as applied or rolled back. */
export async function resolve(name: string, { applied }: { applied?: boolean }): Promise<void> {
  const project = await readPrismaProject(process.cwd())
  await withDatabase(process.env, async ({ pool }) => {
    const directory = migrationsDirectory(project)
    const as = applied ? 'applied' : 'rolled-back'
    if (!(await resolveMigration(pool, name, as, { directory }))) {
      throw new AuthConfigurationError(
        `No migration "${name}" has failed. \`netscript db status\` shows those that have.`,
      )
    }
    print(
      applied
        ? `${name} is marked as applied.`
        : `${name} will be retried. Run \`netscript db migrate\`.`,
    )
  })
}

/** @throws AuthConfigurationError when the workspace has no schema. */
async function workspaceProject(): Promise<PreparedProject> {
  const project = await prepareProject(process.cwd())
  if (existsSync(join(project.root, project.schema))) return project
  throw new AuthConfigurationError(
    `There is no Prisma schema in ${project.schema}. Run \`netscript plugin add auth\`, or go to the directory that has one.`,
  )
}

async function makeMigrations(
  project: PreparedProject,
  name: string | undefined,
  { prismaUrl, pool }: CommandDatabase,
): Promise<string[]> {
  if (name !== undefined && (await isPooled(pool))) {
    throw new AuthConfigurationError(
      'DATABASE_URL leads through a connection pooler, and Prisma needs a connection of its own to make a migration. Run this command with DATABASE_URL set to Postgres itself.',
    )
  }
  const copied = copyPluginMigrations(project)
  // If writing the user's own migration fails, remove the copied ones: half an init cannot be repeated.
  const written =
    name === undefined
      ? undefined
      : await writeMigration(project, name, prismaUrl).catch((error: unknown) => {
          removeMigrations(project, copied)
          throw error
        })
  const made = [...copied, ...(written === undefined ? [] : [written])]
  for (const each of made) print(`Made migration ${each}`)
  return made
}

export async function apply(
  project: PrismaProject,
  { pool, description }: CommandDatabase,
): Promise<void> {
  const directory = migrationsDirectory(project)
  const applied = await applyMigrations(pool, { directory, log: print })
  if (applied.length === 0) print(`All migrations are applied to ${description}.`)
}

/** `netscript db reset`: drops everything in the database and applies all migrations. */
export async function reset(options: { yes?: boolean }): Promise<void> {
  if (process.env.NODE_ENV === 'production') {
    throw new AuthConfigurationError(
      'NODE_ENV is production, where the database is not reset. Drop it with your own tools if you must.',
    )
  }
  const project = await readPrismaProject(process.cwd())
  await withDatabase(process.env, async (database) => {
    const schema = await tableSchema(database.pool)
    const where = schema === 'public' ? '' : `the schema ${schema} of `
    await confirm(`This deletes everything in ${where}${database.description}.`, options)
    if (schema !== undefined) {
      const name = pg.escapeIdentifier(schema)
      await database.pool.query(`DROP SCHEMA ${name} CASCADE; CREATE SCHEMA ${name}`)
    }
    await apply(project, database)
    print(`Reset ${database.description}.`)
  })
}

/** `netscript db generate`: the Prisma client and zod schemas. Needs no database. */
export async function generate(): Promise<void> {
  const { root } = await workspaceProject()
  const { code, stdout, stderr } = await runPrisma(root, ['generate', '--no-hints'])
  const said = `${stdout}${stderr}`
  if (code !== 0) {
    throw new AuthConfigurationError(`Prisma could not generate:\n${said.trim()}`)
  }
  for (const [, what = '', where = ''] of said.matchAll(/Generated (.+?) to (.+?) in /g)) {
    print(`Generated ${what.replace(/ \(.*\)/, '')} in ${where}`)
  }
}
