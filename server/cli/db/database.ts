import { join } from 'node:path'
import type pg from 'pg'
import { AuthConfigurationError } from '../../../backends/errors.js'
import { createPool } from '../../../backends/storage/pool.js'
import { readVariables } from '../../config/variables.js'

/** The database that a command works on. */
export interface CommandDatabase {
  readonly url: string
  readonly pool: pg.Pool
  /** For people: host and name, without credentials. */
  readonly description: string
}

/**
 * Runs `work` on the database of DATABASE_URL. Without one it is the embedded Postgres of `netscript
 * dev`, which is started for it, or used with the service that runs it already.
 *
 * @throws AuthConfigurationError when a variable is wrong or the database does not answer.
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
  return url ? onUrl(url, describe(url), work) : onEmbedded(env, work)
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
  // An exit stops what was started; a signal without a listener would not be one.
  const exit = (): never => process.exit(130)
  process.once('SIGINT', exit).once('SIGTERM', exit)
  try {
    return await onUrl(postgres.url, `the embedded Postgres in ${dataDir}`, work)
  } finally {
    await postgres.stop()
    process.off('SIGINT', exit).off('SIGTERM', exit)
  }
}

async function onUrl<T>(
  url: string,
  description: string,
  work: (database: CommandDatabase) => Promise<T>,
): Promise<T> {
  const pool = createPool(url)
  try {
    await pool.query('SELECT 1').catch((cause: unknown) => {
      throw new AuthConfigurationError(
        `${description} does not answer: ${reason(cause)}. Start it, correct DATABASE_URL, or unset it for an embedded one.`,
        { cause },
      )
    })
    return await work({ url, pool, description })
  } finally {
    await pool.end()
  }
}

function describe(url: string): string {
  const { host, pathname } = new URL(url)
  return `the database ${decodeURIComponent(pathname.slice(1))} at ${host}`
}

/** Connection errors of several addresses have no message of their own. */
function reason(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string }
  return message || code || 'no reason given'
}
