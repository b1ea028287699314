import pg from 'pg'
import { inject, vi } from 'vitest'
import type { PostgresPool } from '@netscript/auth-database'

/**
 * Makes a database unreachable: open connections break and new ones are refused. Returns a function
 * that restores it.
 */
export async function takeDatabaseAway(pool: PostgresPool): Promise<() => Promise<void>> {
  const { rows } = await pool.query<{ name: string }>('SELECT current_database() AS name')
  const name = rows[0]?.name ?? ''
  await administer(async (client) => {
    await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
      [name],
    )
  })
  // A broken connection that the pool has not noticed yet would fail after the outage.
  await vi.waitUntil(() => pool.totalCount === 0, { interval: 5, timeout: 10_000 })
  return () =>
    administer(async (client) => {
      await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
    })
}

async function administer(work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') })
  client.on('error', () => {})
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
