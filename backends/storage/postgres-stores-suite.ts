import type pg from 'pg'
import type { TestDatabase } from '../../prisma/test-database.js'
import { createPool } from './pool.js'
import { providerTokenStoreSuite } from './provider-token-store-suite.js'
import { sessionStoreSuite } from './session-store-suite.js'
import { type AuthStores, createPostgresStores } from './stores.js'
import { createTestUser } from './testing/test-user.js'
import { transactionStoreSuite } from './transaction-store-suite.js'

interface Opened {
  readonly stores: AuthStores
  readonly others: AuthStores
  readonly pool: pg.Pool
  readonly close: () => Promise<void>
}

/** The suites of all stores in Postgres, each on a database of its own with the migrations applied. */
export function postgresStoresSuite(name: string, create: () => Promise<TestDatabase>): void {
  const open = async (): Promise<Opened> => {
    const database = await create()
    const [pool, otherPool] = [
      createPool(database.url, { max: 30 }),
      createPool(database.url, { max: 30 }),
    ]
    return {
      stores: createPostgresStores(pool),
      others: createPostgresStores(otherPool),
      pool,
      async close() {
        await pool.end()
        await otherPool.end()
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
      keepsExpired: true,
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
    const { stores, pool, close } = await open()
    return {
      ...stores,
      createUser: () => createTestUser(stores.users),
      async stored(id) {
        const { rows } = await pool.query<Record<string, string | null>>(
          'SELECT access_token, refresh_token, id_token FROM auth_provider_tokens WHERE session_key = $1',
          [`session:${id}`],
        )
        return rows[0] ?? {}
      },
      async overwrite(id, fields) {
        for (const [field, value] of Object.entries(fields)) {
          await pool.query(`UPDATE auth_provider_tokens SET ${field} = $2 WHERE session_key = $1`, [
            `session:${id}`,
            value,
          ])
        }
      },
      close,
    }
  })
}
