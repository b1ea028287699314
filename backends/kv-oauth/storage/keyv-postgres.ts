import KeyvPostgres from '@keyv/postgres'
import Keyv from 'keyv'
import type { PostgresPool } from '@netscript/auth-database'
import { queryPrepared } from '@netscript/auth-database/internal'
import { coalesceReads } from './coalesced-reads.js'

/** The table of Keyv. A migration creates it, with generated columns over the JSON. */
export const KEYV_TABLE = 'auth_keyv'

/** The clock of the database, in milliseconds: the only clock that decides expiry. */
export const DATABASE_NOW_MS = `(extract(epoch from statement_timestamp()) * 1000)::bigint`

/**
 * SQL that deletes the entries matching a condition and returns their values. Rows are locked in the
 * order of their keys, so that two of these statements cannot deadlock.
 */
export const deleteEntries = (condition: string): string =>
  `DELETE FROM ${KEYV_TABLE} WHERE key = ANY(ARRAY(
    SELECT key FROM ${KEYV_TABLE} WHERE ${condition} ORDER BY key FOR UPDATE)) RETURNING value`

const READ = `SELECT key, value FROM ${KEYV_TABLE} WHERE key = ANY($1) AND expires_at > ${DATABASE_NOW_MS}`

/** @keyv/postgres on the shared pool, with batched reads and atomic deletes. */
class SharedPoolKeyvPostgres extends KeyvPostgres {
  readonly #read: (key: string) => Promise<string | undefined>

  constructor({ pool, onRead }: PostgresKeyvOptions) {
    super({ table: KEYV_TABLE })
    this.query = async (sql, values) => (await pool.query(sql, values as unknown[])).rows
    this.#read = coalesceReads(async (keys) => {
      const began = performance.now()
      try {
        const { rows } = await queryPrepared<{ key: string; value: string }>(pool, {
          name: 'auth_keyv_read',
          text: READ,
          values: [keys],
        })
        return new Map(rows.map((row) => [row.key, row.value]))
      } finally {
        onRead?.(keys.length, (performance.now() - began) / 1000)
      }
    })
  }

  /** Does nothing: the base class would open a pool of its own and create the table. */
  override connect(): Promise<() => Promise<never[]>> {
    return Promise.resolve(() => Promise.resolve([]))
  }

  /** Does nothing: the creator of the pool closes it. */
  override async disconnect(): Promise<void> {}

  override async get<Value>(key: string): Promise<Value | undefined> {
    return (await this.#read(key)) as Value | undefined
  }
}

/** Options of {@link createPostgresKeyv}. */
export interface PostgresKeyvOptions {
  pool: PostgresPool
  /** The prefix of keys, without the colon. */
  namespace: string
  /** Called after each read query with its number of keys and its duration. @default none */
  onRead?: (keys: number, seconds: number) => void
}

/**
 * Creates a Keyv on the shared pool that throws when the database fails. The expiry is hidden from
 * Keyv, which would judge it by the clock of this process and delete entries on read.
 */
export function createPostgresKeyv<Value>(options: PostgresKeyvOptions): Keyv<Value> {
  const keyv = new Keyv<Value>({
    store: new SharedPoolKeyvPostgres(options),
    namespace: options.namespace,
    throwOnErrors: true,
    emitErrors: false,
    deserialize: <T>(text: string) => ({ value: (JSON.parse(text) as { value: T }).value }),
  })
  return keyv
}

/**
 * A common table expression that lets its statement commit without waiting for the flush to disk. Only
 * for statements that a later commit of the same sign-in follows: the write-ahead log is flushed in
 * order, so that commit makes this one durable too, and a crash before it loses nothing that was
 * acknowledged. The expression must be joined, or it is not evaluated.
 */
export const LAZILY = lazilyIf('true')

/** Like {@link LAZILY} if an SQL condition holds; otherwise the commit waits for the flush. */
export function lazilyIf(condition: string): string {
  return `lazily AS MATERIALIZED (SELECT set_config('synchronous_commit',
    CASE WHEN ${condition} THEN 'off' ELSE current_setting('synchronous_commit') END, true))`
}
