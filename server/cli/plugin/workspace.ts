import { existsSync, readFileSync } from 'node:fs'
import { join, posix, relative } from 'node:path'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { findPackageManager, type PackageManager } from '@netscript/plugin-auth-core/internal'
import { decodeText } from '../../config/text-file.js'

/** A directory with a package.json. Paths are relative, with slashes. */
export interface Workspace {
  readonly root: string
  /** The text of a file; `undefined` when there is none. */
  read(path: string): string | undefined
}

/**
 * Opens the workspace in a directory.
 * @throws AuthConfigurationError when it has no package.json.
 */
export function openWorkspace(root: string): Workspace {
  if (!existsSync(join(root, 'package.json'))) {
    throw new AuthConfigurationError(
      'There is no package.json in this directory. Go to the one that has it, or run `npm init -y` first.',
    )
  }
  return { root, read: (path) => readText(join(root, path)) }
}

/**
 * The package manager of a workspace and the directory with its settings, which may be a surrounding
 * monorepo.
 */
export function rootWorkspace(workspace: Workspace): {
  manager: PackageManager
  root: Workspace
  /** Makes a file's path relative to the workspace. */
  pathOf: <T extends { path: string }>(file: T) => T
} {
  const manager = findPackageManager(workspace.root)
  const way = relative(workspace.root, manager.root).replaceAll('\\', '/')
  return {
    manager,
    root: openWorkspace(manager.root),
    pathOf: (file) => ({ ...file, path: posix.join(way, file.path) }),
  }
}

function readText(file: string): string | undefined {
  try {
    return decodeText(readFileSync(file), file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
