import pg from 'pg'
import { PrismaClient } from './generated/client.js'
import type { PostgresPool } from './postgres-pool.js'
import { PrismaPg } from '@prisma/adapter-pg'
import type { SqlQuery, SqlQueryable } from '@prisma/driver-adapter-utils'
import { tableSchema } from './pool.js'

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

type Connection = Awaited<ReturnType<PrismaPg['connect']>>

/**
 * Prisma's adapter for pools with any `search_path` and any time zone. The stock adapter sends and
 * reads timestamps without an offset and qualifies every table with `public`.
 */
class PoolAdapter extends PrismaPg {
  readonly #pool: pg.Pool

  constructor(pool: pg.Pool) {
    super(withOffsets(pool), { disposeExternalPool: false })
    this.#pool = pool
  }

  override async connect(): Promise<Connection> {
    const schemaName = await tableSchema(this.#pool)
    const connection = await super.connect()
    const startTransaction = connection.startTransaction.bind(connection)
    connection.startTransaction = async (isolation) =>
      sendOffsets(await startTransaction(isolation))
    const info = connection.getConnectionInfo()
    connection.getConnectionInfo = () => ({
      ...info,
      ...(schemaName !== undefined && { schemaName }),
    })
    return sendOffsets(connection)
  }
}

function sendOffsets<Target extends SqlQueryable>(target: Target): Target {
  const [queryRaw, executeRaw] = [target.queryRaw.bind(target), target.executeRaw.bind(target)]
  target.queryRaw = (query) => queryRaw(withInstants(query))
  target.executeRaw = (query) => executeRaw(withInstants(query))
  return target
}

/** The query with its timestamps as UTC text, which the adapter passes through unchanged. */
function withInstants(query: SqlQuery): SqlQuery {
  const args = [...query.args]
  const argTypes = query.argTypes.map((type, n) => {
    if (type.scalarType !== 'datetime' || /^(DATE|TIME|TIMETZ)$/.test(type.dbType ?? ''))
      return type
    args[n] = instants(args[n])
    return { scalarType: 'string', arity: type.arity } as const
  })
  return { ...query, args, argTypes }
}

function instants(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(instants)
  return value === null ? null : new Date(value as string | Date).toISOString()
}

/** The pool or connection, with results that keep the UTC offset of timestamps. */
function withOffsets<Target extends pg.Pool | pg.PoolClient>(target: Target): Target {
  return new Proxy(target, {
    get(_, property) {
      if (property === 'query') {
        return (query: pg.QueryConfig) =>
          target.query({ ...query, types: keepOffsets(query.types) })
      }
      if (property === 'connect') {
        return async () => withOffsets((await target.connect()) as pg.PoolClient)
      }
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** The type `timestamptz` and its arrays. */
const INSTANT_TYPES: ReadonlySet<number> = new Set([pg.types.builtins.TIMESTAMPTZ, 1185])
const INSTANT = /\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?[+-]\d\d(:\d\d){0,2}(?! BC)/g
/**
 * Values without a time of day: infinity, NULL, an empty list, or a year that Prisma cannot
 * represent.
 */
const OTHERS = /^\{?((-?infinity|NULL|"?[\d-]+ [\d:.+-]+ BC"?|,)*)\}?$/

/** Prisma's parsers drop the offset, so they are given UTC. */
function keepOffsets(types: pg.CustomTypesConfig = pg.types): pg.CustomTypesConfig {
  return {
    getTypeParser: (oid, format) => {
      const parse = types.getTypeParser(oid, format) as (text: string) => unknown
      if (!INSTANT_TYPES.has(oid)) return parse
      return (text: string) => parse(inUtc(text))
    },
  }
}

function inUtc(text: string): string {
  if (text.search(INSTANT) < 0 && !OTHERS.test(text)) {
    throw new Error(
      'Prisma reads times in the ISO style only. Set it for the role: ALTER ROLE <role> SET DateStyle = ISO.',
    )
  }
  return text.replace(INSTANT, (instant, fraction = '') => {
    const [, local = '', sign, hours, minutes = 0, seconds = 0] =
      /^([\d-]+ [\d:]+)(?:\.\d+)?([+-])(\d\d):?(\d\d)?:?(\d\d)?$/.exec(instant) ?? []
    const offsetMs = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000
    const localMs = Date.parse(`${local.replace(/^\d{5,}/, '+0$&').replace(' ', 'T')}Z`)
    const utc = new Date(sign === '-' ? localMs + offsetMs : localMs - offsetMs).toISOString()
    return `${utc.slice(0, -5).replace(/^\+0*/, '').replace('T', ' ')}${fraction}+00`
  })
}
