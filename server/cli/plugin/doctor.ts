import { statSync } from 'node:fs'
import { join } from 'node:path'
import { findPackageManager } from '@netscript/plugin-auth-core/internal'
import { isReadableByOthers, modeOf } from '../env-file.js'
import { paintFor } from '../paint.js'
import { findPlugin, type PluginDefinition } from './catalog.js'
import { missingPackages } from './install.js'
import { readManifest, readManifests } from './manifest.js'
import { packageEntries, planAdd } from './plan.js'
import { chosenBackend } from './shared-files.js'
import { isTracked } from './tracked.js'
import { openWorkspace, type Workspace } from './workspace.js'
import { print } from '../wrap.js'

/** What is wrong, or only noteworthy, with a part of a plugin. */
export interface Finding {
  /** `broken` makes the exit code 1. */
  readonly level: 'broken' | 'note'
  readonly what: string
  /** What to do; absent when nothing needs to be done. */
  readonly fix?: string
}

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
  const broken = reports.some(({ findings }) => findings.some(({ level }) => level === 'broken'))
  if (broken) process.exitCode = 1
  if (json) console.log(JSON.stringify(reports))
  else if (reports.length === 0) print('No plugins. Add one with `netscript plugin add auth`.')
  else for (const { plugin, findings } of reports) print(report(plugin, findings))
}

function report(plugin: string, findings: readonly Finding[]): string {
  const paint = paintFor(process.stdout)
  const lines = findings.flatMap(({ level, what, fix }) => [
    `${paint(level === 'broken' ? 'red' : 'yellow', level.padEnd(6))}  ${what}`,
    ...(fix === undefined ? [] : [`        ${fix}`]),
  ])
  const count = findings.filter(({ level }) => level === 'broken').length
  const outcome =
    count === 0 ? paint('green', `${plugin} is as it should be.`) : `${plugin}: ${count} broken.`
  return [...lines, outcome].join('\n')
}

/** What is missing or changed of a plugin in a workspace. Changes nothing. */
export async function findingsOf(
  workspace: Workspace,
  plugin: PluginDefinition,
): Promise<Finding[]> {
  const add = `Run \`netscript plugin add ${plugin.name}\`.`
  const manifest = readManifest(workspace, plugin.name)
  if (!manifest) return [{ level: 'broken', what: `${plugin.name} was not added.`, fix: add }]
  const isKnown = (variable: string): boolean => Boolean(process.env[variable])
  const { changes, kept } = await planAdd(workspace, plugin, { isKnown })
  const findings = changes.map(({ path, before }): Finding => ({
    level: 'broken',
    what: before === undefined ? `${path} is missing.` : `${path} lacks something.`,
    fix: `${add} With --dry-run it shows what.`,
  }))
  for (const { path, outdated } of kept) {
    findings.push(
      outdated
        ? {
            level: 'note',
            what: `${path} is yours, and the plugin has a new text for it.`,
            fix: `To take that, delete the file. ${add}`,
          }
        : { level: 'note', what: `${path} is yours.` },
    )
  }
  const { dependencies = {} } = packageEntries(plugin, chosenBackend(workspace))
  const unlinked = missingPackages(workspace.root, Object.keys(dependencies))
  if (unlinked.length > 0) {
    findings.push({
      level: 'broken',
      what: `${unlinked.length} packages are not installed, such as ${unlinked[0]}.`,
      fix: `Run \`${findPackageManager(workspace.root).name} install\`.`,
    })
  }
  if (!manifest.enabled) findings.push({ level: 'note', what: `${plugin.name} is not enabled.` })
  const env = statSync(join(workspace.root, '.env'), { throwIfNoEntry: false })
  if (env && isReadableByOthers(env)) {
    findings.push({
      level: 'broken',
      what: `.env has mode ${modeOf(env)}: other users can read its secrets.`,
      fix: 'Run `chmod 600 .env`, and make new secrets if others had access.',
    })
  }
  if (isTracked(workspace.root, '.env')) {
    findings.push({
      level: 'broken',
      what: '.env is in version control, with its secrets.',
      fix: 'Run `git rm --cached .env`, and make new secrets.',
    })
  }
  return findings
}
