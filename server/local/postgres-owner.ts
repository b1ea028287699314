import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { AuthConfigurationError } from '../../backends/errors.js'
import type { Cluster } from './postgres-cluster.js'

/** An advisory lock in the database `postgres`; the number only has to differ from other uses. */
const OWNER_LOCK = 1_314_210_881

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
 * @throws AuthConfigurationError when another process is the owner.
 */
export async function claimOwnership(client: pg.Client, directory: string): Promise<void> {
  const { rows } = await client.query<{ claimed: boolean; owner: string | null }>(
    `SELECT pg_try_advisory_lock($1) AS claimed,
       (SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)
        WHERE locktype = 'advisory' AND objid = $1 AND granted LIMIT 1) AS owner`,
    [OWNER_LOCK],
  )
  if (rows[0]?.claimed) return
  await client.end()
  const owner = /\d+$/.exec(rows[0]?.owner ?? '')?.[0]
  throw new AuthConfigurationError(
    `The data directory ${directory} is in use by another process${owner ? ` (${owner})` : ''}. ` +
      `Stop that one, set NETSCRIPT_AUTH_DATA_DIR to another directory, or set DATABASE_URL to use a Postgres of your own.`,
  )
}
