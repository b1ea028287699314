import pg from 'pg'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { type Connecting, DatabaseClient, isPooler } from './database-client.js'
import { ignoredSchema, parseDatabaseUrl } from './database-url.js'
import type {
  PostgresConnection,
  PostgresPool,
  PostgresQueryable,
  PostgresResult,
  PostgresStatement,
} from './postgres-pool.js'

/** Default maximum of connections per process. */
export const POOL_SIZE = 10

const CONNECTION_TIMEOUT_MS = 2_000

/** Options of {@link createPool}. */
export interface PoolOptions {
  /** Maximum number of connections. Default: `connection_limit` of the URL, or 10. */
  max?: number
  /**
   * Milliseconds to wait for a connection before the caller gets an error. Default: `connect_timeout` of
   * the URL, or 2000.
   */
  connectionTimeoutMs?: number
  /** Milliseconds a query may take before the caller gets an error. Default: 5000. */
  queryTimeoutMs?: number
  /** Called when a connection breaks while idle. The next query opens a new one. */
  onIdleError?: (error: Error) => void
}

/**
 * Creates the pool that Keyv, Prisma and the stores share. A broken idle connection emits an event
 * on the pool; the pool has a listener, without which the process would crash.
 *
 * No statement may depend on the settings made here for its result: a pooler discards them.
 * POSTGRES.md describes what happens then.
 *
 * @throws AuthConfigurationError when the URL is not a database URL.
 */
export function createPool(url: string, options: PoolOptions = {}): PostgresPool {
  const pool = new DatabasePool(url, options)
  pool.on('error', (error) => options.onIdleError?.(error))
  pool.on('release', (error) => {
    if ((error as unknown) instanceof Error && !(error instanceof pg.DatabaseError)) dropIdle(pool)
  })
  return pool
}

type Lend = NonNullable<Parameters<pg.Pool['connect']>[0]>

class DatabasePool extends pg.Pool {
  readonly #connecting: Connecting
  #connected = false

  constructor(url: string, { max, queryTimeoutMs = 5_000, ...options }: PoolOptions) {
    const address = parseDatabaseUrl(url)
    const connectionTimeoutMs =
      options.connectionTimeoutMs ?? address.connectionTimeoutMs ?? CONNECTION_TIMEOUT_MS
    const connecting: Connecting = { address, queryTimeoutMs, pooled: address.pooled }
    const config = {
      connectionString: address.connectionString,
      max: max ?? address.maxConnections ?? POOL_SIZE,
      connectionTimeoutMillis: connectionTimeoutMs,
      query_timeout: queryTimeoutMs,
      keepAlive: true,
      application_name: 'netscript-auth',
      connecting,
      Client: DatabaseClient,
      onConnect: (client: DatabaseClient) => client.lookForPooler(connectionTimeoutMs),
    }
    super(config as unknown as pg.PoolConfig)
    this.#connecting = connecting
    if (address.pooled) POOLED.set(this, true)
  }

  /** A pooler may reject connections with start-up settings; the next attempt sends none. */
  override connect(lend?: Lend): never {
    if (this.#connected) return super.connect(lend as never) as never
    const client = super.connect().catch((error: unknown) => {
      if (!refusesSettings(error)) throw error
      this.#connecting.pooled = true
      return super.connect()
    })
    client.then(
      () => (this.#connected = true),
      () => {},
    )
    if (!lend) return client as never
    client.then(
      (lent) => lend(undefined, lent, (error) => lent.release(error as Error)),
      (error: Error) => lend(error, undefined, () => {}),
    )
    return undefined as never
  }
}

/**
 * pg ignores `schema` in a URL, so tables would be looked up in the wrong schema.
 *
 * @throws AuthConfigurationError for a pool not made by {@link createPool} whose URL names a
 * schema.
 */
export function assertSchemaIsRead(pool: PostgresPool): void {
  if (pool instanceof DatabasePool) return
  const { connectionString = '', options = '' } = pool.options ?? {}
  const schema = ignoredSchema(connectionString, options)
  if (schema === undefined) return
  const name = /^[a-z_][a-z0-9_]*$/.test(schema) ? schema : pg.escapeIdentifier(schema)
  const setting = encodeURIComponent(`-c search_path=${name.replace(/[\s\\]/g, '\\$&')}`)
  throw new AuthConfigurationError(
    `\`pool\` has schema=${schema} in its URL, which pg ignores. Make the pool with createPool(url), or replace schema= by options=${setting}.`,
  )
}

function refusesSettings(error: unknown): boolean {
  const { code = '', message } = error as pg.DatabaseError
  return ['08P01', '0A000'].includes(code) && /startup param|command-line option/i.test(message)
}

const POOLED = new WeakMap<PostgresPool, boolean>()

/**
 * Whether a pooler shares connections between transactions, for any pool. Session poolers are
 * reported as well.
 */
export async function isPooled(pool: PostgresPool): Promise<boolean> {
  const known = POOLED.get(pool)
  if (known !== undefined) return known
  const told = /[?&]pgbouncer=true(&|$)/.test(pool.options?.connectionString ?? '')
  const pooled = told || (await hasPooler(pool))
  POOLED.set(pool, pooled)
  return pooled
}

async function hasPooler(pool: PostgresPool): Promise<boolean> {
  const client = await pool.connect()
  try {
    const found = await isPooler(client)
    client.release()
    return found
  } catch (error) {
    client.release(true)
    throw error
  }
}

/**
 * Runs a statement that Postgres prepares once per connection. Behind a pooler it is unnamed: the
 * next connection may not have it, or have another statement under that name.
 */
export async function queryPrepared<Row extends object>(
  pool: PostgresPool,
  statement: PostgresStatement & { name: string },
): Promise<PostgresResult<Row>> {
  const { name, ...unnamed } = statement
  return pool.query<Row>((await isPooled(pool)) ? unnamed : { ...unnamed, name })
}

/**
 * When one connection breaks or stops responding, the idle ones probably did too, and each would
 * cost a caller a full timeout.
 */
function dropIdle(pool: pg.Pool): void {
  for (let idle = pool.idleCount; idle > 0; idle -= 1) {
    pool.connect((_error, _client, release) => release(true))
  }
}

const ignore = (): void => undefined

/**
 * Runs `work` in a transaction on a dedicated connection. If it throws, the connection is closed,
 * which rolls back.
 */
export async function inTransaction<T>(
  pool: PostgresPool,
  work: (connection: PostgresConnection) => Promise<T>,
): Promise<T> {
  const connection = await pool.connect()
  // Without a listener, a connection that breaks between two statements would crash the process.
  connection.on('error', ignore)
  let broken: Error | undefined
  try {
    await connection.query('BEGIN')
    const result = await work(connection)
    await connection.query('COMMIT')
    return result
  } catch (error) {
    broken = error as Error
    throw error
  } finally {
    connection.off('error', ignore)
    connection.release(broken)
  }
}

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
