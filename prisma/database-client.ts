import pg from 'pg'
import type { DatabaseAddress } from './database-url.js'
import type { PostgresQueryable, PostgresStatement } from './postgres-pool.js'

/** State shared by the connections of a pool. */
export interface Connecting {
  readonly address: DatabaseAddress
  readonly queryTimeoutMs: number
  /** Whether a pooler shares connections between transactions. Set once one is detected. */
  pooled: boolean
}

type Connected = (error: Error | null, client: pg.Client) => void
type Done = (error: Error | undefined, result?: pg.QueryResult) => void

/** The server's share of the time limit, so that the server gives up before the client. */
const SERVER_SHARE = 0.9
/** Time allowed for a cancel request before the connection is dropped, in milliseconds. */
const CANCEL_TIMEOUT_MS = 1_000

/**
 * A connection that works behind a transaction pooler, where session state is lost: settings from
 * the URL are applied per transaction, and the client cancels statements that time out.
 */
export class DatabaseClient extends pg.Client {
  readonly #connecting: Connecting
  readonly #config: pg.ClientConfig
  #last: Promise<unknown> = Promise.resolve()

  constructor(config: pg.ClientConfig & { connecting: Connecting }) {
    super(config)
    this.#config = config
    this.#connecting = config.connecting
    // Set explicitly; otherwise pg falls back to PGOPTIONS when the URL has no options.
    const { connectionParameters } = this as unknown as {
      connectionParameters: { options: string | undefined }
    }
    connectionParameters.options = startUpOptions(config.connecting)
  }

  /**
   * Called by pg. Timestamps are parsed in the ISO style. DateStyle is sent as a start-up parameter
   * rather than in `options`, because poolers track it per client.
   */
  getStartupConf(): object {
    const base = pg.Client.prototype as unknown as { getStartupConf(): object }
    return { ...base.getStartupConf.call(this), DateStyle: 'ISO' }
  }

  /**
   * When pg gives up on connecting it leaves the socket open, and the server waits for a minute.
   */
  override connect(done?: unknown): never {
    const connect = (tell: Connected): void =>
      super.connect((error: Error | null) => {
        if (error) this.connection.stream.destroy()
        tell(error, this)
      })
    if (typeof done === 'function') return connect(done as Connected) as never
    return new Promise<pg.Client>((resolve, reject) => {
      connect((error) => (error ? reject(error) : resolve(this)))
    }) as never
  }

  /** Detects a pooler that accepts start-up settings and discards them. */
  async lookForPooler(timeoutMs: number): Promise<void> {
    if (!this.#connecting.pooled && (await isPooler(this, timeoutMs)))
      this.#connecting.pooled = true
  }

  override query(config: unknown, values?: unknown, callback?: unknown): never {
    const { pooled, address } = this.#connecting
    const submits = typeof (config as { submit?: unknown }).submit === 'function'
    if (!pooled || submits)
      return super.query(config as string, values as [], callback as never) as never
    const statement: PostgresStatement =
      typeof config === 'string' ? { text: config } : { ...(config as PostgresStatement) }
    if (Array.isArray(values)) statement.values = values
    const result = address.settings.size > 0 ? this.#inTurn(statement) : this.#send(statement)
    const done = [values, callback].find((value): value is Done => typeof value === 'function')
    if (!done) return result as never
    result.then((rows) => done(undefined, rows), done)
    return undefined as never
  }

  /** Holds the next statement until this one has left its transaction. */
  #inTurn(statement: PostgresStatement): Promise<pg.QueryResult> {
    const result = this.#last.then(() => this.#withSettings(statement))
    this.#last = result.catch(() => undefined)
    return result
  }

  async #withSettings(statement: PostgresStatement): Promise<pg.QueryResult> {
    if (this.getTransactionStatus() !== 'I') return this.#send(statement)
    const { settings } = this.#connecting.address
    const set = [...settings].map(
      ([name, value]) => `set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)}, true)`,
    )
    const applySettings = `SELECT ${set.join(', ')}`
    if (/^\s*(BEGIN|START\s+TRANSACTION)\b/i.test(statement.text)) {
      const begun = await this.#send(statement)
      await this.#send({ text: applySettings })
      return begun
    }
    await this.#send({ text: `BEGIN; ${applySettings}` })
    try {
      const result = await this.#send(statement)
      await this.#send({ text: 'COMMIT' })
      return result
    } catch (error) {
      if (error instanceof pg.DatabaseError) await this.#send({ text: 'ROLLBACK' })
      throw error
    }
  }

  async #send(statement: PostgresStatement): Promise<pg.QueryResult> {
    const limitMs = statement.query_timeout ?? this.#connecting.queryTimeoutMs
    const timer = setTimeout(() => cancel(this, this.#config), limitMs * SERVER_SHARE)
    try {
      return await super.query({
        ...statement,
        query_timeout: limitMs + CANCEL_TIMEOUT_MS,
      } as PostgresStatement)
    } finally {
      clearTimeout(timer)
    }
  }
}

/**
 * Start-up settings, with the product's own last. None of them changes the result of a statement.
 */
function startUpOptions({ address, pooled, queryTimeoutMs }: Connecting): string | undefined {
  const ours: [string, string][] = [
    // A timed-out query must also end on the server: otherwise it keeps its connection and may
    // change rows later.
    ['statement_timeout', String(Math.floor(queryTimeoutMs * SERVER_SHARE))],
    // Planning `= ANY` for each list of keys costs more than reading the rows.
    ['plan_cache_mode', 'force_generic_plan'],
    // Every statement uses an index. A plan made for an empty table would scan it sequentially, and
    // stay cached until the table is next analyzed.
    ['enable_seqscan', 'off'],
  ]
  const settings = pooled ? [] : [...address.settings, ...ours]
  const words = settings.map(([name, value]) => `-c ${name}=${value.replace(/[\s\\]/g, '\\$&')}`)
  return [...address.otherOptions, ...words].join(' ') || undefined
}

/**
 * Whether a pooler sits in front of Postgres: the backend process that answers is not the one that
 * the start-up message named.
 */
export async function isPooler(client: PostgresQueryable, timeoutMs?: number): Promise<boolean> {
  const { processID } = client as unknown as { processID: number }
  const { rows } = await client.query<{ pid: number }>({
    text: 'SELECT pg_backend_pid() AS pid',
    ...(timeoutMs !== undefined && { query_timeout: timeoutMs }),
  })
  return rows[0]?.pid !== processID
}

/** Members of pg's connection that its types omit. */
interface Wire extends pg.Connection {
  connect(port: number | string, host?: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: number): void
}

/**
 * Asks the server, over a separate connection, to cancel the statement that `client` is waiting
 * for.
 */
function cancel(client: pg.Client, config: pg.ClientConfig): void {
  const { processID, secretKey, sslNegotiation } = client as unknown as {
    processID: number
    secretKey: number
    sslNegotiation: string
  }
  const wire = new pg.Client(config).connection as Wire
  const ask = (): void => wire.cancel(processID, secretKey)
  // If the cancel request fails, the caller's time limit ends the connection.
  const giveUp = (): unknown => wire.stream.destroy()
  const timer = setTimeout(giveUp, CANCEL_TIMEOUT_MS)
  wire.on('error', giveUp).on('end', () => clearTimeout(timer))
  if (!client.ssl) wire.on('connect', ask)
  else {
    wire.on('sslconnect', ask)
    if (sslNegotiation !== 'direct') wire.on('connect', () => wire.requestSsl())
  }
  if (client.host.startsWith('/')) wire.connect(`${client.host}/.s.PGSQL.${client.port}`)
  else wire.connect(client.port, client.host)
}
