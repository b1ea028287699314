import type pg from 'pg'
import { PoolAdapter } from './adapter.js'
import { PrismaClient } from './generated/client.js'

export type { PrismaClient } from './generated/client.js'

/**
 * A Prisma client on a pool that stays the caller's: `$disconnect()` does not end it. It finds the
 * tables where `search_path` of the pool does, in any time zone.
 *
 * @example
 * ```ts
 * const pool = new pg.Pool({ connectionString })
 * const prisma = createPrismaClient(pool)
 * await prisma.authUser.count()
 * ```
 */
export function createPrismaClient(pool: pg.Pool): PrismaClient {
  return new PrismaClient({ adapter: new PoolAdapter(pool) })
}
