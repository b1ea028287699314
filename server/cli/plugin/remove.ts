import { readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { confirm, print } from '../terminal.js'
import { aggregatedPath, readPrismaProject } from '../db/project.js'
import {
  findPlugin,
  fingerprint,
  manifestPath,
  type PluginManifest,
  readManifest,
} from './manifest.js'
import {
  applyChanges,
  type Change,
  openWorkspace,
  rootWorkspace,
  type Workspace,
} from './workspace.js'
import { installPackages, PNPM_SETTINGS } from './install.js'
import { isNeededByOthers } from './files.js'
import {
  APP_SETTINGS,
  DEFAULT_BACKEND,
  jsonChange,
  removeFromAppSettings,
  removeFromPackageJson,
} from './shared-files.js'

/** The planned removal of a plugin. */
interface Removal {
  readonly deletes: readonly string[]
  readonly changes: readonly Change[]
  /** Files that are kept, and why. */
  readonly keeps: readonly { readonly path: string; readonly why: string }[]
}

/** Options of `netscript plugin remove`. */
export interface RemoveOptions {
  yes?: boolean
  dryRun?: boolean
  install: boolean
}

/** `netscript plugin remove <name>` */
export async function removePlugin(name: string, options: RemoveOptions): Promise<void> {
  const plugin = findPlugin(name)
  const workspace = openWorkspace(process.cwd())
  const manifest = readManifest(workspace, plugin.name)
  if (!manifest) {
    throw new AuthConfigurationError(
      `The plugin ${plugin.name} is not in this workspace. \`netscript plugin list\` shows what is.`,
    )
  }
  const { deletes, changes, keeps } = await planRemoval(workspace, manifest)
  if (options.dryRun) {
    for (const path of deletes) print(`would delete  ${path}`)
    for (const { path } of changes) print(`would change  ${path}`)
    return
  }
  await confirm(
    `This deletes ${deletes.length} files of the plugin ${plugin.name} and changes ${changes.length}.`,
    options,
  )
  await applyChanges(workspace.root, changes)
  for (const { path } of changes) print(`changed  ${path}`)
  for (const path of deletes) {
    rmSync(join(workspace.root, path), { force: true })
    removeEmptyParents(workspace.root, dirname(path))
    print(`deleted  ${path}`)
  }
  for (const { path, why } of keeps) print(`kept     ${path}: ${why}`)
  print(
    [
      '',
      'Kept: .env with its secrets, .data, the migrations and the tables. Delete',
      'the variables NETSCRIPT_AUTH_* by hand when no session needs them any more;',
      '`netscript db migrate --name remove_auth` makes a migration that drops the',
      'tables.',
    ].join('\n'),
  )
  const links = changes.some(({ path }) => path === 'package.json')
  if (links && options.install) await installPackages(workspace.root)
}

/** Plans to remove everything that is unmodified since it was added. */
async function planRemoval(workspace: Workspace, manifest: PluginManifest): Promise<Removal> {
  const project = await readPrismaProject(workspace.root)
  const deletes: string[] = []
  const keeps: { path: string; why: string }[] = []
  for (const [path, written] of Object.entries(manifest.files)) {
    const text = workspace.read(path)
    if (text === undefined) continue
    if (fingerprint(text) !== written) keeps.push({ path, why: 'it is yours' })
    else if (isNeededByOthers(project, path)) keeps.push({ path, why: 'the database needs it' })
    else deletes.push(path)
  }
  const aggregated = aggregatedPath(project, manifest.name)
  if (workspace.read(aggregated) !== undefined) deletes.push(aggregated)
  deletes.push(manifestPath(manifest.name))
  const { manager, root, pathOf } = rootWorkspace(workspace)
  if (manager.name === 'pnpm' && root.read(PNPM_SETTINGS) !== undefined) {
    keeps.push({ ...pathOf({ path: PNPM_SETTINGS }), why: 'pnpm keeps optional peers installed' })
  }
  const packageJson = removeFromPackageJson(workspace, manifest.added.packageJson)
  const changes = packageJson ? [packageJson] : []
  const settings = manifest.added.appSettings
    ? removeFromAppSettings(workspace, DEFAULT_BACKEND)
    : undefined
  if (settings && Object.keys(settings).length === 0) deletes.push(APP_SETTINGS)
  else if (settings) {
    const change = jsonChange(workspace, APP_SETTINGS, settings)
    if (change) changes.push(change)
  }
  return { deletes, changes, keeps }
}

function removeEmptyParents(root: string, directory: string): void {
  for (let path = directory; path !== '.'; path = dirname(path)) {
    if (readdirSync(join(root, path)).length > 0) return
    rmdirSync(join(root, path))
  }
}
