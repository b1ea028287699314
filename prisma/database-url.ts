import pg from 'pg'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'

/**
 * A parsed database URL, without the parameters through which pg would override the pool's
 * settings.
 */
export interface DatabaseAddress {
  /** The URL without the parameters that are handled here. */
  readonly connectionString: string
  /**
   * Postgres settings from `options`, `schema` and similar parameters, by name; the last one wins.
   */
  readonly settings: ReadonlyMap<string, string>
  /** Words in `options` that are not settings. */
  readonly otherOptions: readonly string[]
  /** Whether `pgbouncer=true` declares a transaction pooler. */
  readonly pooled: boolean
  /** Maximum connections per process, from `connection_limit`. */
  readonly maxConnections?: number
  /** Milliseconds to wait for a connection, from `connect_timeout`. */
  readonly connectionTimeoutMs?: number
  /** Host and database, without credentials. */
  readonly description: string
}

/** Settings that pg accepts as separate URL parameters. */
const SETTINGS = ['lock_timeout', 'idle_in_transaction_session_timeout']

/**
 * Parameters withheld from pg: those handled here, and those that would replace the pool's time
 * limits or change the protocol.
 */
const NOT_FOR_PG = new Set([
  ...SETTINGS,
  ...['options', 'schema', 'pgbouncer', 'connect_timeout', 'statement_timeout', 'query_timeout'],
  ...['binary', 'client_encoding', 'replication', 'types'],
])

/** pg treats these as verify-full and prints a ten-line warning about it. */
const SAME_AS_VERIFY_FULL = new Set(['prefer', 'require', 'verify-ca'])

/**
 * Parses a database URL: pg's parameters, plus Prisma's `schema`, `pgbouncer` and
 * `connection_limit`, and libpq's `connect_timeout`.
 *
 * @param name The variable or option that holds the URL.
 * @throws AuthConfigurationError with that name and the fix. It never contains a password.
 */
export function parseDatabaseUrl(url: string, name = 'DATABASE_URL'): DatabaseAddress {
  const problem = databaseUrlProblem(url)
  if (problem !== undefined) throw new AuthConfigurationError(`${name} ${problem}.`)
  const { base, query } = split(url)
  const parameters = new URLSearchParams(query)
  const connectionString = forPg(base, parameters)
  const { host, port, database } = new pg.Client({ connectionString })
  const schema = parameters.get('schema') || undefined
  const options = readOptions(parameters.get('options') ?? process.env.PGOPTIONS ?? '')
  const settings = new Map(options.settings)
  for (const setting of SETTINGS) {
    const value = parameters.get(setting)
    if (value) settings.set(setting, value)
  }
  // Every connection sets a DateStyle that can be parsed.
  settings.delete('datestyle')
  if (schema !== undefined) settings.set('search_path', pg.escapeIdentifier(schema))
  return {
    connectionString,
    settings,
    otherOptions: options.others,
    pooled: parameters.get('pgbouncer') === 'true',
    ...(parameters.has('connection_limit') && {
      maxConnections: Number(parameters.get('connection_limit')),
    }),
    ...(parameters.has('connect_timeout') && {
      connectionTimeoutMs: Number(parameters.get('connect_timeout')) * 1000,
    }),
    description: `the database ${database ?? ''} at ${host}:${port}`,
  }
}

/** What is wrong with a database URL and how to fix it; `undefined` when pg can use it. */
export function databaseUrlProblem(url: string): string | undefined {
  if (!/^postgres(ql)?:\/\//.test(url)) return 'must begin with postgres:// or postgresql://'
  const { base, query, hash } = split(url)
  const [, authority = '', path = ''] = /^\w+:\/\/([^/]*)(.*)$/s.exec(base) ?? []
  const at = authority.lastIndexOf('@')
  const hosts = authority.slice(at + 1)
  const parameters = new URLSearchParams(query)
  // The authority ends at the first of / ? and #, so look for the rest of a password after it.
  const cut =
    hash ||
    path.includes('@') ||
    [...parameters.keys()].some((parameter) => parameter.includes('@'))
  if (cut || (at < 0 && /:(?!\d*$)/.test(hosts) && !/[,[\]]/.test(hosts))) return ENCODE
  if (hosts.includes(',') || parameters.get('host')?.includes(',')) {
    return 'names several hosts. Write one: the primary, or a name or proxy that leads to it'
  }
  const limit = parameters.get('connection_limit')
  if (limit !== null && !/^[1-9]\d{0,2}$/.test(limit)) {
    return 'has a connection_limit that is not a number from 1 to 999'
  }
  const timeout = parameters.get('connect_timeout')
  if (timeout !== null && !/^([1-9]|[1-5]\d|60)$/.test(timeout)) {
    return 'has a connect_timeout that is not a number of seconds from 1 to 60'
  }
  // Names that other drivers use for this setting and that pg ignores.
  const foreign = ['search_path', 'currentSchema'].find((name) => parameters.has(name))
  if (foreign !== undefined) {
    return `has ${foreign}=, which is not read. Write schema=${parameters.get(foreign)} to name the schema of the tables`
  }
  for (const name of parameters.keys()) {
    const meant = READ.find((one) => one !== name && plain(one) === plain(name))
    if (meant !== undefined) return `has ${name}=, which is not read. Write ${meant}=`
  }
  try {
    new pg.Client({ connectionString: forPg(base, parameters) })
    return undefined
  } catch (error) {
    if (error instanceof URIError) return ENCODE
    const { code, path: file } = error as NodeJS.ErrnoException
    if (file === undefined)
      return `is not a valid URL. Write postgresql://user:password@host:5432/database; it ${ENCODE}`
    return `names the file ${file}, which cannot be read (${code}). Correct sslrootcert, sslcert or sslkey`
  }
}

/** Parameters that decide where and how to connect. pg ignores misspelled ones. */
const READ = [
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'schema',
  'pgbouncer',
  'connection_limit',
  'connect_timeout',
  'options',
]

const plain = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, '')

const ENCODE =
  'has a user or password with special characters. Percent-encode them: # is %23, / is %2F, ? is %3F, @ is %40, : is %3A and % is %25'

/**
 * A schema in the URL that pg alone would ignore because there is no `search_path`. `public`, which
 * Prisma adds to every URL, is pg's default anyway.
 */
export function ignoredSchema(url: string, options: string): string | undefined {
  const parameters = new URLSearchParams(split(url).query)
  const schema = parameters.get('schema') || undefined
  if (schema === 'public') return undefined
  const all = `${options} ${parameters.get('options') ?? process.env.PGOPTIONS ?? ''}`
  return readOptions(all).settings.some(([name]) => name === 'search_path') ? undefined : schema
}

/** The URL for the Prisma CLI, which uses `public` when no schema is given. */
export function withSchema(url: string, schema: string | undefined): string {
  if (schema === undefined || schema === 'public') return url
  const { base, query } = split(url)
  const parameters = new URLSearchParams(query)
  parameters.set('schema', schema)
  return `${base}?${encoded(parameters)}`
}

/** Splits at the same places as pg, which escapes spaces and stray percent signs. */
function split(url: string): { base: string; query: string; hash: boolean } {
  const [address = '', ...hash] = url.split('#')
  const [base = '', ...query] = address.split('?')
  return { base, query: query.join('?'), hash: hash.length > 0 }
}

function forPg(base: string, parameters: URLSearchParams): string {
  const kept = new URLSearchParams(parameters)
  for (const parameter of NOT_FOR_PG) kept.delete(parameter)
  if (kept.get('uselibpqcompat') !== 'true' && SAME_AS_VERIFY_FULL.has(kept.get('sslmode') ?? '')) {
    kept.set('sslmode', 'verify-full')
  }
  return kept.size > 0 ? `${base}?${encoded(kept)}` : base
}

/** URL parsers disagree on whether a plus sign is a space. */
function encoded(parameters: URLSearchParams): string {
  return parameters.toString().replaceAll('+', '%20')
}

/**
 * Splits Postgres command-line options into settings (`-c name=value`, `--name=value`) and the
 * rest: some hosts route by a word such as `endpoint=name`.
 */
function readOptions(options: string): { settings: [string, string][]; others: string[] } {
  const words = options.match(/(?:\\.|[^\s\\])+/gs) ?? []
  const settings: [string, string][] = []
  const others: string[] = []
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ''
    const text = word === '-c' ? words[(at += 1)] : /^(?:-c|--)(.+)$/s.exec(word)?.[1]
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text?.replace(/\\(.)/gs, '$1') ?? '') ?? []
    if (name === undefined || value === undefined) {
      others.push(...(word === '-c' && text !== undefined ? [word, text] : [word]))
    } else settings.push([name.replaceAll('-', '_').toLowerCase(), value])
  }
  return { settings, others }
}
