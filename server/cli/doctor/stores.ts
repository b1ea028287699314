import { createPool, migrationStatus, type PostgresPool } from '@netscript/auth-database'
import {
  databaseReason,
  isPooled,
  parseDatabaseUrl,
  POOL_SIZE,
  tableSchema,
} from '@netscript/auth-database/internal'
import { inspectRedis, parseRedisUrls, type RedisTarget } from '@netscript/auth-kv-oauth/internal'
import { AuthConfigurationError, type AuthLog, silentLog } from '@netscript/plugin-auth-core'
import { networkReason } from '@netscript/plugin-auth-core/internal'
import { clockFinding, skewSeconds } from './clock.js'
import { type Check, CHECK_TIMEOUT_MS, fail, failWith, type Finding, ok, warn } from './finding.js'

/** The oldest Postgres version that is still supported upstream. */
const OLDEST_MAJOR = 14

/** Server settings, as Postgres reports them. */
interface State {
  version: string
  readOnly: boolean
  now: number
  used: number
  limit: number
}

/**
 * A limit of -1 means unlimited. Connections reserved for administrators are not available to the
 * service.
 */
const STATE = `SELECT
  current_setting('server_version') AS version,
  current_setting('transaction_read_only') = 'on' AS "readOnly",
  extract(epoch FROM clock_timestamp())::float8 * 1000 AS now,
  (SELECT count(*)::int FROM pg_stat_activity
   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS used,
  least(
    current_setting('max_connections')::int
      - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0),
    (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
    (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)
  ) AS limit`

/**
 * Checks that the database is reachable, has the tables and enough connections, and that its clock is
 * right.
 */
export const checkDatabase: Check = async ({ config, problems }) => {
  const { DATABASE_URL: url, NETSCRIPT_AUTH_DATA_DIR: dataDir } = config.variables
  if (!config.usesDatabase) return []
  if (url === undefined) {
    // An invalid URL, or none in production, is already a configuration problem.
    if (problems.some(({ message }) => message.startsWith('DATABASE_URL'))) return []
    return [ok('DATABASE', `None is configured: "netscript dev" brings its own, in ${dataDir}.`)]
  }
  const pool = createPool(url, {
    max: 1,
    connectionTimeoutMs: CHECK_TIMEOUT_MS,
    queryTimeoutMs: CHECK_TIMEOUT_MS,
  })
  try {
    return await examineDatabase(pool, url)
  } catch (error) {
    const { what, fix } = databaseReason(error, 'DATABASE_URL')
    return [fail('DATABASE', `The database of DATABASE_URL: ${what}.`, fix)]
  } finally {
    await pool.end()
  }
}

async function examineDatabase(pool: PostgresPool, url: string): Promise<Finding[]> {
  // The first query opens the connection, which would distort the clock measurement.
  const migrations = await migrationFindings(pool)
  const sentAt = Date.now()
  const { rows } = await pool.query<State>(STATE)
  const receivedAt = Date.now()
  const [state] = rows
  if (!state) return migrations
  const skew = skewSeconds({ sentAt, receivedAt }, state.now)
  return [
    versionFinding(state, await tableSchema(pool)),
    ...migrations,
    ...poolerFindings(await isPooled(pool), url),
    roomFinding(state, parseDatabaseUrl(url).maxConnections ?? POOL_SIZE),
    clockFinding('CLOCK_DATABASE', 'the database', skew),
  ]
}

function versionFinding({ version, readOnly }: State, schema: string | undefined): Finding {
  if (readOnly) {
    return fail(
      'DATABASE_READ_ONLY',
      'The database takes no changes: it is a standby, or set to read only.',
      'Point DATABASE_URL at the primary.',
    )
  }
  return parseInt(version, 10) < OLDEST_MAJOR
    ? warn(
        'DATABASE',
        `Postgres ${version} is no longer supported.`,
        `Move to Postgres ${OLDEST_MAJOR} or later.`,
      )
    : ok(
        'DATABASE',
        schema === undefined || schema === 'public'
          ? `Postgres ${version} answers.`
          : `Postgres ${version} answers; the tables are in the schema ${schema}.`,
      )
}

async function migrationFindings(pool: PostgresPool): Promise<Finding[]> {
  const all = await migrationStatus(pool)
  const names = (state: string): string[] =>
    all.filter((migration) => migration.state === state).map(({ name }) => name)
  const [failed, pending, unknown] = [names('failed'), names('pending'), names('unknown')]
  if (failed.length > 0) {
    return [
      fail(
        'MIGRATIONS',
        `Migration ${failed.join(', ')} was begun and failed, so the service does not start.`,
        'The logs column of _prisma_migrations says why. Fix that, then run "netscript db resolve" with its name.',
      ),
    ]
  }
  if (pending.length > 0) {
    const refusal = await creationRefusal(pool)
    if (refusal) {
      const { what, fix } = databaseReason(refusal, 'DATABASE_URL')
      return [fail('MIGRATIONS', `Migrations cannot be applied: ${what}.`, fix)]
    }
    return [
      warn(
        'MIGRATIONS',
        `The database is ${pending.length} of ${all.length} migrations behind: ${pending.join(', ')}.`,
        'Start the service: it applies them before it listens.',
      ),
    ]
  }
  if (unknown.length > 0) {
    return [
      warn(
        'MIGRATIONS',
        `The database is ahead of this version: ${unknown.join(', ')}.`,
        'Update the service here, unless a roll-out is under way.',
      ),
    ]
  }
  return [ok('MIGRATIONS', `All ${all.length} migrations are applied.`)]
}

/** The error that the first migration would get when the role lacks the right to create tables. */
async function creationRefusal(pool: PostgresPool): Promise<Error | undefined> {
  const schema = await tableSchema(pool)
  const [kind, allowed] =
    schema === undefined
      ? ['database', `has_database_privilege(current_database(), 'CREATE')`]
      : ['schema', "has_schema_privilege(current_schema(), 'CREATE')"]
  const { rows } = await pool.query<{ allowed: boolean; database: string }>(
    `SELECT ${allowed} AS allowed, current_database() AS database`,
  )
  if (rows[0]?.allowed !== false) return undefined
  const message = `permission denied for ${kind} ${schema ?? rows[0].database}`
  return Object.assign(new Error(message), { code: '42501' })
}

function roomFinding({ used, limit }: State, poolSize: number): Finding {
  const message = `${used} of ${limit} connections are in use; a process of the service takes up to ${poolSize}.`
  return limit - used < poolSize
    ? warn(
        'CONNECTIONS',
        message,
        'Raise max_connections (or the limit of the role or database), or run fewer processes.',
      )
    : ok('CONNECTIONS', message)
}

/** Reports a connection through a pooler in transaction mode. */
function poolerFindings(pooled: boolean, url: string): Finding[] {
  if (!pooled) return []
  const { settings } = parseDatabaseUrl(url)
  const message =
    'DATABASE_URL leads through a connection pooler: statements are not prepared, and no setting of a connection is relied on.'
  if (settings.size === 0) return [ok('POOLER', message)]
  return [
    warn(
      'POOLER',
      `${message} ${[...settings.keys()].join(', ')} of the URL takes a transaction of three round trips around each statement.`,
      'Set it for the role instead: ALTER ROLE ... SET ...',
    ),
  ]
}

/** Checks that the Redis session store, if configured, is reachable and persists what it is given. */
export const checkSessionStore: Check = async ({ config: { variables } }) => {
  const { NETSCRIPT_AUTH_SESSION_STORE: urls, NETSCRIPT_AUTH_BACKEND: backend } = variables
  if (urls === undefined || backend !== 'kv-oauth') return []
  const target = targetOf(urls)
  if (!target) return []
  try {
    return await examineRedis(target)
  } catch (error) {
    return [
      error instanceof AuthConfigurationError
        ? failWith('SESSION_STORE', error.message)
        : unreachableRedis(error),
    ]
  }
}

/** An invalid address is already a configuration problem. */
function targetOf(urls: string): RedisTarget | undefined {
  try {
    return parseRedisUrls(urls)
  } catch (error) {
    if (error instanceof AuthConfigurationError) return undefined
    throw error
  }
}

async function examineRedis(target: RedisTarget): Promise<Finding[]> {
  const warnings: Finding[] = []
  const log: AuthLog = {
    ...silentLog,
    warn: (_fields, message) =>
      void warnings.push(warn('SESSION_STORE', message, 'Change that in redis.conf.')),
  }
  await inspectRedis(target, log)
  if (warnings.length > 0) return warnings
  return [ok('SESSION_STORE', 'The Redis of NETSCRIPT_AUTH_SESSION_STORE answers.')]
}

function unreachableRedis(error: unknown): Finding {
  if (error instanceof Error && /^(WRONGPASS|NOAUTH|NOPERM)\b/.test(error.message)) {
    return fail(
      'SESSION_STORE',
      'Redis rejects the credentials of the service.',
      'Correct the user and the password in NETSCRIPT_AUTH_SESSION_STORE.',
    )
  }
  const { what, fix } = networkReason(error)
  return fail('SESSION_STORE', `The Redis of NETSCRIPT_AUTH_SESSION_STORE: ${what}.`, fix)
}
