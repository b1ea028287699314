import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'

const SETTINGS = {
  max_connections: '400',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  // Autovacuum could run during another subject's measurement; tables that are written to are vacuumed
  // before each measurement instead.
  autovacuum: 'off',
}

/** The Postgres of a run, with one database per subject, because statistics are kept per database. */
export async function startDatabases(directory) {
  const { startEmbeddedPostgres } = await import('../dist/local/postgres.js')
  const dataDir = join(directory, 'postgres')
  const postgres = await startEmbeddedPostgres({ dataDir, settings: SETTINGS })
  const urlOf = (database) => {
    const url = new URL(postgres.url)
    url.pathname = `/${database}`
    return url.href
  }
  const admin = await connect(postgres.url)
  const quoted = (name) => `"${name.replaceAll('"', '')}"`
  const { rows } = await admin.query('SELECT version()')

  return {
    urlOf,
    version: /^PostgreSQL [\d.]+/.exec(rows[0].version)?.[0],
    postmasterPid: Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n', 1)[0]),
    settings: SETTINGS,
    /** Creates and fills a database. */
    async create(name, seed, count) {
      await admin.query(`CREATE DATABASE ${quoted(name)}`)
      const client = await connect(urlOf(name))
      const pool = new pg.Pool({ connectionString: urlOf(name), max: 2 })
      try {
        await seed({ client, pool, count })
        await client.query('VACUUM (ANALYZE)')
      } finally {
        await pool.end()
        await client.end()
      }
    },
    /** A database with the same contents. The original must have no connections. */
    copy: (name, original) =>
      admin.query(
        `CREATE DATABASE ${quoted(name)} TEMPLATE ${quoted(original)} STRATEGY FILE_COPY`,
      ),
    checkpoint: () => admin.query('CHECKPOINT'),
    /** Vacuums a subject's table. */
    async vacuum(name, table) {
      const client = await connect(urlOf(name))
      await client.query(`VACUUM ${quoted(table)}`)
      await client.end()
    },
    /** Deletes the rows of some tables and vacuums others too, as autovacuum would in a long run. */
    async tidy(name, { emptied, vacuumed = [] }) {
      const client = await connect(urlOf(name))
      for (const table of emptied) await client.query(`DELETE FROM ${quoted(table)}`)
      await client.query(`VACUUM ${[...emptied, ...vacuumed].map(quoted).join(', ')}`)
      await client.end()
    },
    /**
     * Number of transactions so far; a statement outside a transaction counts as one. Postgres reports
     * with a delay.
     */
    async transactions(name) {
      const { rows: counted } = await admin.query(
        'SELECT (xact_commit + xact_rollback)::float8 AS count FROM pg_stat_database WHERE datname = $1',
        [name],
      )
      return counted[0]?.count
    },
    /** Size of a table with its indexes, in bytes. */
    async sizeOf(name, table) {
      const client = await connect(urlOf(name))
      const { rows: sized } = await client.query(
        'SELECT pg_total_relation_size($1)::float8 AS bytes',
        [table],
      )
      await client.end()
      return sized[0].bytes
    },
    async stop() {
      await admin.end()
      await postgres.stop()
    },
  }
}

async function connect(connectionString) {
  const client = new pg.Client({ connectionString })
  client.on('error', () => {})
  await client.connect()
  return client
}
