import { statSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { findPackageManager } from '@netscript/plugin-auth-core/internal'
import { isReadableByOthers, modeOf } from '../env-file.js'
import { fail, type Finding, ok, report, warn } from '../doctor/finding.js'
import { findPlugin, type PluginDefinition, readManifest, readManifests } from './manifest.js'
import { missingPackages } from './install.js'
import { packageEntries, planAdd } from './plan.js'
import { chosenBackend } from './shared-files.js'
import { openWorkspace, type Workspace } from './workspace.js'
import { print } from '../terminal.js'

/** `netscript plugin doctor [name]` */
export async function diagnosePlugins(
  name: string | undefined,
  { json }: { json?: boolean },
): Promise<void> {
  const workspace = openWorkspace(process.cwd())
  const plugins = (
    name === undefined ? readManifests(workspace).map((each) => each.name) : [name]
  ).map(findPlugin)
  const reports = await Promise.all(
    plugins.map(async (plugin) => ({
      plugin: plugin.name,
      findings: await findingsOf(workspace, plugin),
    })),
  )
  const failed = reports.some(({ findings }) => findings.some(({ status }) => status === 'fail'))
  if (failed) process.exitCode = 1
  if (json) console.log(JSON.stringify(reports))
  else if (reports.length === 0) print('No plugins. Add one with `netscript plugin add auth`.')
  else for (const { findings } of reports) console.log(report(findings))
}

/** Reports which parts of a plugin are missing or changed in a workspace. Read-only. */
export async function findingsOf(
  workspace: Workspace,
  plugin: PluginDefinition,
): Promise<Finding[]> {
  const add = `Run \`netscript plugin add ${plugin.name}\`.`
  const manifest = readManifest(workspace, plugin.name)
  if (!manifest) return [fail('PLUGIN_NOT_ADDED', `${plugin.name} was not added.`, add)]
  const isKnown = (variable: string): boolean => Boolean(process.env[variable])
  const { changes, kept } = await planAdd(workspace, plugin, { isKnown })
  const findings = changes.map(({ path, before }) =>
    before === undefined
      ? fail(
          'FILE_MISSING',
          `${path} is missing.`,
          `${add} With --dry-run it shows what it writes.`,
        )
      : fail('FILE_INCOMPLETE', `${path} lacks something.`, `${add} With --dry-run it shows what.`),
  )
  for (const { path, outdated } of kept) {
    findings.push(
      outdated
        ? warn(
            'FILE_OUTDATED',
            `You changed ${path}, and the plugin has a new version of it.`,
            `To take the new version, delete the file. ${add}`,
          )
        : ok('FILE_CHANGED', `You changed ${path}; the plugin leaves it alone.`),
    )
  }
  const { dependencies = {} } = packageEntries(plugin, chosenBackend(workspace))
  const absent = missingPackages(workspace.root, Object.keys(dependencies))
  if (absent.length > 0) {
    findings.push(
      fail(
        'PACKAGES_MISSING',
        `${absent.length} packages are not installed, such as ${absent[0]}.`,
        `Run \`${findPackageManager(workspace.root).name} install\`.`,
      ),
    )
  }
  if (!manifest.enabled) {
    const enable = `Set enabled to true in plugins/${plugin.name}/plugin.json, and run \`netscript plugin add ${plugin.name}\`.`
    findings.push(warn('PLUGIN_DISABLED', `${plugin.name} is not enabled.`, enable))
  }
  const env = statSync(join(workspace.root, '.env'), { throwIfNoEntry: false })
  if (env && isReadableByOthers(env)) {
    findings.push(
      fail(
        'ENV_READABLE',
        `.env has mode ${modeOf(env)}: other users can read its secrets.`,
        'Run `chmod 600 .env`, and generate new secrets if others had access.',
      ),
    )
  }
  if (isTracked(workspace.root, '.env')) {
    findings.push(
      fail(
        'ENV_TRACKED',
        '.env is in version control, with its secrets.',
        'Run `git rm --cached .env`, and generate new secrets.',
      ),
    )
  }
  return findings.length > 0 ? findings : [ok('PLUGIN', `${plugin.name} is complete.`)]
}

/** Whether git tracks the file; `false` without git. */
function isTracked(root: string, path: string): boolean {
  const { status } = spawnSync('git', ['ls-files', '--error-unmatch', path], {
    cwd: root,
    stdio: 'ignore',
  })
  return status === 0
}
