#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Command } from 'commander'
import { addAuthCommands } from './auth.js'
import { development } from './development.js'
import { start } from './start.js'
import { reportFailure } from './failure.js'

const { version } = createRequire(import.meta.url)('@netscript/plugin-auth/package.json') as {
  version: string
}

if (existsSync('.env')) process.loadEnvFile('.env')

const program = new Command('netscript')
  .description('The NetScript authentication service.')
  .version(version)

program
  .command('start')
  .description('Start the service with production rules: what is missing is an error.')
  .action(start)

program
  .command('dev')
  .description('Start the service for development: what is missing is made up on this machine.')
  .action(development)

addAuthCommands(program)

await program.parseAsync().catch(reportFailure)
