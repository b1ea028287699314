import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { applyChanges } from '../plugin/change.js'
import { readManifests } from '../plugin/manifest.js'
import { openWorkspace } from '../plugin/workspace.js'
import { aggregatedPath, aggregateSchema } from './aggregate.js'
import { readPrismaProject, type PrismaProject } from './project.js'

/** Brings the schemas of the plugins into the one of the workspace, and those disabled out of it. */
export async function prepareProject(root: string): Promise<PrismaProject> {
  const project = await readPrismaProject(root)
  if (!existsSync(join(root, 'package.json'))) return project
  const workspace = openWorkspace(root)
  for (const { name, enabled } of readManifests(workspace)) {
    const schema = workspace.read(`plugins/${name}/database/${name}.prisma`)
    if (!enabled) rmSync(join(root, aggregatedPath(project, name)), { force: true })
    else if (schema !== undefined) {
      const change = aggregateSchema(workspace, project, name, schema)
      if (change) await applyChanges(root, [change])
    }
  }
  return project
}
