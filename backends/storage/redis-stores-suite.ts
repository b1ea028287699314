import type pg from 'pg'
import { createTestDatabase } from '../../prisma/test-database.js'
import { silentLog } from '../log.js'
import { createPool } from './pool.js'
import { providerTokenStoreSuite } from './provider-token-store-suite.js'
import { connectRedis } from './redis-connection.js'
import { sessionKeys } from './redis-session-store.js'
import { parseRedisUrls } from './redis-url.js'
import { sessionStoreSuite } from './session-store-suite.js'
import { type AuthStores, openStores } from './stores.js'
import { createTestUser } from './testing/test-user.js'
import { transactionStoreSuite } from './transaction-store-suite.js'

interface Opened {
  readonly stores: AuthStores
  readonly others: AuthStores
  readonly pool: pg.Pool
  readonly close: () => Promise<void>
}

/** The suites of all stores that can be in Redis, on one that is running. */
export function redisStoresSuite(name: string, urls: () => string): void {
  const open = async (): Promise<Opened> => {
    const database = await createTestDatabase()
    const pool = createPool(database.url)
    const options = { pool, sessionStore: urls() }
    const [stores, others] = [await openStores(options), await openStores(options)]
    return {
      stores,
      others,
      pool,
      async close() {
        await stores.close()
        await others.close()
        await pool.end()
        await database.drop()
      },
    }
  }

  sessionStoreSuite(name, async () => {
    const { stores, others, close } = await open()
    return {
      store: stores.sessions,
      other: others.sessions,
      createUser: () => createTestUser(stores.users),
      disableUser: (userId) => others.users.disable(userId),
      keepsExpired: false,
      close,
    }
  })

  transactionStoreSuite(name, async () => {
    const { stores, others, close } = await open()
    return {
      store: stores.transactions,
      other: others.transactions,
      close,
    }
  })

  providerTokenStoreSuite(name, async () => {
    const { stores, close } = await open()
    const redis = await connectRedis(parseRedisUrls(urls()), silentLog)
    return {
      ...stores,
      createUser: () => createTestUser(stores.users),
      stored: async (id) => ({
        ...(await redis.run((client) => client.hGetAll(sessionKeys(id)[1]))),
      }),
      async overwrite(id, fields) {
        await redis.run((client) => client.hSet(sessionKeys(id)[1], fields))
      },
      async close() {
        await redis.close()
        await close()
      },
    }
  })
}
