import type { TransactionStore } from '../session-store.js'
import { createRedisKeyv, REDIS_NAMESPACE } from './keyv-redis.js'
import type { RedisConnection } from './redis-connection.js'
import { redisCall } from '@netscript/auth-database/internal'

/** The state is part of the key: GETDEL has one winner, and another state finds nothing to take. */
const keyOf = (key: string, stateHash: string): string => `transaction:${key}:${stateHash}`

/** Single-use entries in Redis. */
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
