import { readManifests } from './manifest.js'
import { table } from '../table.js'
import { print } from '../terminal.js'
import { openWorkspace, type Workspace } from './workspace.js'

/** One row of `netscript plugin list`. */
interface PluginRow {
  name: string
  type: string
  enabled: boolean
  service: string
  port: number | null
  contributions: string[]
}

/** `netscript plugin list` */
export function listPlugins({ json }: { json?: boolean }): void {
  const rows = pluginRows(openWorkspace(process.cwd()))
  if (json) {
    console.log(JSON.stringify(rows))
  } else if (rows.length === 0) {
    print('No plugins. Add one with `netscript plugin add auth`.')
  } else {
    print(text(rows))
  }
}

/** The plugins of a workspace. */
function pluginRows(workspace: Workspace): PluginRow[] {
  return readManifests(workspace).map((plugin) => ({
    name: plugin.name,
    type: plugin.type,
    enabled: plugin.enabled,
    service: plugin.service?.name ?? '-',
    port: plugin.service?.port ?? null,
    contributions: [...plugin.contributions],
  }))
}

function text(rows: readonly PluginRow[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.type,
    row.enabled ? 'yes' : 'no',
    row.service,
    String(row.port ?? '-'),
    row.contributions.join(', '),
  ])
  return table(['NAME', 'TYPE', 'ENABLED', 'SERVICE', 'PORT', 'CONTRIBUTIONS'], cells)
}
