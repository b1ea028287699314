import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The package managers that a project may use. */
export type PackageManagerName = 'npm' | 'pnpm' | 'yarn' | 'bun'

/** What installs the packages of a project. */
export interface PackageManager {
  readonly name: PackageManagerName
  /** As the `packageManager` field says, such as `10.34.9`; absent when it says nothing. */
  readonly version?: string
  /** The directory with its settings: that of the monorepo when the project is in one. */
  readonly root: string
}

const LOCK_FILES: Readonly<Record<string, PackageManagerName>> = {
  'pnpm-lock.yaml': 'pnpm',
  'yarn.lock': 'yarn',
  'bun.lock': 'bun',
  'bun.lockb': 'bun',
  'package-lock.json': 'npm',
  'npm-shrinkwrap.json': 'npm',
}

/**
 * The package manager of the project in a directory: by its `packageManager` field, else its lock file, both
 * also of the monorepo around it, else by what runs this process, else npm.
 */
export function findPackageManager(
  directory = process.cwd(),
  env: NodeJS.ProcessEnv = process.env,
): PackageManager {
  const root = [...ancestors(directory)].slice(1).find(isMonorepo) ?? directory
  const places = [directory, root].map((place) => inDirectory(place))
  // A member of a monorepo may have a lock file of its own, and then is a project of its own.
  if (places[0]) return { ...places[0], root: directory }
  if (places[1]) return { ...places[1], root }
  const name = /^(pnpm|yarn|bun)\//.exec(env.npm_config_user_agent ?? '')?.[1]
  return { name: (name as PackageManagerName | undefined) ?? 'npm', root }
}

/** The command that installs packages, such as `pnpm add --save-dev prisma`. */
export function installCommand(
  packages: readonly string[],
  { dev = false }: { dev?: boolean } = {},
  { name } = findPackageManager(),
): string {
  const verb = name === 'npm' ? 'install' : 'add'
  const flag = name === 'yarn' || name === 'bun' ? '--dev' : '--save-dev'
  return [name, verb, ...(dev ? [flag] : []), ...packages].join(' ')
}

/** What goes before the name of a program of an installed package, such as `pnpm exec`. */
export function runCommand({ name } = findPackageManager()): string {
  return { npm: 'npx', pnpm: 'pnpm exec', yarn: 'yarn', bun: 'bunx' }[name]
}

function inDirectory(directory: string): Omit<PackageManager, 'root'> | undefined {
  const field = readManifest(directory).packageManager
  const [, name, version] = /^(npm|pnpm|yarn|bun)@([^+]+)/.exec(String(field)) ?? []
  if (name && version) return { name: name as PackageManagerName, version }
  const lock = Object.entries(LOCK_FILES).find(([file]) => existsSync(join(directory, file)))
  return lock && { name: lock[1] }
}

function isMonorepo(directory: string): boolean {
  return (
    existsSync(join(directory, 'pnpm-workspace.yaml')) ||
    readManifest(directory).workspaces !== undefined
  )
}

function readManifest(directory: string): { packageManager?: unknown; workspaces?: unknown } {
  try {
    return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as object
  } catch {
    return {}
  }
}

function* ancestors(directory: string): Generator<string> {
  yield directory
  const parent = dirname(directory)
  if (parent !== directory) yield* ancestors(parent)
}
