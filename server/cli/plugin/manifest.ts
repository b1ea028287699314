import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { z } from 'zod'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import type { Workspace } from './workspace.js'

const Manifest = z.object({
  name: z.string(),
  package: z.string(),
  version: z.string(),
  type: z.string(),
  /** `false` makes `netscript db` omit its schema. The user may change this. */
  enabled: z.boolean(),
  service: z.object({ name: z.string(), port: z.number() }).optional(),
  contributions: z.array(z.string()),
  /** SHA-256 of each file as written, by path; a different hash means that the user changed the file. */
  files: z.record(z.string(), z.string()),
  /** Additions to files that the plugin does not own. */
  added: z.object({
    packageJson: z.record(z.string(), z.record(z.string(), z.union([z.string(), z.boolean()]))),
    appSettings: z.boolean(),
  }),
})

/** `plugins/<name>/plugin.json`: what the plugin added to the workspace. */
export type PluginManifest = z.infer<typeof Manifest>

/** Path of a plugin's manifest. */
export function manifestPath(name: string): string {
  return `plugins/${name}/plugin.json`
}

/**
 * Reads a plugin's manifest; `undefined` when the plugin was not added.
 * @throws AuthConfigurationError when the manifest is invalid.
 */
export function readManifest(workspace: Workspace, name: string): PluginManifest | undefined {
  const text = workspace.read(manifestPath(name))
  if (text === undefined) return undefined
  try {
    return Manifest.parse(JSON.parse(text))
  } catch (cause) {
    throw new AuthConfigurationError(
      `${manifestPath(name)} cannot be read. Restore it, or delete it and run \`netscript plugin add ${name}\`.`,
      { cause },
    )
  }
}

/** Reads the manifests of all plugins of a workspace. */
export function readManifests(workspace: Workspace): PluginManifest[] {
  return PLUGINS.flatMap(({ name }) => readManifest(workspace, name) ?? [])
}

/** Hash of a text that ignores line endings, which editors and git may change. */
export function fingerprint(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex')
}

const PACKAGE = '@netscript/plugin-auth'

/** An official plugin, as `netscript plugin list` shows it. */
export interface PluginDefinition {
  readonly name: string
  readonly package: string
  readonly version: string
  /** Supported version ranges of other packages, by name. */
  readonly ranges: Readonly<Record<string, string>>
  readonly type: string
  readonly service: { readonly name: string; readonly port: number }
  /** What it adds to a workspace. */
  readonly contributions: readonly string[]
}

const manifest = createRequire(import.meta.url)(`${PACKAGE}/package.json`) as {
  version: string
  peerDependencies: Readonly<Record<string, string>>
  dependencies: Readonly<Record<string, string>>
}

/** The official plugins. */
const PLUGINS: readonly PluginDefinition[] = [
  {
    name: 'auth',
    package: PACKAGE,
    version: manifest.version,
    ranges: { ...manifest.dependencies, ...manifest.peerDependencies },
    type: 'service',
    service: { name: 'auth-api', port: 8094 },
    contributions: ['schema', 'service', 'routes'],
  },
]

/**
 * Finds a plugin by its short name (`auth`) or its package name.
 * @throws AuthConfigurationError with the names that exist.
 */
export function findPlugin(name: string): PluginDefinition {
  const found = PLUGINS.find((plugin) => plugin.name === name || plugin.package === name)
  if (found) return found
  const known = PLUGINS.map((plugin) => `${plugin.name} (${plugin.package})`).join(', ')
  throw new AuthConfigurationError(`There is no plugin "${name}". Use one of: ${known}.`)
}
