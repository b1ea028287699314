import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import type { Cluster } from './postgres-cluster.js'

/** Key of an advisory lock in the database `postgres`; any number that no other lock uses. */
const OWNER_LOCK = 1_314_210_881
const LOCK_TIMEOUT = '55P03'

/** Thrown when another live process owns the data directory. */
export class DirectoryInUseError extends AuthConfigurationError {}

/** A connection to the cluster's `postgres` database as its administrator. */
export async function connectTo(cluster: Cluster, port: number): Promise<pg.Client> {
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
export async function servesDirectory(client: pg.Client, directory: string): Promise<boolean> {
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
