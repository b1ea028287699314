/** A statement with its parameters. Postgres prepares one with a `name` once per connection. */
export interface PostgresStatement {
  text: string
  values?: unknown[]
  name?: string
  /** Milliseconds. Overrides the pool's limit. */
  query_timeout?: number
}

/** What a statement returned. */
export interface PostgresResult<Row> {
  readonly rows: Row[]
  /** Rows returned or changed; null for statements without rows. */
  readonly rowCount: number | null
}

/** Runs statements: a pool, or a connection. */
export interface PostgresQueryable {
  query<Row extends object = Record<string, unknown>>(
    statement: string | PostgresStatement,
    values?: unknown[],
  ): Promise<PostgresResult<Row>>
}

/** A connection lent by a {@link PostgresPool}. */
export interface PostgresConnection extends PostgresQueryable {
  /** Returns the connection to the pool, which closes it after an error or `true`. */
  release(error?: Error | boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * A connection pool: `pg.Pool` of any version 8. It is described by the members in use, so that
 * the types of this package need neither `@types/pg` nor `@types/node`.
 */
export interface PostgresPool extends PostgresQueryable {
  /** Lends a connection until it is released. */
  connect(): Promise<PostgresConnection>
  /** Closes the pool once every connection is released. */
  end(): Promise<void>
  readonly ended?: boolean
  readonly totalCount: number
  readonly idleCount: number
  /** Callers that wait for a connection. */
  readonly waitingCount: number
  /** The settings it was created with. */
  readonly options?: {
    readonly connectionString?: string | undefined
    readonly options?: string | undefined
  }
}
