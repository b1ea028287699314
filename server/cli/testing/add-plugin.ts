import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findPlugin } from '../plugin/manifest.js'
import { applyChanges, openWorkspace } from '../plugin/workspace.js'
import { planAdd } from '../plugin/plan.js'

/** Does the same as `netscript plugin add auth --no-install`, in this process. */
export async function addAuthPlugin(root: string): Promise<void> {
  const { changes } = await planAdd(openWorkspace(root), findPlugin('auth'))
  await applyChanges(root, changes)
}

/** Links the packages of this repository into a workspace. */
export function linkPackages(root: string): void {
  const packages = fileURLToPath(new URL('../../../node_modules', import.meta.url))
  symlinkSync(packages, join(root, 'node_modules'))
}
