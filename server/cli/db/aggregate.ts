import type { Change } from '../plugin/change.js'
import type { Workspace } from '../plugin/workspace.js'
import type { PrismaProject } from './project.js'

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
