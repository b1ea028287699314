import { join } from 'node:path'
import { createPool, type PostgresPool } from '@netscript/auth-database'
import {
  databaseStartError,
  isFromDatabase,
  parseDatabaseUrl,
  tableSchema,
  withSchema,
} from '@netscript/auth-database/internal'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { readVariables } from '../../config/variables.js'

/** The database of a command. */
export interface CommandDatabase {
  readonly url: string
  /** The same URL in the form that the Prisma CLI accepts. */
  readonly prismaUrl: string
  readonly pool: PostgresPool
  /** For display: host and name, without credentials. */
  readonly description: string
}

/**
 * Runs `work` on the database of DATABASE_URL. Without that variable it uses the embedded Postgres of
 * `netscript dev`: an instance that already runs, or else one that it starts.
 *
 * @throws AuthConfigurationError when a variable is invalid or the database is unreachable.
 */
export async function withDatabase<T>(
  env: NodeJS.ProcessEnv,
  work: (database: CommandDatabase) => Promise<T>,
): Promise<T> {
  const read = readVariables(env)
  const wrong = read.ok
    ? []
    : read.issues.filter(({ variable }) =>
        /^(DATABASE_URL|NETSCRIPT_AUTH_DATA_DIR)$/.test(variable),
      )
  if (wrong.length > 0) {
    throw new AuthConfigurationError(
      wrong.map(({ variable, message }) => `${variable}: ${message}.`).join('\n'),
    )
  }
  const url = env.DATABASE_URL?.trim()
  if (!url) return onEmbedded(env, work)
  const { description } = parseDatabaseUrl(url)
  return onUrl(url, { description, name: 'DATABASE_URL' }, work)
}

async function onEmbedded<T>(
  env: NodeJS.ProcessEnv,
  work: (database: CommandDatabase) => Promise<T>,
): Promise<T> {
  if (env.NODE_ENV === 'production') {
    throw new AuthConfigurationError(
      'DATABASE_URL is not set. Set it to the database of the service: production has no embedded one.',
    )
  }
  const dataDir = join(env.NETSCRIPT_AUTH_DATA_DIR?.trim() || '.data', 'postgres')
  const { startEmbeddedPostgres } = await import('../../local/postgres.js')
  const postgres = await startEmbeddedPostgres({
    dataDir,
    share: true,
    onProgress: (message) => console.error(message),
  })
  // The exit handlers stop what was started; without a listener a signal would skip them.
  const exit = (): never => process.exit(130)
  process.once('SIGINT', exit).once('SIGTERM', exit)
  try {
    const description = `the embedded Postgres in ${dataDir}`
    return await onUrl(postgres.url, { description, name: 'the embedded Postgres' }, work)
  } finally {
    await postgres.stop()
    process.off('SIGINT', exit).off('SIGTERM', exit)
  }
}

async function onUrl<T>(
  url: string,
  { description, name }: { description: string; name: string },
  work: (database: CommandDatabase) => Promise<T>,
): Promise<T> {
  const pool = createPool(url)
  try {
    await pool.query('SELECT 1').catch((error: unknown) => {
      throw databaseStartError(error, name, description)
    })
    const prismaUrl = withSchema(url, await tableSchema(pool))
    return await work({ url, prismaUrl, pool, description })
  } catch (error) {
    throw isFromDatabase(error) ? databaseStartError(error, name, description) : error
  } finally {
    await pool.end()
  }
}
