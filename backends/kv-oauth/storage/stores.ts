import type pg from 'pg'
import { assertSchemaIsRead } from '@netscript/auth-database/internal'
import { type AuthLog, silentLog } from '@netscript/plugin-auth-core'
import { importPeer } from '@netscript/plugin-auth-core/internal'
import type { AuthStores } from '../session-store.js'
import type { RedisTarget } from './redis-url.js'
import { createPostgresProviderTokenStore } from './postgres-provider-token-store.js'
import { createPostgresSessionStore } from './postgres-session-store.js'
import { createPostgresTransactionStore } from './postgres-transaction-store.js'
import { createPostgresUserStore } from './postgres-user-store.js'

/** All of it in Postgres. */
export function createPostgresStores(
  pool: pg.Pool,
  options: Pick<StoreOptions, 'onRead'> = {},
): AuthStores {
  const sessions = createPostgresSessionStore(pool, options)
  return {
    sessions,
    sharesReads: true,
    transactions: createPostgresTransactionStore(pool),
    users: createPostgresUserStore(pool),
    tokens: (keyring) => createPostgresProviderTokenStore(pool, keyring),
    probe: () => sessions.probe(),
    close: async () => {},
  }
}

/** Options of {@link openStores}. */
export interface StoreOptions {
  /** The pool to share; it stays yours. */
  pool: pg.Pool
  /**
   * Where sessions, transactions and provider tokens are, as in `NETSCRIPT_AUTH_SESSION_STORE`.
   * Default: in Postgres, where everything else is in any case.
   */
  sessionStore?: string | undefined
  /** Says when a connection to Redis breaks and when it is back. Default: says nothing. */
  log?: AuthLog
  /** Told of each query that reads sessions: how many, and how long it took. Default: nobody. */
  onRead?: (sessions: number, seconds: number) => void
}

/**
 * Opens the stores that are configured; a library that they do not need is not loaded.
 *
 * @throws AuthConfigurationError when `sessionStore` is no address of Redis; AuthError
 * `STORE_UNAVAILABLE` when Redis does not answer.
 *
 * @example
 * ```ts
 * const stores = await openStores({ pool, sessionStore: 'redis://localhost:6379' })
 * await stores.probe()
 * ```
 */
export async function openStores(options: StoreOptions): Promise<AuthStores> {
  const { pool, sessionStore, log = silentLog } = options
  assertSchemaIsRead(pool)
  if (!sessionStore) return createPostgresStores(pool, options)
  const { openRedisStores } = await importRedis(() => import('./redis-stores.js'))
  return openRedisStores(sessionStore, pool, log)
}

/**
 * Connects to the Redis of a session store and looks at its settings; what may lose sessions is a
 * warning in the log.
 *
 * @throws AuthConfigurationError when it is too old.
 */
export async function inspectRedis(target: RedisTarget, log: AuthLog): Promise<void> {
  const [{ connectRedis }, { checkRedisSettings }] = await importRedis(() =>
    Promise.all([import('./redis-connection.js'), import('./redis-settings.js')]),
  )
  const redis = await connectRedis(target, silentLog)
  try {
    await checkRedisSettings(redis, log)
  } finally {
    await redis.close()
  }
}

const importRedis = <T>(load: () => Promise<T>): Promise<T> =>
  importPeer(['@keyv/redis'], 'NETSCRIPT_AUTH_SESSION_STORE', load)
