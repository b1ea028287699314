import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { PrismaClient } from './generated/client.js'

export type { PrismaClient } from './generated/client.js'

/**
 * A Prisma client on a pool that stays the caller's: `$disconnect()` does not end it.
 *
 * The pool's sessions must be in UTC: Prisma's adapter sends and reads instants without an offset,
 * so in another time zone they are stored shifted by it.
 *
 * @example
 * ```ts
 * const pool = new pg.Pool({ connectionString, options: '-c TimeZone=UTC' })
 * const prisma = createPrismaClient(pool)
 * await prisma.authUser.count()
 * ```
 */
export function createPrismaClient(pool: pg.Pool): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: false }) })
}
