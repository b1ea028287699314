import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chown, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { type Identity, isReachable, type PostgresBinaries } from './postgres-binaries.js'

/** Stored inside the cluster, so that both are moved, copied and deleted together. */
const PASSWORD_FILE = 'netscript-auth.password'
const DATABASE_FIX = 'or set DATABASE_URL to use a Postgres of your own.'

/** A Postgres data directory and its administrator's password. */
export interface Cluster {
  readonly directory: string
  readonly password: string
}

/**
 * Opens the cluster in `directory`, or creates one. A new cluster is built in a temporary directory and
 * moved into place when complete, so that a killed process leaves no partial cluster.
 *
 * @throws AuthConfigurationError when the directory holds something else or another major version.
 */
export async function openCluster(
  directory: string,
  binaries: PostgresBinaries,
  identity: Identity | undefined,
  onCreate: () => void,
): Promise<Cluster> {
  if (isEmpty(directory)) {
    onCreate()
    await createCluster(directory, binaries, identity).catch((cause: unknown) => {
      throw new AuthConfigurationError(
        `The embedded Postgres could not be prepared in ${directory}: ${(cause as Error).message}. ` +
          `Set NETSCRIPT_AUTH_DATA_DIR to another directory, ${DATABASE_FIX}`,
        { cause },
      )
    })
  }
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8').trim()
  try {
    const major = read('PG_VERSION')
    if (major === binaries.major) return { directory, password: read(PASSWORD_FILE) }
    throw new AuthConfigurationError(
      `The data in ${directory} is of Postgres ${major} and this is Postgres ${binaries.major}. ` +
        `Move the directory away, set NETSCRIPT_AUTH_DATA_DIR to another one, ${DATABASE_FIX}`,
    )
  } catch (cause) {
    if (cause instanceof AuthConfigurationError) throw cause
    throw new AuthConfigurationError(
      `${directory} is not a data directory that this service made, or is not readable for this user. ` +
        `Set NETSCRIPT_AUTH_DATA_DIR to another one, ${DATABASE_FIX}`,
      { cause },
    )
  }
}

function isEmpty(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

async function createCluster(
  directory: string,
  { initdb }: PostgresBinaries,
  identity: Identity | undefined,
): Promise<void> {
  await mkdir(dirname(directory), { recursive: true })
  const staging = await mkdtemp(`${directory}.new-`)
  try {
    const cluster = join(staging, 'cluster')
    const passwordFile = join(staging, 'password')
    await mkdir(cluster, { mode: 0o700 })
    await writeFile(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 })
    if (identity) {
      for (const path of [staging, cluster, passwordFile]) {
        await chown(path, identity.uid, identity.gid)
      }
    }
    await run(
      initdb,
      [
        ...['-D', clusterArgument(cluster, identity), '-U', 'postgres'],
        ...['--auth=scram-sha-256', '--pwfile=../password', '--encoding=UTF8', '--locale=C'],
        '--no-instructions',
      ],
      { cwd: cluster, env: postgresEnvironment(), ...identity },
    )
    await rename(passwordFile, join(cluster, PASSWORD_FILE))
    await rename(cluster, directory).catch((error: NodeJS.ErrnoException) => {
      // Another process was faster; use its cluster.
      if (!existsSync(join(directory, 'PG_VERSION'))) throw error
    })
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

/**
 * The path of a cluster for a program that runs as `identity` with the cluster as its working directory.
 * When `identity` cannot traverse the parent directories, as under /root, Linux still gives it access to
 * its working directory.
 */
export function clusterArgument(directory: string, identity: Identity | undefined): string {
  return isReachable(directory, identity) ? directory : '/proc/self/cwd'
}

/**
 * A minimal environment: Postgres may run as another OS user, and PG* variables would change its
 * behaviour.
 */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot, TEMP } = process.env
  return { PATH, SystemRoot, TEMP, LC_ALL: 'C' }
}

async function run(
  program: string,
  args: string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; uid?: number; gid?: number },
): Promise<void> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(said.trim())
}
