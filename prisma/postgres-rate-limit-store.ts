import type { PostgresPool } from './postgres-pool.js'
import type { RateLimitCount, RateLimitStore } from '@netscript/plugin-auth-core/internal'
import { assertSchemaIsRead, queryPrepared } from './pool.js'
import { sweep } from './sweep.js'
import { storeCall } from './unavailable.js'

const TABLE = 'auth_rate_limits'
const NOW = 'statement_timestamp()'

/**
 * One statement charges all counters: each CTE counts one key, and only if the previous counter was
 * within its limit. Every request locks its rows from narrow to wide, which rules out deadlocks.
 */
function chargeStatement(counters: number): string {
  const names = Array.from({ length: counters }, (_, at) => `count_${at}`)
  const steps = names.map((name, at) => {
    const before = at === 0 ? '' : ` FROM ${names[at - 1]} WHERE hits <= $${2 * at + 2}::int`
    return `${name} AS (
      INSERT INTO ${TABLE} AS held (key, hits, reset_at)
      SELECT $${2 * at + 3}::text, $2::int, ${NOW} + $1 * interval '1 millisecond'${before}
      ON CONFLICT (key) DO UPDATE SET
        hits = CASE WHEN held.reset_at > ${NOW} THEN held.hits + $2::int ELSE $2::int END,
        reset_at = CASE WHEN held.reset_at > ${NOW} THEN held.reset_at ELSE excluded.reset_at END
      RETURNING hits, (extract(epoch from reset_at - ${NOW}) * 1000)::float8 AS "resetMs")`
  })
  const rows = names.map((name, at) => `SELECT ${at} AS at, hits, "resetMs" FROM ${name}`)
  return `WITH ${steps.join(', ')} ${rows.join(' UNION ALL ')} ORDER BY at`
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
        const limits = charges.flatMap(({ key, limit }) => [key, limit]).slice(0, -1)
        const { rows } = await queryPrepared<RateLimitCount>(pool, {
          name: `auth_rate_limit_charge_${charges.length}`,
          text: chargeStatement(charges.length),
          values: [windowMs, hits, ...limits],
        })
        if (rows.length === 0) throw new Error('The request was not counted.')
        // The column has millisecond precision, and rounding may add one.
        return rows.map(({ hits, resetMs }) => ({ hits, resetMs: Math.min(resetMs, windowMs) }))
      }),
  }
}

/** Deletes up to `limit` counters with an expired window. Returns the number deleted. */
export function sweepRateLimits(pool: PostgresPool, limit: number): Promise<number> {
  return sweep(pool, { table: TABLE, key: 'key', column: 'reset_at', before: NOW }, limit)
}
