import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { applyChanges, type Change } from '../plugin/change.js'
import { readManifests } from '../plugin/manifest.js'
import { openWorkspace, type Workspace } from '../plugin/workspace.js'
import { type PrismaProject, readPrismaProject } from './project.js'

/** A project and the plugins whose schemas it contains. */
export interface PreparedProject extends PrismaProject {
  readonly plugins: readonly string[]
}

/** Copies the schemas of enabled plugins into the workspace's schema, and removes those of disabled ones. */
export async function prepareProject(root: string): Promise<PreparedProject> {
  const project = await readPrismaProject(root)
  if (!existsSync(join(root, 'package.json'))) return { ...project, plugins: [] }
  const workspace = openWorkspace(root)
  const manifests = readManifests(workspace)
  for (const { name, enabled } of manifests) {
    const schema = workspace.read(`plugins/${name}/database/${name}.prisma`)
    if (!enabled) rmSync(join(root, aggregatedPath(project, name)), { force: true })
    else if (schema !== undefined) {
      const change = aggregateSchema(workspace, project, name, schema)
      if (change) await applyChanges(root, [change])
    }
  }
  const plugins = manifests.filter(({ enabled }) => enabled).map(({ name }) => name)
  return { ...project, plugins }
}

/** Path of a plugin's schema in the workspace's schema folder. */
export function aggregatedPath({ schema }: PrismaProject, plugin: string): string {
  return `${schema}/plugins/${plugin}.prisma`
}

/** Adds a plugin's schema to the workspace's; does nothing when it is up to date. */
export function aggregateSchema(
  workspace: Workspace,
  project: PrismaProject,
  plugin: string,
  schema: string,
): Change | undefined {
  const path = aggregatedPath(project, plugin)
  const before = workspace.read(path)
  const after = `// Made from plugins/${plugin}/database/${plugin}.prisma by netscript: change that one.\n\n${schema}`
  return before === after ? undefined : { path, before, after }
}
