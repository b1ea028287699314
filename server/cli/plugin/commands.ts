import type { Command } from 'commander'
import type { AddOptions } from './add.js'
import type { RemoveOptions } from './remove.js'

/** Adds `netscript plugin ...`. Each command imports its code when it runs. */
export function addPluginCommands(program: Command): void {
  const plugin = program.command('plugin').description('Official plugins of this workspace.')

  plugin
    .command('add')
    .description('Add a plugin to the workspace in this directory; safe to repeat.')
    .argument('<name>', 'auth, or @netscript/plugin-auth')
    .option('--dry-run', 'show what would change and change nothing')
    .option('--no-install', 'leave installing the packages to you')
    .action(async (name: string, options: AddOptions) =>
      (await import('./add.js')).addPlugin(name, options),
    )

  plugin
    .command('list')
    .description('List the plugins of the workspace.')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => (await import('./list.js')).listPlugins(options))

  plugin
    .command('remove')
    .description('Remove what `add` created and you did not change.')
    .argument('<name>', 'auth, or @netscript/plugin-auth')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'show what would be removed and change nothing')
    .option('--no-install', 'leave installing the packages to you')
    .action(async (name: string, options: RemoveOptions) =>
      (await import('./remove.js')).removePlugin(name, options),
    )

  plugin
    .command('doctor')
    .description('Show what is missing or changed, and how to fix it; exit code 1 when broken.')
    .argument('[name]', 'one plugin; default: all')
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, options: { json?: boolean }) =>
      (await import('./doctor.js')).diagnosePlugins(name, options),
    )
}
