import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Command } from 'commander'
import { addAuthCommands } from './auth.js'
import type { AddOptions } from './plugin/add.js'
import type { RemoveOptions } from './plugin/remove.js'

const { version } = createRequire(import.meta.url)('@netscript/plugin-auth/package.json') as {
  version: string
}

/**
 * Creates the `netscript` command line. Commands import their code when they run, so that help stays
 * fast.
 */
export function createProgram(): Command {
  const program = new Command('netscript')
    .description('The NetScript authentication service.')
    .version(version)
    // Global options only come before the command; after it, an id may begin with -V.
    .enablePositionalOptions()
    .hook('preAction', readDotEnv)

  program
    .command('start')
    .description('Start the service with production rules: missing settings are errors.')
    .action(async () => (await import('./start.js')).start())

  program
    .command('dev')
    .description('Start the service for development, with local stand-ins for missing settings.')
    .action(async () => (await import('./start.js')).development())

  program
    .command('doctor')
    .description('Find out why sign-in does not work.')
    .option('--json', 'print JSON')
    .option('--production', 'apply the rules of "netscript start"')
    .action(async (options: { json?: boolean; production?: boolean }) =>
      (await import('./doctor/doctor.js')).doctor(options),
    )

  addAuthCommands(program)
  addPluginCommands(program)
  addDatabaseCommands(program)
  return program
}

async function readDotEnv(): Promise<void> {
  if (existsSync('.env')) (await import('./env-file.js')).loadEnvFile()
}

/** Adds `netscript plugin ...`. Each command imports its code when it runs. */
function addPluginCommands(program: Command): void {
  const plugin = program.command('plugin').description('Official plugins of this workspace.')

  plugin
    .command('add')
    .description('Add a plugin to the workspace in this directory; safe to repeat.')
    .argument('<name>', 'auth, or @netscript/plugin-auth')
    .option('--dry-run', 'show what would change and change nothing')
    .option('--no-install', 'leave installing the packages to you')
    .action(async (name: string, options: AddOptions) =>
      (await import('./plugin/add.js')).addPlugin(name, options),
    )

  plugin
    .command('list')
    .description('List the plugins of the workspace.')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) =>
      (await import('./plugin/list.js')).listPlugins(options),
    )

  plugin
    .command('remove')
    .description('Remove what `add` created and you did not change.')
    .argument('<name>', 'auth, or @netscript/plugin-auth')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'show what would be removed and change nothing')
    .option('--no-install', 'leave installing the packages to you')
    .action(async (name: string, options: RemoveOptions) =>
      (await import('./plugin/remove.js')).removePlugin(name, options),
    )

  plugin
    .command('doctor')
    .description('Show what is missing or changed, and how to fix it; exit code 1 when broken.')
    .argument('[name]', 'one plugin; default: all')
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, options: { json?: boolean }) =>
      (await import('./plugin/doctor.js')).diagnosePlugins(name, options),
    )
}

/** Adds `netscript db ...`. Each command imports its code when it runs. */
function addDatabaseCommands(program: Command): void {
  const db = program
    .command('db')
    .description('The database: DATABASE_URL, or the embedded Postgres without one.')

  db.command('init')
    .description('Create and apply the first migration.')
    .option('--name <name>', 'its name', 'init')
    .action(async (options: { name: string }) => (await import('./db/migrate.js')).init(options))

  db.command('generate')
    .description('Generate the Prisma client and zod schemas.')
    .action(async () => (await import('./db/migrate.js')).generate())

  db.command('migrate')
    .description('Apply pending migrations.')
    .option('--name <name>', 'first create a migration from the schema changes')
    .action(async (options: { name?: string }) =>
      (await import('./db/migrate.js')).migrate(options),
    )

  db.command('seed')
    .description('Add demo users, and run the seed command of the Prisma config.')
    .action(async () => (await import('./db/seed.js')).seed())

  db.command('status')
    .description('Show the status of each migration; exit code 0 when all are applied.')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => (await import('./db/status.js')).status(options))

  db.command('resolve')
    .description('Allow a failed migration to be retried.')
    .argument('<migration>')
    .option('--applied', 'its changes were made by hand: mark it as applied instead')
    .action(async (name: string, options: { applied?: boolean }) =>
      (await import('./db/migrate.js')).resolve(name, options),
    )

  db.command('reset')
    .description('Delete everything in the database and apply all migrations.')
    .option('--yes', 'do not ask')
    .action(async (options: { yes?: boolean }) => (await import('./db/migrate.js')).reset(options))
}
