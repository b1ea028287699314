import type pg from 'pg'
import { PoolAdapter } from './adapter.js'
import { PrismaClient } from './generated/client.js'
import type { PostgresPool } from './postgres-pool.js'

export type { PrismaClient } from './generated/client.js'

/**
 * Creates a Prisma client on an existing pool. `$disconnect()` does not end the pool. Tables are
 * found through the pool's `search_path`; any connection time zone works.
 *
 * @example
 * ```ts
 * const pool = new pg.Pool({ connectionString })
 * const prisma = createPrismaClient(pool)
 * await prisma.authUser.count()
 * ```
 */
export function createPrismaClient(pool: PostgresPool): PrismaClient {
  return new PrismaClient({ adapter: new PoolAdapter(pool as pg.Pool) })
}
