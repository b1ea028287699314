import pg from 'pg'

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
  const pool = new pg.Pool({
    connectionString,
    max: options.max ?? 10,
    connectionTimeoutMillis: options.connectionTimeoutMs ?? 2_000,
    query_timeout: options.queryTimeoutMs ?? 5_000,
    keepAlive: true,
    application_name: 'netscript-auth',
    // Prisma's adapter sends instants without an offset, so the session must be in UTC.
    options: '-c TimeZone=UTC',
  })
  pool.on('error', (error) => options.onIdleError?.(error))
  return pool
}
