import { createHash } from 'node:crypto'
import { z } from 'zod'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { PLUGINS } from './catalog.js'
import type { Workspace } from './workspace.js'

const Manifest = z.object({
  name: z.string(),
  package: z.string(),
  version: z.string(),
  type: z.string(),
  /** False: `netscript db` leaves its schema out. The user may change this. */
  enabled: z.boolean(),
  service: z.object({ name: z.string(), port: z.number() }).optional(),
  contributions: z.array(z.string()),
  /** SHA-256 of each file as written, by path: a file with another hash was changed by the user. */
  files: z.record(z.string(), z.string()),
  /** What was added to files that are not the plugin's own. */
  added: z.object({
    packageJson: z.record(z.string(), z.record(z.string(), z.union([z.string(), z.boolean()]))),
    appSettings: z.boolean(),
  }),
})

/** `plugins/<name>/plugin.json`: what was added to the workspace, and as what. */
export type PluginManifest = z.infer<typeof Manifest>

/** Where the manifest of a plugin is. */
export function manifestPath(name: string): string {
  return `plugins/${name}/plugin.json`
}

/**
 * The manifest of a plugin; `undefined` when it was not added.
 * @throws AuthConfigurationError when it cannot be understood.
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

/** The plugins that a workspace has. */
export function readManifests(workspace: Workspace): PluginManifest[] {
  return PLUGINS.flatMap(({ name }) => readManifest(workspace, name) ?? [])
}

/** How a file is known again, whatever an editor or git made of its line ends. */
export function fingerprint(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex')
}
