import pg from 'pg'

/** Connections that one process takes at most, unless it is told otherwise. */
export const POOL_SIZE = 10

/** Options of {@link createPool}. */
export interface PoolOptions {
  /** Connections at most. Default: 10. */
  max?: number
  /** Milliseconds to wait for a connection before the caller gets an error. Default: 2000. */
  connectionTimeoutMs?: number
  /** Milliseconds a query may take before the caller gets an error. Default: 5000. */
  queryTimeoutMs?: number
  /** Told of connections that break while idle. Default: nobody; the next query opens a new one. */
  onIdleError?: (error: Error) => void
}

/**
 * The one pool that Keyv, Prisma and the stores share. An idle connection that breaks is an event
 * on the pool, and without a listener it would end the process.
 */
export function createPool(connectionString: string, options: PoolOptions = {}): pg.Pool {
  const queryTimeoutMs = options.queryTimeoutMs ?? 5_000
  const pool = new pg.Pool({
    connectionString,
    max: options.max ?? POOL_SIZE,
    connectionTimeoutMillis: options.connectionTimeoutMs ?? 2_000,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    application_name: 'netscript-auth',
    options: [
      // Prisma's adapter sends instants without an offset.
      '-c TimeZone=UTC',
      // A query that is given up here must end there too: it would hold its connection, and change
      // rows later.
      `-c statement_timeout=${Math.floor(queryTimeoutMs * SERVER_SHARE)}`,
      // Planning `= ANY` anew for each list of keys costs more than reading the rows.
      '-c plan_cache_mode=force_generic_plan',
      // Every statement here goes by an index. A plan made while a table was empty would read all of
      // it, and be kept until the table is next analyzed.
      '-c enable_seqscan=off',
    ].join(' '),
  })
  pool.on('error', (error) => options.onIdleError?.(error))
  pool.on('release', (error) => {
    if ((error as unknown) instanceof Error && !(error instanceof pg.DatabaseError)) dropIdle(pool)
  })
  return pool
}

/** How much of the time limit the server has, so that it gives up first. */
const SERVER_SHARE = 0.9

/**
 * When one connection broke or fell silent, the idle ones have probably gone the same way, and each
 * would cost somebody a time limit to find out.
 */
function dropIdle(pool: pg.Pool): void {
  for (let idle = pool.idleCount; idle > 0; idle -= 1) {
    pool.connect((_error, _client, release) => release(true))
  }
}
