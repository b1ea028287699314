import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { freePort } from './loopback.js'
import type { Identity, PostgresBinaries } from './postgres-binaries.js'
import { type Cluster, clusterArgument, postgresEnvironment } from './postgres-cluster.js'

const POLL_MS = 20
/** Recovery after a crash may take long; a shutdown that exceeds this is forced. */
const START_PATIENCE_MS = 60_000
const STOP_PATIENCE_MS = 20_000
/** Attempts for a start that lost a race for the port or the directory. */
const ATTEMPTS = 5

/** The main process of a running Postgres, and a connection to it. */
interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly client: pg.Client
}

/**
 * Finds the postmaster that already serves the cluster, waiting for one that is starting or stopping. A
 * `postmaster.pid` left by a crash is removed: its process id may have been reused.
 *
 * @throws AuthConfigurationError when a running one refuses the connection.
 */
export async function findPostmaster(cluster: Cluster): Promise<Postmaster | undefined> {
  const { directory } = cluster
  for (const deadline = Date.now() + START_PATIENCE_MS; ; await delay(POLL_MS)) {
    const lock = readLock(directory)
    if (!lock) return undefined
    const client = lock.port
      ? await connectTo(cluster, lock.port).catch(() => undefined)
      : undefined
    if (client) {
      if (await servesDirectory(client, directory).catch(() => false)) return { ...lock, client }
      await client.end().catch(() => {})
    }
    if (!isPostmaster(lock.pid, directory)) {
      rmSync(join(directory, 'postmaster.pid'), { force: true })
      return undefined
    }
    if (Date.now() > deadline) {
      throw new AuthConfigurationError(
        `A Postgres (process ${lock.pid}) uses ${directory} and does not answer. ` +
          `Stop it, set NETSCRIPT_AUTH_DATA_DIR to another directory, or set DATABASE_URL to use a Postgres of your own.`,
      )
    }
  }
}

/** What {@link launchPostmaster} starts. */
interface PostmasterLaunch {
  cluster: Cluster
  binaries: PostgresBinaries
  identity: Identity | undefined
  settings: Readonly<Record<string, string>>
  port: number | undefined
}

/**
 * Starts a postmaster and resolves when it accepts connections. When another process started one for the
 * same cluster at the same time, resolves with that one.
 *
 * @throws AuthConfigurationError with Postgres's message when it does not start.
 */
export async function launchPostmaster(launch: PostmasterLaunch): Promise<Postmaster> {
  const { cluster } = launch
  for (let attempt = 1; ; attempt += 1) {
    const port = launch.port ?? (await freePort())
    const { child, said } = spawnPostmaster(launch, port)
    const client = await answerOf(child, cluster, port)
    if (client && child.pid !== undefined) return { pid: child.pid, port, client }
    const running = /lock file "postmaster.pid"/.test(said())
      ? await findPostmaster(cluster)
      : undefined
    if (running) return running
    const lostRace = /postmaster\.pid|pre-existing shared memory block/.test(said())
    const portTaken = launch.port === undefined && /Address already in use/.test(said())
    if (attempt < ATTEMPTS && (lostRace || portTaken)) continue
    const reason =
      said()
        .match(/(?:FATAL|HINT|could not).*/g)
        ?.join(' ') ?? said().trim()
    throw new AuthConfigurationError(
      `The embedded Postgres did not start: ${reason}. ` +
        `Set NETSCRIPT_AUTH_DATA_DIR to another directory, or set DATABASE_URL to use a Postgres of your own.`,
    )
  }
}

/** Signals the postmaster to shut down without waiting for clients. Safe while the process exits. */
export function signalPostmaster(
  { pid }: Pick<Postmaster, 'pid'>,
  directory: string,
  signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT',
): boolean {
  if (readLock(directory)?.pid !== pid || !isPostmaster(pid, directory)) return false
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** Shuts the postmaster down and resolves when it has stopped. */
export async function stopPostmaster(postmaster: Postmaster, directory: string): Promise<void> {
  signalPostmaster(postmaster, directory)
  let deadline = Date.now() + STOP_PATIENCE_MS
  while (isPostmaster(postmaster.pid, directory)) {
    if (Date.now() > deadline) {
      signalPostmaster(postmaster, directory, 'SIGQUIT')
      deadline = Infinity
    }
    await delay(POLL_MS)
  }
  await postmaster.client.end().catch(() => {})
}

/** Lines 1 and 4 of `postmaster.pid`. Port 0 means that it is not listening yet. */
function readLock(directory: string): { pid: number; port: number } | undefined {
  try {
    const lines = readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n')
    return { pid: Math.abs(Number(lines[0])), port: Number(lines[3] ?? 0) }
  } catch {
    return undefined
  }
}

/** Whether a process is a live postmaster of this directory, which is its working directory. */
function isPostmaster(pid: number, directory: string): boolean {
  try {
    if (process.platform === 'linux') {
      return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(directory)
    }
    if (process.platform === 'win32') return process.kill(pid, 0)
    const command = execFileSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' })
    return command.includes('postgres')
  } catch {
    return false
  }
}

function spawnPostmaster(
  { cluster, binaries, identity, settings }: PostmasterLaunch,
  port: number,
): { child: ChildProcess; said: () => string } {
  const options = Object.entries({ timezone: 'UTC', log_error_verbosity: 'terse', ...settings })
  const child = spawn(
    binaries.postgres,
    [
      ...['-D', clusterArgument(cluster.directory, identity)],
      ...['-h', '127.0.0.1', '-p', String(port), '-k', ''],
      ...options.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    {
      cwd: cluster.directory,
      env: postgresEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
      // Ctrl-C must reach this process only, which then stops Postgres.
      detached: true,
      ...identity,
    },
  )
  let tail = ''
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (tail = (tail + text).slice(-4_000)))
  child.on('error', (error) => (tail += `could not run postgres: ${error.message}`))
  return { child, said: () => tail }
}

/** Resolves with a connection once the child accepts one, or `undefined` once it has exited. */
async function answerOf(
  child: ChildProcess,
  cluster: Cluster,
  port: number,
): Promise<pg.Client | undefined> {
  let ended = false
  const close = once(child, 'close').catch(() => {})
  void close.then(() => (ended = true))
  for (const deadline = Date.now() + START_PATIENCE_MS; !ended;) {
    const client = await connectTo(cluster, port).catch(() => undefined)
    if (client) {
      child.unref()
      ;(child.stderr as Socket | null)?.unref()
      return client
    }
    if (Date.now() > deadline) child.kill('SIGQUIT')
    await Promise.race([close, delay(POLL_MS)])
  }
  return undefined
}

/** Key of an advisory lock in the database `postgres`; any number that no other lock uses. */
const OWNER_LOCK = 1_314_210_881
const LOCK_TIMEOUT = '55P03'

/** Thrown when another live process owns the data directory. */
export class DirectoryInUseError extends AuthConfigurationError {}

/** A connection to the cluster's `postgres` database as its administrator. */
async function connectTo(cluster: Cluster, port: number): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: cluster.password,
    database: 'postgres',
    application_name: `netscript-auth owner ${process.pid}`,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
}

/**
 * Whether the server behind `client` uses this directory: it can see a file that was just created there.
 * The password is no proof, because a copied directory has the same one.
 */
async function servesDirectory(client: pg.Client, directory: string): Promise<boolean> {
  const name = `netscript-auth.probe-${randomUUID()}`
  writeFileSync(join(directory, name), '', { mode: 0o644 })
  try {
    const { rows } = await client.query<{ found: boolean }>(
      'SELECT (pg_stat_file($1, true)).size IS NOT NULL AS found',
      [name],
    )
    return rows[0]?.found === true
  } finally {
    rmSync(join(directory, name), { force: true })
  }
}

/**
 * Makes this process the owner while `client` is connected. The server releases the lock when the process
 * dies, so there is no stale lock file and no recycled process id.
 *
 * @returns `false` when the server stopped meanwhile, for example because its owner stopped it.
 * @throws DirectoryInUseError when another process is the owner.
 */
export async function claimOwnership(client: pg.Client, directory: string): Promise<boolean> {
  try {
    // The server may not have noticed yet that the previous owner was killed.
    await client.query(`SET lock_timeout = '1s'`)
    await client.query('SELECT pg_advisory_lock($1)', [OWNER_LOCK])
    return true
  } catch (error) {
    const owner = await ownerOf(client).catch(() => undefined)
    await client.end().catch(() => {})
    if ((error as Partial<pg.DatabaseError>).code !== LOCK_TIMEOUT) return false
    throw new DirectoryInUseError(
      `The data directory ${directory} is in use by another process${owner ? ` (${owner})` : ''}. ` +
        `Stop that one, set NETSCRIPT_AUTH_DATA_DIR to another directory, or set DATABASE_URL to use a Postgres of your own.`,
    )
  }
}

/** The process id of the owner. */
async function ownerOf(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT application_name AS name FROM pg_stat_activity JOIN pg_locks USING (pid)
     WHERE locktype = 'advisory' AND objid = $1 AND granted`,
    [OWNER_LOCK],
  )
  return /\d+$/.exec(rows[0]?.name ?? '')?.[0]
}
