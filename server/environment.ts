/**
 * The API from the variables of the service, to mount it in your own application.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { checkTables } from '@netscript/auth-database/internal'
import { apiOptions, openApiParts, openDatabase } from './api-parts.js'
import type { MountedBackend } from './backends.js'
import { readConfig } from './config/config.js'
import type { AuthApiOptions } from './engine/engine.js'
import { createLogger } from './log.js'
import { startSweeping } from './sweep.js'

/** Options for every adapter, from {@link authFromEnv}. */
export interface AuthFromEnv extends AuthApiOptions {
  readonly backend: MountedBackend
  /** Closes the backend and the connections to Postgres. */
  close(): Promise<void>
}

/** Variables that the API or one of its parts reads. */
const READ = /^(NETSCRIPT_|BETTER_AUTH_|WORKOS_|PG[A-Z]|DATABASE_URL$|NODE_ENV$)/

const OPENED = Symbol.for('@netscript/plugin-auth/env')

/**
 * Opens the API from the variables of the service, with its backend, rate limits and tokens, and deletes
 * expired rows every minute. The tables must exist: `netscript db migrate`.
 *
 * Calls with the same variables return the same API until it is closed. A development server that loads
 * your module again therefore opens no further connections.
 *
 * @param env @default process.env
 * @throws AuthConfigurationError that names each missing or invalid variable and its fix.
 *
 * @example
 * ```ts
 * const app = express()
 * app.use(createAuthApp(await authFromEnv()))
 * ```
 */
export function authFromEnv(env: NodeJS.ProcessEnv = process.env): Promise<AuthFromEnv> {
  const key = keyOf(env)
  const all = openedApis()
  const found = all.get(key)
  if (found) return found
  const forget = (): void => {
    if (all.get(key) === opening) all.delete(key)
  }
  const opening = open(env, forget)
  all.set(key, opening)
  opening.catch(forget)
  return opening
}

/** Belongs to the process: a bundler may load this module more than once. */
function openedApis(): Map<string, Promise<AuthFromEnv>> {
  const holder = globalThis as { [OPENED]?: Map<string, Promise<AuthFromEnv>> }
  return (holder[OPENED] ??= new Map())
}

/** A hash, so that no secret is kept as a key. */
function keyOf(env: NodeJS.ProcessEnv): string {
  const read = Object.entries(env).filter(([name]) => READ.test(name))
  return createHash('sha256').update(JSON.stringify(read.sort())).digest('hex')
}

async function open(env: NodeJS.ProcessEnv, forget: () => void): Promise<AuthFromEnv> {
  // PORT is that of the host, which may be behind a proxy.
  const config = readConfig({ ...env, PORT: '0' }, { production: true })
  const { variables } = config
  const logger = createLogger(variables.NETSCRIPT_AUTH_LOG_LEVEL)
  for (const warning of config.warnings) logger.warn(warning)
  const pool = config.usesDatabase ? openDatabase(variables.DATABASE_URL, logger) : undefined
  try {
    if (pool) await checkTables(pool, ['auth_users'], 'DATABASE_URL')
    const parts = await openApiParts({
      ...{ config, env, pool, logger, metrics: undefined, trace: undefined },
    })
    const stopSweeping = pool && startSweeping(pool, logger, undefined, parts.tokens)
    let closing: Promise<void> | undefined
    const close = async (): Promise<void> => {
      forget()
      await stopSweeping?.()
      await parts.backend.close()
      await pool?.end()
    }
    return {
      ...apiOptions(config, { ...parts, logger }),
      backend: parts.backend,
      close: () => (closing ??= close()),
    }
  } catch (error) {
    await pool?.end()
    throw error
  }
}
