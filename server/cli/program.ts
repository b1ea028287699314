import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Command } from 'commander'
import { addAuthCommands } from './auth.js'
import { addDatabaseCommands } from './db/commands.js'
import { addPluginCommands } from './plugin/commands.js'

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
    .action(async () => (await import('./development.js')).development())

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
