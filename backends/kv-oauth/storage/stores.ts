import type { PostgresPool } from '@netscript/auth-database'
import { assertSchemaIsRead } from '@netscript/auth-database/internal'
import { type AuthLog, silentLog } from '@netscript/plugin-auth-core'
import { importPeer } from '@netscript/plugin-auth-core/internal'
import type { KvOAuthStores } from '../session-store.js'
import type { RedisTarget } from './redis-url.js'
import { createPostgresProviderTokenStore } from './postgres-provider-token-store.js'
import { createPostgresSessionStore } from './postgres-session-store.js'
import { createPostgresSignInStore } from './postgres-sign-in-store.js'
import { createPostgresTransactionStore } from './postgres-transaction-store.js'
import { createPostgresUserStore } from './postgres-user-store.js'

/** Creates all stores in Postgres. */
export function createPostgresStores(
  pool: PostgresPool,
  options: Pick<StoreOptions, 'onRead'> = {},
): KvOAuthStores {
  const sessions = createPostgresSessionStore(pool, options)
  return {
    sessions,
    sharesReads: true,
    chargesRateLimits: true,
    transactions: createPostgresTransactionStore(pool),
    users: createPostgresUserStore(pool),
    tokens: (keyring) => createPostgresProviderTokenStore(pool, keyring),
    signIns: (keyring) => createPostgresSignInStore(pool, keyring, sessions),
    probe: () => sessions.probe(),
    close: async () => {},
  }
}

/** Options of {@link openStores}. */
export interface StoreOptions {
  /** The pool to use. The stores do not close it. */
  pool: PostgresPool
  /**
   * Where to store sessions, transactions and provider tokens: a value of
   * `NETSCRIPT_AUTH_SESSION_STORE`. Everything else is always in Postgres.
   * @default in Postgres
   */
  sessionStore?: string | undefined
  /** Logs when the connection to Redis breaks and is restored. @default no log */
  log?: AuthLog
  /** Called after each query that reads sessions, with their number and its duration. @default none */
  onRead?: (sessions: number, seconds: number) => void
}

/**
 * Opens the configured stores. The Redis library is loaded only if needed.
 *
 * @throws AuthConfigurationError when `sessionStore` is not a valid Redis URL; AuthError
 * `STORE_UNAVAILABLE` when Redis is unavailable.
 */
export async function openStores(options: StoreOptions): Promise<KvOAuthStores> {
  const { pool, sessionStore, log = silentLog } = options
  assertSchemaIsRead(pool)
  if (!sessionStore) return createPostgresStores(pool, options)
  const { openRedisStores } = await importRedis(() => import('./redis-stores.js'))
  return openRedisStores(sessionStore, pool, log)
}

/**
 * Connects to the Redis of a session store and checks its settings. Settings that may lose sessions are
 * logged as warnings.
 *
 * @throws AuthConfigurationError when the server is too old.
 */
export async function inspectRedis(target: RedisTarget, log: AuthLog): Promise<void> {
  const { checkRedisSettings, connectRedis } = await importRedis(
    () => import('./redis-connection.js'),
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
