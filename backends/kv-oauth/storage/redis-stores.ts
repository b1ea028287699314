import type { PostgresPool } from '@netscript/auth-database'
import { redisCall } from '@netscript/auth-database/internal'
import type { AuthLog, Keyring } from '@netscript/plugin-auth-core'
import { createPostgresSessionStore } from './postgres-session-store.js'
import { createPostgresUserStore } from './postgres-user-store.js'
import { checkRedisSettings, connectRedis, type RedisConnection } from './redis-connection.js'
import { createRedisProviderTokenStore } from './redis-provider-token-store.js'
import { createRedisSessionStore } from './redis-session-store.js'
import { parseRedisUrls } from './redis-url.js'
import type { KvOAuthStores, ProviderTokenStore, TransactionStore } from '../session-store.js'
import { createStepwiseSignInStore, withSessionsElsewhere } from './sessions-elsewhere.js'
import { createRedisKeyv, REDIS_NAMESPACE } from './keyv-redis.js'

/**
 * Opens stores with sessions, transactions and provider tokens in Redis, and users, accounts, the audit
 * trail and rate limits in Postgres.
 *
 * @throws AuthConfigurationError for invalid URLs or a server that is too old; AuthError
 * `STORE_UNAVAILABLE` when Redis is unavailable.
 */
export async function openRedisStores(
  urls: string,
  pool: PostgresPool,
  log: AuthLog,
): Promise<KvOAuthStores> {
  const target = parseRedisUrls(urls)
  const redis = await redisCall(() => connectRedis(target, log))
  try {
    await checkRedisSettings(redis, log)
  } catch (error) {
    await redis.close()
    throw error
  }
  const sessions = createRedisSessionStore(redis, pool)
  const database = createPostgresSessionStore(pool)
  const users = withSessionsElsewhere(createPostgresUserStore(pool), sessions)
  const tokens = (keyring: Keyring): ProviderTokenStore =>
    createRedisProviderTokenStore(redis, keyring)
  return {
    sessions,
    transactions: createRedisTransactionStore(redis),
    users,
    tokens,
    signIns: (keyring) =>
      createStepwiseSignInStore({ users, sessions, tokens: tokens(keyring), log }),
    async probe() {
      await Promise.all([sessions.probe(), database.probe()])
    },
    close: () => redis.close(),
  }
}

/** The key contains the state hash: GETDEL has one winner, and another state finds no entry. */
const keyOf = (key: string, stateHash: string): string => `transaction:${key}:${stateHash}`

/** Creates a store of single-use entries in Redis. */
export function createRedisTransactionStore(redis: RedisConnection): TransactionStore {
  const keyv = createRedisKeyv<string>(redis)
  return {
    put: (key, { stateHash, sealed }, ttlMs) =>
      redisCall(async () => {
        await keyv.set(keyOf(key, stateHash), sealed, ttlMs)
      }),
    take: (key, stateHash) =>
      redisCall(async () => {
        const name = `${REDIS_NAMESPACE}:${keyOf(key, stateHash)}`
        const taken = await redis.run((client) => client.getDel(name))
        return taken === null ? undefined : (JSON.parse(taken) as { value: string }).value
      }),
  }
}
