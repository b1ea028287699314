import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import type { Cluster } from './postgres-cluster.js'

/** An advisory lock in the database `postgres`; the number only has to differ from other uses. */
const OWNER_LOCK = 1_314_210_881
const LOCK_TIMEOUT = '55P03'

/** The data directory belongs to another live process. */
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
 * Whether the server behind `client` has its data in this very directory: it sees a file that was
 * put there a moment ago. A password proves less, because a copied directory has the same one.
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
 * Makes this process the owner for as long as `client` is connected. The server ends the ownership
 * of a process that dies, however it dies, so neither a lock file nor a recycled process id can
 * mislead.
 *
 * @returns False when the server went away meanwhile, as it does when its owner stops it.
 * @throws DirectoryInUseError when another process is the owner.
 */
export async function claimOwnership(client: pg.Client, directory: string): Promise<boolean> {
  try {
    // The server may not have noticed yet that a process was killed.
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
