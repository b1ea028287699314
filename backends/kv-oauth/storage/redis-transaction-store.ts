import type { TransactionStore } from '../session-store.js'
import { createRedisKeyv, REDIS_NAMESPACE } from './keyv-redis.js'
import type { RedisConnection } from './redis-connection.js'
import { redisCall } from '@netscript/auth-database/internal'

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
