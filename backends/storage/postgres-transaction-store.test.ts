import { createTestDatabase } from '../../prisma/test-database.js'
import { createPool } from './pool.js'
import { createPostgresTransactionStore } from './postgres-transaction-store.js'
import { transactionStoreSuite } from './transaction-store-suite.js'

transactionStoreSuite('Postgres', async () => {
  const database = await createTestDatabase()
  const [pool, otherPool] = [
    createPool(database.url, { max: 30 }),
    createPool(database.url, { max: 30 }),
  ]
  return {
    store: createPostgresTransactionStore(pool),
    other: createPostgresTransactionStore(otherPool),
    close: async () => {
      await pool.end()
      await otherPool.end()
      await database.drop()
    },
  }
})
