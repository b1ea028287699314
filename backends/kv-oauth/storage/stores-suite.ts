import type { PostgresPool } from '@netscript/auth-database'
import { createTestDatabase, type TestDatabase } from '../../../prisma/test-database.js'
import { silentLog } from '../../log.js'
import { createPool } from '../../../prisma/pool.js'
import { operatorRolesSuite } from './operator-roles-suite.js'
import {
  providerTokenStoreSuite,
  type ProviderTokenStoreUnderTest,
} from './provider-token-store-suite.js'
import { accountsSuite } from './accounts-suite.js'
import { connectRedis } from './redis-connection.js'
import { sessionKeys } from './redis-session-store.js'
import { parseRedisUrls } from './redis-url.js'
import { sessionStoreSuite } from './session-store-suite.js'
import { signInStoreSuite } from './sign-in-store-suite.js'
import type { KvOAuthStores } from '../session-store.js'
import { createPostgresStores, openStores } from './stores.js'
import { trailOf } from './testing/audit-trail.js'
import { createTestUser, withAccounts } from './testing/test-user.js'
import { transactionStoreSuite } from './transaction-store-suite.js'

/** Stores on a separate database, and the same stores of another process. */
interface Opened extends Pick<ProviderTokenStoreUnderTest, 'stored' | 'overwrite'> {
  readonly stores: KvOAuthStores
  readonly others: KvOAuthStores
  readonly trail: (sessionId: string) => ReturnType<typeof trailOf>
  readonly close: () => Promise<void>
}

function storesSuite(name: string, keepsExpired: boolean, open: () => Promise<Opened>): void {
  sessionStoreSuite(name, async () => {
    const { stores, others, close } = await open()
    return {
      store: withAccounts(stores).sessions,
      other: withAccounts(others).sessions,
      createUser: () => createTestUser(stores.users),
      disableUser: (userId) => others.users.disable(userId),
      keepsExpired,
      close,
    }
  })

  accountsSuite(name, async () => {
    const { stores, others, trail, close } = await open()
    return { ...stores, others, trail, close }
  })

  signInStoreSuite(name, async () => {
    const { stores, others, trail, close } = await open()
    return { ...stores, others, trail, close }
  })

  operatorRolesSuite(name, async () => {
    const { stores, others, close } = await open()
    return { stores: withAccounts(stores), others: withAccounts(others), close }
  })

  transactionStoreSuite(name, async () => {
    const { stores, others, close } = await open()
    return { store: stores.transactions, other: others.transactions, close }
  })

  providerTokenStoreSuite(name, async () => {
    const { stores, stored, overwrite, close } = await open()
    const createUser = (): Promise<string> => createTestUser(stores.users)
    return { ...withAccounts(stores), createUser, stored, overwrite, close }
  })
}

/** The suites of all stores in Postgres, each on a migrated database. */
export function postgresStoresSuite(name: string, create: () => Promise<TestDatabase>): void {
  storesSuite(name, true, async () => {
    const database = await create()
    const [pool, otherPool] = [
      createPool(database.url, { max: 30 }),
      createPool(database.url, { max: 30 }),
    ]
    return {
      stores: createPostgresStores(pool),
      others: createPostgresStores(otherPool),
      trail: (id) => trailOf(pool, id),
      ...rowsOf(pool),
      async close() {
        await pool.end()
        await otherPool.end()
        await database.drop()
      },
    }
  })
}

/** The suites of all stores in Redis, on a running server. */
export function redisStoresSuite(name: string, urls: () => string): void {
  storesSuite(name, false, async () => {
    const database = await createTestDatabase()
    const pool = createPool(database.url)
    const options = { pool, sessionStore: urls() }
    const [stores, others] = [await openStores(options), await openStores(options)]
    const redis = await connectRedis(parseRedisUrls(urls()), silentLog)
    return {
      stores,
      others,
      trail: (id) => trailOf(pool, id),
      async stored({ id, providerId }, of) {
        const [, own, linked] = sessionKeys(id)
        const key = of === providerId ? own : linked
        return Object.fromEntries(
          Object.entries(await redis.run((client) => client.hGetAll(key))).map(([field, value]) => [
            field.replace(`${of}/`, ''),
            value,
          ]),
        )
      },
      async overwrite({ id, providerId }, of, fields) {
        const [, own, linked] = sessionKeys(id)
        const [key, prefix] = of === providerId ? [own, ''] : [linked, `${of}/`]
        for (const [field, value] of Object.entries(fields)) {
          await redis.run((client) => client.hSet(key, prefix + field, value))
        }
      },
      async close() {
        await redis.close()
        await stores.close()
        await others.close()
        await pool.end()
        await database.drop()
      },
    }
  })
}

const tableOf = (of: string, signIn: string): string =>
  of === signIn ? 'auth_provider_tokens' : 'auth_linked_provider_tokens'

const rowsOf = (pool: PostgresPool): Pick<Opened, 'stored' | 'overwrite'> => ({
  async stored({ id, providerId }, of) {
    const { rows } = await pool.query<Record<string, string | null>>(
      `SELECT access_token, refresh_token, id_token FROM ${tableOf(of, providerId)}
       WHERE session_key = $1`,
      [`session:${id}`],
    )
    return rows[0] ?? {}
  },
  async overwrite({ id, providerId }, of, fields) {
    for (const [field, value] of Object.entries(fields)) {
      await pool.query(
        `UPDATE ${tableOf(of, providerId)} SET ${field} = $2 WHERE session_key = $1`,
        [`session:${id}`, value],
      )
    }
  },
})
