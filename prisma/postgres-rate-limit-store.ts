import type { PostgresPool } from './postgres-pool.js'
import type { RateLimitStore } from '@netscript/plugin-auth-core/internal'
import type { RateLimitCharge, RateLimitCount } from '@netscript/plugin-auth-core'
import { assertSchemaIsRead, queryPrepared } from './pool.js'
import { sweep } from './sweep.js'
import { storeCall } from './database-error.js'

const TABLE = 'auth_rate_limits'
const NOW = 'statement_timestamp()'

/** SQL that charges counters within a statement. */
interface ChargeSteps {
  /** Common table expressions. */
  readonly steps: string
  /** SELECT of one row per charge made: `at`, `hits` and `"resetMs"`. */
  readonly counts: string
  /** A condition that all charges are within their limits, on {@link ChargeSteps.last}. */
  readonly passes: string
  /** The common table expression of the last counter; it has a row only if those before pass. */
  readonly last: string
}

/**
 * One statement charges all counters: each CTE counts one key, and only if the previous counter was
 * within its limit. Every request locks its rows from narrow to wide, which rules out deadlocks. The
 * parameters from `first` on are the window in milliseconds, the hits, and key and limit of each counter.
 */
export function chargeSteps(counters: number, first: number): ChargeSteps {
  const [windowMs, hits] = [`$${first}`, `$${first + 1}::int`]
  const keyOf = (at: number): string => `$${first + 2 + 2 * at}::text`
  const limitOf = (at: number): string => `$${first + 3 + 2 * at}::int`
  const names = Array.from({ length: counters }, (_, at) => `count_${at}`)
  const steps = names.map((name, at) => {
    const before = at === 0 ? '' : ` FROM ${names[at - 1]} WHERE hits <= ${limitOf(at - 1)}`
    return `${name} AS (
      INSERT INTO ${TABLE} AS held (key, hits, reset_at)
      SELECT ${keyOf(at)}, ${hits}, ${NOW} + ${windowMs} * interval '1 millisecond'${before}
      ON CONFLICT (key) DO UPDATE SET
        hits = CASE WHEN held.reset_at > ${NOW} THEN held.hits + ${hits} ELSE ${hits} END,
        reset_at = CASE WHEN held.reset_at > ${NOW} THEN held.reset_at ELSE excluded.reset_at END
      RETURNING hits, (extract(epoch from reset_at - ${NOW}) * 1000)::float8 AS "resetMs")`
  })
  const rows = names.map((name, at) => `SELECT ${at} AS at, hits, "resetMs" FROM ${name}`)
  const last = names.at(-1) ?? ''
  return {
    steps: steps.join(', '),
    counts: rows.join(' UNION ALL '),
    last,
    passes: `${last}.hits <= ${limitOf(counters - 1)}`,
  }
}

/** The parameters of {@link chargeSteps}. */
export const chargeValues = (
  charges: readonly RateLimitCharge[],
  windowMs: number,
  hits: 0 | 1 = 1,
): unknown[] => [windowMs, hits, ...charges.flatMap(({ key, limit }) => [key, limit])]

/** The counts in the rows of a statement. The column has millisecond precision; rounding may add one. */
export function countsOf(rows: readonly RateLimitCount[], windowMs: number): RateLimitCount[] {
  if (rows.length === 0) throw new Error('The request was not counted.')
  return rows.map(({ hits, resetMs }) => ({ hits, resetMs: Math.min(resetMs, windowMs) }))
}

/**
 * Rate limits in Postgres, shared by all processes. Only the database's clock decides when a window
 * ends.
 */
export function createPostgresRateLimitStore(pool: PostgresPool): RateLimitStore {
  assertSchemaIsRead(pool)
  return {
    charge: (charges, windowMs, hits = 1) =>
      storeCall(async () => {
        if (charges.length === 0) return []
        const { steps, counts } = chargeSteps(charges.length, 1)
        const { rows } = await queryPrepared<RateLimitCount>(pool, {
          name: `auth_rate_limit_charge_${charges.length}`,
          text: `WITH ${steps} ${counts} ORDER BY at`,
          // The last limit is for statements that depend on it.
          values: chargeValues(charges, windowMs, hits).slice(0, -1),
        })
        return countsOf(rows, windowMs)
      }),
  }
}

/** Deletes up to `limit` counters with an expired window. Returns the number deleted. */
export function sweepRateLimits(pool: PostgresPool, limit: number): Promise<number> {
  return sweep(pool, { table: TABLE, key: 'key', column: 'reset_at', before: NOW }, limit)
}
