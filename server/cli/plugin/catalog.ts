import { createRequire } from 'node:module'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'

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
export const PLUGINS: readonly PluginDefinition[] = [
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
