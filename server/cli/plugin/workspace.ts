import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { findPackageManager, type PackageManager } from '@netscript/plugin-auth-core/internal'
import { createTwoFilesPatch } from 'diff'
import { decodeText } from '../../config/text-file.js'
import { type Paint, plain } from '../terminal.js'

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

/** A planned change to a file. */
export interface Change {
  /** Relative to the workspace, with slashes. */
  readonly path: string
  /** `undefined` when the file does not exist. */
  readonly before: string | undefined
  readonly after: string
  /** Whether it contains secrets; only its owner may read it then. */
  readonly secret?: boolean
  /** What --dry-run shows as added in place of a diff, for a file that may hold secrets. */
  readonly shown?: string
}

/** Writes the changes in order. */
export async function applyChanges(root: string, changes: readonly Change[]): Promise<void> {
  for (const { path, after, secret } of changes) {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    if (secret) await (await import('../env-file.js')).writeEnvFile(after, file)
    else writeFileSync(file, after)
  }
}

/** Formats the changes as a unified diff. Of a file that may hold secrets it shows the additions only. */
export function describeChanges(changes: readonly Change[], paint: Paint = plain): string {
  return changes.map((change) => describe(change, paint)).join('\n')
}

function describe({ path, before, after, shown }: Change, paint: Paint): string {
  const [from, to] = shown === undefined ? [before ?? '', after] : ['', shown]
  const oldName = before === undefined ? '/dev/null' : path
  return createTwoFilesPatch(oldName, path, from, to)
    .split('\n')
    .slice(1)
    .map((line) =>
      line.startsWith('+')
        ? paint('green', line)
        : line.startsWith('-')
          ? paint('red', line)
          : line,
    )
    .join('\n')
}
