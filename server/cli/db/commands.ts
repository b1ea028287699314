import type { Command } from 'commander'

/** Adds `netscript db ...`. Each command imports its code when it runs. */
export function addDatabaseCommands(program: Command): void {
  const db = program
    .command('db')
    .description('The database: DATABASE_URL, or the embedded Postgres without one.')

  db.command('init')
    .description('Create and apply the first migration.')
    .option('--name <name>', 'its name', 'init')
    .action(async (options: { name: string }) => (await import('./migrate.js')).init(options))

  db.command('generate')
    .description('Generate the Prisma client and zod schemas.')
    .action(async () => (await import('./generate.js')).generate())

  db.command('migrate')
    .description('Apply pending migrations.')
    .option('--name <name>', 'first create a migration from the schema changes')
    .action(async (options: { name?: string }) => (await import('./migrate.js')).migrate(options))

  db.command('seed')
    .description('Add demo users, and run the seed command of the Prisma config.')
    .action(async () => (await import('./seed.js')).seed())

  db.command('status')
    .description('Show the status of each migration; exit code 0 when all are applied.')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => (await import('./status.js')).status(options))

  db.command('resolve')
    .description('Allow a failed migration to be retried.')
    .argument('<migration>')
    .option('--applied', 'its changes were made by hand: mark it as applied instead')
    .action(async (name: string, options: { applied?: boolean }) =>
      (await import('./migrate.js')).resolve(name, options),
    )

  db.command('reset')
    .description('Delete everything in the database and apply all migrations.')
    .option('--yes', 'do not ask')
    .action(async (options: { yes?: boolean }) => (await import('./reset.js')).reset(options))
}
