import type { PostgresPool } from '@netscript/auth-database'
import type { TransactionStore } from '../session-store.js'
import { createPostgresKeyv, DATABASE_NOW_MS, KEYV_TABLE } from './keyv-postgres.js'
import { LAZILY } from './lazy-flush.js'
import { queryPrepared, storeCall } from '@netscript/auth-database/internal'

const NAMESPACE = 'transaction'

const TAKE = `WITH ${LAZILY} DELETE FROM ${KEYV_TABLE} USING lazily
  WHERE key = $1 AND (value::jsonb)->'value'->>'stateHash' = $2
    AND expires_at > ${DATABASE_NOW_MS}
  RETURNING (value::jsonb)->'value'->>'sealed' AS sealed`

interface TransactionEntry {
  stateHash: string
  sealed: string
  flushedLater?: boolean
}

/**
 * Creates a store of single-use entries in Postgres. Get and delete of Keyv are two statements, so that
 * two callers could both succeed; a DELETE with RETURNING has one winner.
 */
export function createPostgresTransactionStore(pool: PostgresPool): TransactionStore {
  const keyv = createPostgresKeyv<TransactionEntry>({ pool, namespace: NAMESPACE })
  return {
    put: (key, entry, ttlMs) =>
      storeCall(async () => {
        await keyv.set(key, entry, ttlMs)
      }),
    take: (key, stateHash) =>
      storeCall(async () => {
        const { rows } = await queryPrepared<{ sealed: string }>(pool, {
          name: 'auth_transaction_take',
          text: TAKE,
          values: [`${NAMESPACE}:${key}`, stateHash],
        })
        return rows[0]?.sealed
      }),
  }
}
