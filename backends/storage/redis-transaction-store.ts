import type pg from 'pg'
import type { TransactionStore } from '../session-store.js'
import { createRedisKeyv, REDIS_NAMESPACE } from './keyv-redis.js'
import { createPostgresAuditLog } from './postgres-audit-log.js'
import type { RedisConnection } from './redis-connection.js'
import { redisCall } from './unavailable.js'

/** The state is part of the key: GETDEL has one winner, and another state finds nothing to take. */
const keyOf = (key: string, stateHash: string): string => `transaction:${key}:${stateHash}`

/**
 * Single-use entries in Redis. The start of a sign-in is recorded in Postgres before its entry is
 * written.
 */
export function createRedisTransactionStore(
  redis: RedisConnection,
  pool: pg.Pool,
): TransactionStore {
  const keyv = createRedisKeyv<string>(redis)
  const audit = createPostgresAuditLog(pool)
  return {
    put: (key, { stateHash, sealed, signInAt }, ttlMs) =>
      redisCall(async () => {
        if (signInAt !== undefined) {
          await audit.record({ type: 'sign-in.started', providerId: signInAt })
        }
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
