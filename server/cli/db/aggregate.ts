import type { Change } from '../plugin/change.js'
import type { Workspace } from '../plugin/workspace.js'
import type { PrismaProject } from './project.js'

/** Where the schema of a plugin goes in the schema folder of the workspace. */
export function aggregatedPath({ schema }: PrismaProject, plugin: string): string {
  return `${schema}/plugins/${plugin}.prisma`
}

/** Puts the schema of a plugin into that of the workspace; nothing when it is there. */
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
