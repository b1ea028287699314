import {
  findPackageManager,
  type PackageManager,
  runCommand,
} from '@netscript/plugin-auth-core/internal'
import { paintFor, print } from '../terminal.js'
import { findPlugin, manifestPath } from './manifest.js'
import { applyChanges, describeChanges, openWorkspace } from './workspace.js'
import { installPackages, missingPackages } from './install.js'
import { planAdd } from './plan.js'
import { readPackageJson } from './shared-files.js'

/** Options of `netscript plugin add`. */
export interface AddOptions {
  dryRun?: boolean
  /** `false` leaves the installation to the user. */
  install: boolean
}

/** `netscript plugin add <name>` */
export async function addPlugin(name: string, { dryRun, install }: AddOptions): Promise<void> {
  const plugin = findPlugin(name)
  const workspace = openWorkspace(process.cwd())
  const manager = findPackageManager(workspace.root)
  const { changes, kept } = await planAdd(workspace, plugin)
  if (dryRun) {
    console.log(changes.length > 0 ? describeChanges(changes, paintFor(process.stdout)) : NOTHING)
    return
  }
  await applyChanges(workspace.root, changes)
  for (const { path, before } of changes) {
    print(`${before === undefined ? 'created' : 'changed'}  ${path}`)
  }
  for (const { path, outdated } of kept) {
    print(`kept     ${path}: it is yours`)
    if (outdated) print('         To take the new text, delete it and run this again.')
  }
  if (changes.length === 0) print(NOTHING)
  const { dependencies = {}, devDependencies = {} } = readPackageJson(workspace)
  const names = Object.keys({ ...(dependencies as object), ...(devDependencies as object) })
  if (missingPackages(workspace.root, names).length > 0) {
    if (install) await installPackages(workspace.root)
    else print(`Run \`${manager.name} install\` for its packages.`)
  }
  const isNew = changes.some(({ path, before }) => path === manifestPath(plugin.name) && !before)
  if (isNew) print(nextSteps(plugin.name, manager))
}

const NOTHING = 'Everything is up to date; nothing was changed.'

/** The steps differ without a terminal, which the prompt for the client secret needs. */
function nextSteps(name: string, manager: PackageManager): string {
  const netscript = `${runCommand(manager)} netscript`
  const secret = process.stdin.isTTY ? '' : ' \\\n    --client-secret-stdin < secret.txt'
  const step = (command: string, does: string): string => `  ${command.padEnd(42)}  ${does}`
  return [
    '',
    `The plugin ${name} is in place. Next:`,
    step(`${netscript} db init --name init`, 'create and apply the first migration'),
    step(`${netscript} db generate`, 'generate the Prisma client and zod schemas'),
    `  ${netscript} auth provider set google --client-id <id>${secret}`,
    step(`${manager.name} run auth`, 'start the service'),
  ].join('\n')
}
