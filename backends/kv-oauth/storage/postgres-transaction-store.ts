import type { PostgresPool } from '@netscript/auth-database'
import {
  chargeSteps,
  chargeValues,
  countsOf,
  queryPrepared,
  storeCall,
} from '@netscript/auth-database/internal'
import type { PendingRateLimit, RateLimitCharge, RateLimitCount } from '@netscript/plugin-auth-core'
import type { TransactionStore } from '../session-store.js'
import { DATABASE_NOW_MS, KEYV_TABLE, LAZILY, lazilyIf } from './keyv-postgres.js'

const keyOf = (key: string): string => `transaction:${key}`

/** A statement whose parameters are followed by those of the counters. */
interface Statement {
  readonly name: string
  readonly values: unknown[]
  /** The common table expressions, of which the last one is `changed`; `from` and `where` hold it back. */
  readonly write: (limits: { from: string; where: string }) => string
}

const PUT = ({ from, where }: { from: string; where: string }): string =>
  `${lazilyIf('$3::boolean')}, changed AS (
    INSERT INTO ${KEYV_TABLE} (key, value) SELECT $1::text, $2::text FROM lazily${from} WHERE ${where}
    ON CONFLICT (key) DO UPDATE SET value = excluded.value
    RETURNING NULL AS sealed)`

const TAKE = ({ from, where }: { from: string; where: string }): string =>
  `${LAZILY}, changed AS (
    DELETE FROM ${KEYV_TABLE} USING lazily${from}
    WHERE key = $1 AND (value::jsonb)->'value'->>'stateHash' = $2
      AND expires_at > ${DATABASE_NOW_MS} AND ${where}
    RETURNING (value::jsonb)->'value'->>'sealed' AS sealed)`

/**
 * Creates a store of single-use entries in Postgres, as Keyv writes them. Get and delete of Keyv are two
 * statements, so that two callers could both succeed; a DELETE with RETURNING has one winner.
 */
export function createPostgresTransactionStore(pool: PostgresPool): TransactionStore {
  const texts = new Map<string, string>()

  /** Runs a statement, with the counters if there is a limit; returns what it took. */
  async function run(
    { name, values, write }: Statement,
    limit: PendingRateLimit | undefined,
  ): Promise<string | undefined> {
    if (!limit) {
      const { rows } = await queryPrepared<{ sealed: string }>(pool, {
        name,
        text: `WITH ${write({ from: '', where: 'true' })} SELECT sealed FROM changed`,
        values,
      })
      return rows[0]?.sealed
    }
    return limit.charge(async (charges, windowMs) => {
      const prepared = `${name}_${charges.length}`
      const text = texts.get(prepared) ?? charged(write, charges, values.length + 1)
      texts.set(prepared, text)
      const { rows } = await queryPrepared<RateLimitCount & { sealed: string | null }>(pool, {
        name: prepared,
        text,
        values: [...values, ...chargeValues(charges, windowMs)],
      })
      return { counts: countsOf(rows, windowMs), result: rows[0]?.sealed ?? undefined }
    })
  }

  return {
    put: (key, { flushedLater = false, ...entry }, ttlMs, limit) =>
      storeCall(async () => {
        const value = JSON.stringify({ value: entry, expires: Date.now() + ttlMs })
        await run(
          {
            ...{ name: 'auth_transaction_put', write: PUT },
            values: [keyOf(key), value, flushedLater],
          },
          limit,
        )
      }),
    take: (key, stateHash, limit) =>
      storeCall(() =>
        run({ name: 'auth_transaction_take', values: [keyOf(key), stateHash], write: TAKE }, limit),
      ),
  }
}

function charged(
  write: Statement['write'],
  charges: readonly RateLimitCharge[],
  first: number,
): string {
  const { steps, counts, last, passes } = chargeSteps(charges.length, first)
  return `WITH ${steps}, ${write({ from: `, ${last}`, where: passes })}
    SELECT counted.*, changed.sealed FROM (${counts}) AS counted LEFT JOIN changed ON true ORDER BY at`
}
