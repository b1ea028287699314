import pg from 'pg'
import type { PostgresQueryable } from './postgres-pool.js'

const OURS = `(SELECT nspname FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid
  WHERE pg_class.oid = to_regclass('auth_keyv'))`

/**
 * The schema of the tables: where `search_path` finds them, else where it would create them.
 * `undefined` when none of its schemas exists.
 */
export async function tableSchema(client: PostgresQueryable): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string | null }>(
    `SELECT coalesce(${OURS}, current_schema())::text AS name`,
  )
  return rows[0]?.name ?? undefined
}

/** {@link tableSchema}, or the first schema named by `search_path` when none of them is usable. */
export async function namedSchema(client: PostgresQueryable): Promise<string> {
  return (await tableSchema(client)) ?? firstOf(await searchPath(client))
}

async function searchPath(client: PostgresQueryable): Promise<string> {
  const { rows } = await client.query<{ path: string }>(
    `SELECT current_setting('search_path') AS path`,
  )
  return rows[0]?.path ?? ''
}

/**
 * Puts {@link tableSchema} first in `search_path` until the transaction ends. Creates the first
 * named schema if none exists.
 */
export async function claimSchema(client: PostgresQueryable): Promise<string> {
  const found = await tableSchema(client)
  const path = await searchPath(client)
  const schema = found ?? firstOf(path)
  const name = pg.escapeIdentifier(schema)
  if (found === undefined) await client.query(`CREATE SCHEMA IF NOT EXISTS ${name}`)
  await client.query(`SELECT set_config('search_path', $1, true)`, [
    [name, path].filter((part) => part.trim() !== '').join(', '),
  ])
  return schema
}

/** The first schema named by a `search_path`; an entry `"$user"` need not exist. */
function firstOf(path: string): string {
  for (const [, quoted, plain] of path.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)) {
    const name = quoted?.replaceAll('""', '"') ?? plain?.toLowerCase() ?? ''
    if (name !== '$user' && name !== '') return name
  }
  return 'public'
}
