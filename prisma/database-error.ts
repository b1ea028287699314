import type { PostgresPool } from './postgres-pool.js'
import { MigrationError } from './migrate.js'
import { AuthConfigurationError, AuthError } from '@netscript/plugin-auth-core'
import { networkReason } from '@netscript/plugin-auth-core/internal'

/** SQLSTATE: five digits and capitals. Requiring a digit excludes socket errors such as EPIPE. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/
const PRISMA_CODE = /^P[12]\d{3}$/

/** What Postgres or Prisma reported, found anywhere in the cause chain of an error. */
interface Statement {
  /** The SQLSTATE. */
  readonly state?: string
  /** Prisma's code. */
  readonly prismaCode?: string
  /** The server's message, which holds no query values. */
  readonly message: string
}

/**
 * SQLSTATE classes that are transient or end with a repair of the server or network: connections,
 * resources, operator intervention, conflicts, credentials, a standby. All others, such as a
 * missing table, fail the same way on retry.
 */
const PASSING = /^(08|25006|28|3D|40|53|55|57|58|XX)/
/** Programming errors, or entries that cannot be decoded. */
const FAULTS: ReadonlySet<string> = new Set([
  ...['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'],
  'PrismaClientValidationError',
])
/**
 * Redis errors that fail the same way on retry: a missing privilege, or an entry of another type.
 */
const REDIS_FAULT = /^(NOPERM|WRONGTYPE|CROSSSLOT|ERR unknown command)\b/
/** Prisma's codes for a missing connection. */
const NO_CONNECTION = /^(P1\d{3}|P2024|P2028)$/

/** Whether the database or Redis is unavailable, as opposed to rejecting the statement. */
export function isUnavailable(error: unknown): boolean {
  const { state, prismaCode } = statementOf(error)
  if (state !== undefined) return PASSING.test(state)
  if (prismaCode !== undefined) return NO_CONNECTION.test(prismaCode)
  return !causesOf(error).some(({ name, message }) => FAULTS.has(name) || REDIS_FAULT.test(message))
}

/**
 * The error of a store: `STORE_UNAVAILABLE` while the database is unavailable, `INTERNAL` when it
 * rejects a statement; the log then has the fix.
 *
 * @param cause Logged as the cause. Default: the error itself.
 */
export function storeError(
  error: unknown,
  detail = 'The database is unavailable. Try again in a moment.',
  cause = error,
): AuthError<'STORE_UNAVAILABLE' | 'INTERNAL'> {
  if (isUnavailable(error)) return new AuthError('STORE_UNAVAILABLE', detail, { cause })
  const { what, fix } = databaseReason(error, 'the database URL')
  return new AuthError('INTERNAL', 'Try again; if it stays, report the request id.', {
    cause: statementOf(error).state ? new Error(`The database: ${what}. ${fix}`, { cause }) : cause,
  })
}

/**
 * Runs a store operation in the database.
 * @throws AuthError `STORE_UNAVAILABLE` when the database is unavailable, `INTERNAL` when it
 * rejects the statement. The reason is kept as `cause` for the log.
 */
export async function storeCall<T>(operation: () => Promise<T>, detail?: string): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    if (error instanceof AuthError) throw error
    throw storeError(error, detail)
  }
}

/** Like {@link storeCall}, for a store in Redis, which may also need the database. */
export const redisCall = <T>(operation: () => Promise<T>): Promise<T> =>
  storeCall(operation, 'The session store is unavailable. Try again in a moment.')

/**
 * Resolves when the database is reachable and has the tables. Reads only.
 *
 * @param name The variable or option that names the database, such as `DATABASE_URL`.
 * @throws AuthConfigurationError with that name, the reason and the fix.
 */
export async function checkTables(
  pool: PostgresPool,
  tables: readonly string[],
  name: string,
): Promise<void> {
  try {
    await pool.query(`SELECT FROM ${tables.join(', ')} LIMIT 0`)
  } catch (error) {
    throw databaseStartError(error, name)
  }
}

/**
 * The error of a start that fails because of the database. An existing AuthConfigurationError is
 * returned as is.
 *
 * @param database Host and name of the database, if they are not obvious.
 */
export function databaseStartError(error: unknown, name: string, database?: string): Error {
  if (error instanceof AuthConfigurationError || error instanceof MigrationError) return error
  const { what, fix } = databaseReason(error, name)
  const where = database === undefined ? name : `${name} (${database})`
  return new AuthConfigurationError(`${where}: ${what}. ${fix}`, { cause: error })
}

/** Whether the error comes from Postgres or Prisma itself. */
export function isFromDatabase(error: unknown): boolean {
  const { state, prismaCode } = statementOf(error)
  return state !== undefined || prismaCode !== undefined
}

/** What is wrong with a database and how to fix it, for operators. Contains no password. */
export function databaseReason(error: unknown, name: string): { what: string; fix: string } {
  const { state, prismaCode, message } = statementOf(error)
  const code = state ?? prismaCode
  if (code !== undefined) {
    const [, reason] = REASONS.find(([pattern]) => pattern.test(code)) ?? []
    const [what, fix] = reason?.(name, message) ?? [
      `Postgres says: ${message} (${code})`,
      `Correct ${name}, or what Postgres complains about.`,
    ]
    return { what, fix }
  }
  for (const [pattern, reason] of CONNECTION_REASONS) {
    if (!pattern.test(`${codeOf(error)} ${(error as Error).message} ${message}`)) continue
    const [what, fix] = reason(name, codeOf(error))
    return { what, fix }
  }
  const { what, fix } = networkReason(error)
  return { what, fix }
}

type Reason = (name: string, said: string) => [what: string, fix: string]

const REASONS: readonly (readonly [RegExp, Reason])[] = [
  [
    /^28P01/,
    (name) => [
      'the user or the password is wrong',
      `Correct the user and the password in ${name}. Special characters in them are percent-encoded: # is %23, / is %2F, ? is %3F, @ is %40 and % is %25.`,
    ],
  ],
  [
    /^28/,
    (name, said) => [
      `Postgres does not admit the connection (${said})`,
      `Correct the user and the database in ${name}, add sslmode=require to it if the server wants TLS, or admit the connection in pg_hba.conf.`,
    ],
  ],
  [/^3D/, (name) => ['the database does not exist', `Create it, or correct its name in ${name}.`]],
  [
    /^3F/,
    (name) => [
      'there is no schema for the tables',
      `Create the schema that search_path of the role names, or add schema=public to ${name}.`,
    ],
  ],
  [/^42501/, notAllowed],
  [
    /^(42P01|42703|42883|P2021|P2022)/,
    (_name, said) => [
      `tables are missing or of another version (${said})`,
      'Run "netscript db migrate" on this database. If its tables are in another schema, name it with schema= in the URL or with search_path of the role.',
    ],
  ],
  [
    /^25006/,
    (name) => [
      'it takes no changes: it is a standby, or set to read only',
      `Point ${name} at the primary.`,
    ],
  ],
  [
    /^(26000|42P05)/,
    (name) => [
      'prepared statements are lost between here and Postgres, as a connection pooler loses them',
      `Add pgbouncer=true to ${name}.`,
    ],
  ],
  [
    /^53300/,
    () => [
      'it has no connection left',
      'Raise max_connections (or the limit of the role or database), or run fewer processes.',
    ],
  ],
  [/^53/, (_name, said) => [`it is out of resources (${said})`, 'Give it disk space or memory.']],
  [
    /^57P0[1-5]/,
    (_name, said) => [`it is starting or stopping (${said})`, 'Try again when it has started.'],
  ],
  [
    /^08/,
    (name, said) => [
      `the server or a pooler refuses the connection (${said})`,
      `Correct the database and the user in ${name}, or add them to the pooler.`,
    ],
  ],
]

function notAllowed(name: string, said: string): [string, string] {
  const [, kind, object = ''] = /permission denied for (schema|database) (\S+)/.exec(said) ?? []
  const allowed =
    kind === 'schema'
      ? `As its owner run: GRANT USAGE, CREATE ON SCHEMA ${object} TO the user of ${name}. Or give it a schema of its own, with CREATE SCHEMA auth AUTHORIZATION and the user, and add schema=auth to ${name}.`
      : kind === 'database'
        ? `Create the schema beforehand, or as the owner run: GRANT CREATE ON DATABASE ${object} TO the user of ${name}.`
        : `As the owner of the tables run: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA, GRANT USAGE ON ALL SEQUENCES IN SCHEMA. Migrations need the owner itself.`
  return [`the user may not do that (${said})`, allowed]
}

const CONNECTION_REASONS: readonly (readonly [RegExp, Reason])[] = [
  [
    /timeout|ETIMEDOUT/i,
    (name) => [
      'it does not respond in time',
      `Look at firewalls and poolers on the way, and at the host and port in ${name}.`,
    ],
  ],
  [
    /password must be a string|no password/i,
    (name) => ['the server asks for a password', `Add the password to ${name}.`],
  ],
  [
    /does not support SSL/i,
    (name) => [
      'the server has no TLS',
      `Remove sslmode from ${name}, or turn on TLS at the server.`,
    ],
  ],
  [
    /ERR_TLS_CERT_ALTNAME/,
    (name) => [
      'its certificate is for another host name',
      `Write the host name of the certificate in ${name}.`,
    ],
  ],
  [
    /CERT_(HAS_EXPIRED|NOT_YET_VALID)/,
    (_name, code) => [
      `its certificate is not valid now (${code})`,
      'Renew it, or correct the clock of this machine.',
    ],
  ],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/,
    (name, code) => [
      `its certificate is signed by an authority that is not known here (${code})`,
      `Add sslrootcert=/path/to/ca.pem to ${name}, with the certificate of that authority.`,
    ],
  ],
  [
    /terminated unexpectedly/i,
    (name) => [
      'the connection was closed before it began',
      `Correct the host and port in ${name}, or look at proxies on the way.`,
    ],
  ],
]

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

/** An error and its causes. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = []
  for (let at = error; at instanceof Error && causes.length < 8; at = at.cause) causes.push(at)
  return causes
}

/** What Postgres or Prisma reported; else the innermost message. */
function statementOf(error: unknown): Statement {
  let message = 'no reason given'
  let prismaCode: string | undefined
  for (const at of causesOf(error)) {
    const code = codeOf(at)
    const original = (at as { meta?: { driverAdapterError?: { cause?: unknown } } }).meta
      ?.driverAdapterError?.cause as { originalCode?: string; originalMessage?: string } | undefined
    if (original?.originalCode !== undefined && SQLSTATE.test(original.originalCode)) {
      return { state: original.originalCode, message: original.originalMessage ?? message }
    }
    // Prisma's last line holds the reason; the lines above contain query arguments.
    message = at.message.trimEnd().split('\n').at(-1) || code || message
    if (PRISMA_CODE.test(code)) prismaCode ??= code
    else if (SQLSTATE.test(code)) return { state: code, message }
  }
  return { message, ...(prismaCode !== undefined && { prismaCode }) }
}
