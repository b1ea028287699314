import type { PostgresPool } from '@netscript/auth-database'
import { sweepBetterAuth, sweepRateLimits } from '@netscript/auth-database/internal'
import { createPostgresSessionStore } from '@netscript/auth-kv-oauth/internal'
import type { TokenIssuer } from './tokens/token-issuer.js'
import type { Logger } from './log.js'

const INTERVAL_MS = 60_000
const BATCH = 1_000

/** Counters of deleted rows; sessions and transactions are `entries`. */
export interface SweepMetrics {
  swept(kind: 'entries' | 'rate-limits', rows: number): void
}

/**
 * Periodically deletes expired entries and rate-limit counts, in batches that skip rows another process
 * is deleting, and rotates the signing keys of tokens. Returns a function that stops it and waits for the
 * current batch.
 */
export function startSweeping(
  pool: PostgresPool,
  logger: Logger,
  metrics?: SweepMetrics,
  tokens?: Pick<TokenIssuer, 'maintain'>,
): () => Promise<void> {
  const store = createPostgresSessionStore(pool)
  let stopped = false
  let underWay: Promise<void> = Promise.resolve()
  const sweepAll = async (
    kind: Parameters<SweepMetrics['swept']>[0],
    sweepBatch: () => Promise<number>,
  ): Promise<void> => {
    let swept = BATCH
    while (!stopped && swept >= BATCH) {
      swept = await sweepBatch()
      metrics?.swept(kind, swept)
    }
  }
  const sweep = async (): Promise<void> => {
    try {
      await sweepAll('entries', () => store.sweep(BATCH))
      await sweepAll('entries', () => sweepBetterAuth(pool, BATCH))
      await sweepAll('rate-limits', () => sweepRateLimits(pool, BATCH))
      await tokens?.maintain()
    } catch (error) {
      logger.warn({ err: (error as Error).cause ?? error }, 'The database could not be swept.')
    }
  }
  const timer = setInterval(() => {
    underWay = sweep()
  }, INTERVAL_MS)
  timer.unref()
  return async () => {
    stopped = true
    clearInterval(timer)
    await underWay
  }
}
