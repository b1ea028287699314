import type { PostgresPool } from '@netscript/auth-database'
import { redisCall } from '@netscript/auth-database/internal'
import type { AuthLog, Keyring } from '@netscript/plugin-auth-core'
import { createPostgresSessionStore } from './postgres-session-store.js'
import { createPostgresUserStore } from './postgres-user-store.js'
import { connectRedis } from './redis-connection.js'
import { createRedisProviderTokenStore } from './redis-provider-token-store.js'
import { createRedisSessionStore } from './redis-session-store.js'
import { checkRedisSettings } from './redis-settings.js'
import { createRedisTransactionStore } from './redis-transaction-store.js'
import { parseRedisUrls } from './redis-url.js'
import type { AuthStores, ProviderTokenStore } from '../session-store.js'
import { createStepwiseSignInStore } from './stepwise-sign-in-store.js'
import { withSessionsElsewhere } from './user-store-with-sessions.js'

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
): Promise<AuthStores> {
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
