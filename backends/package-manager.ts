import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AuthConfigurationError } from './errors.js'

/** The supported package managers. */
type PackageManagerName = 'npm' | 'pnpm' | 'yarn' | 'bun'

/** The package manager of a project. */
export interface PackageManager {
  readonly name: PackageManagerName
  /** The version of the `packageManager` field, such as `10.34.9`; absent without one. */
  readonly version?: string
  /** The directory with its settings: the monorepo's if the project is in one. */
  readonly root: string
  /** Whether the project is the root of a monorepo. */
  readonly hasMembers: boolean
}

const PNPM_SETTINGS = 'pnpm-workspace.yaml'

const LOCK_FILES: Readonly<Record<string, PackageManagerName>> = {
  'pnpm-lock.yaml': 'pnpm',
  'yarn.lock': 'yarn',
  'bun.lock': 'bun',
  'bun.lockb': 'bun',
  'package-lock.json': 'npm',
  'npm-shrinkwrap.json': 'npm',
}

/**
 * Detects the package manager of a project: by its `packageManager` field, else its lock file, then
 * the same of the surrounding monorepo, else by the one that runs this process, else npm.
 */
export function findPackageManager(
  directory = process.cwd(),
  env: Readonly<Record<string, string | undefined>> = process.env,
): PackageManager {
  // A member of a monorepo with its own lock file is a separate project.
  const isOwnRoot = lockOf(directory) !== undefined || isMonorepo(directory)
  const root = (isOwnRoot ? undefined : ancestors(directory).find(isMonorepo)) ?? directory
  const runs = /^(pnpm|yarn|bun)\//.exec(env.npm_config_user_agent ?? '')?.[1]
  const found = inDirectory(directory) ??
    inDirectory(root) ?? { name: (runs as PackageManagerName | undefined) ?? 'npm' }
  return { ...found, root, hasMembers: hasMembers(directory) }
}

/**
 * The command that installs packages, such as `pnpm add --save-dev prisma`.
 *
 * @param options.dev Whether they are only needed in development. @default false
 * @param options.scripts Packages or dependencies whose install scripts pnpm must be allowed to run.
 */
export function installCommand(
  packages: readonly string[],
  { dev = false, scripts = [] }: { dev?: boolean; scripts?: readonly string[] } = {},
  { name, hasMembers } = findPackageManager(),
): string {
  const atRoot = { npm: [], pnpm: ['--workspace-root'], yarn: ['-W'], bun: [] }[name]
  return [
    name,
    name === 'npm' ? 'install' : 'add',
    ...(dev ? [name === 'yarn' || name === 'bun' ? '--dev' : '--save-dev'] : []),
    ...(hasMembers ? atRoot : []),
    ...packages,
    ...(name === 'pnpm' ? scripts.map((script) => `--allow-build=${script}`) : []),
  ].join(' ')
}

/** The command prefix that runs a program of an installed package, such as `pnpm exec`. */
export function runCommand({ name } = findPackageManager()): string {
  return { npm: 'npx', pnpm: 'pnpm exec', yarn: 'yarn', bun: 'bunx' }[name]
}

function inDirectory(directory: string): Pick<PackageManager, 'name' | 'version'> | undefined {
  const field = readManifest(directory).packageManager
  const [, name, version] = /^(npm|pnpm|yarn|bun)@([^+]+)/.exec(String(field)) ?? []
  if (name && version) return { name: name as PackageManagerName, version }
  const lock = lockOf(directory)
  return lock && { name: lock }
}

function lockOf(directory: string): PackageManagerName | undefined {
  return Object.entries(LOCK_FILES).find(([file]) => existsSync(join(directory, file)))?.[1]
}

function isMonorepo(directory: string): boolean {
  return existsSync(join(directory, PNPM_SETTINGS)) || hasMembers(directory)
}

function hasMembers(directory: string): boolean {
  const pnpm = join(directory, PNPM_SETTINGS)
  return (
    (existsSync(pnpm) && /^packages:/m.test(readFileSync(pnpm, 'utf8'))) ||
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

function ancestors(directory: string): string[] {
  const parent = dirname(directory)
  return parent === directory ? [] : [parent, ...ancestors(parent)]
}

/**
 * Imports an optional peer dependency.
 *
 * @param names Packages to install when one is missing.
 * @param purpose What needs them, as the subject of a sentence: `NETSCRIPT_AUTH_BACKEND=workos`.
 * @param dev Whether they are only needed in development. @default false
 * @throws AuthConfigurationError with the install command when a package is not installed.
 *
 * @example
 * ```ts
 * const workos = await importPeer(['@netscript/auth-workos'], 'The workos backend', () => import('@netscript/auth-workos'))
 * ```
 */
export async function importPeer<T>(
  names: readonly string[],
  purpose: string,
  load: () => Promise<T>,
  dev = false,
): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    if (!isMissing(cause, names)) throw cause
    const missing = names.length > 1 ? 'packages that are' : 'a package that is'
    throw new AuthConfigurationError(
      `${purpose} needs ${missing} not installed. Run: ${installCommand(names, { dev })}`,
      { cause },
    )
  }
}

/** False when an installed package fails to import one of its own dependencies. */
function isMissing(error: unknown, names: readonly string[]): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  const isNotFound = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
  return isNotFound && names.some((name) => message.includes(`'${name}'`))
}
