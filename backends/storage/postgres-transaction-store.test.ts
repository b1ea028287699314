import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import type { TransactionStore } from '../session-store.js'
import { createPool } from './pool.js'
import { createPostgresTransactionStore } from './postgres-transaction-store.js'

describe('TransactionStore: Postgres', () => {
  let database: TestDatabase
  let pools: ReturnType<typeof createPool>[]
  let store: TransactionStore
  let other: TransactionStore

  beforeAll(async () => {
    database = await createTestDatabase()
    pools = [createPool(database.url, { max: 30 }), createPool(database.url, { max: 30 })]
    store = createPostgresTransactionStore(pools[0]!)
    other = createPostgresTransactionStore(pools[1]!)
  })
  afterAll(async () => {
    for (const pool of pools) await pool.end()
    await database.drop()
  })

  it('gives what was put to the one who has the key and the state', async () => {
    await store.put('a', { stateHash: 'state', sealed: 'sealed' }, 60_000)
    expect(await other.take('a', 'state')).toBe('sealed')
    expect(await store.take('a', 'state')).toBeUndefined()
  })

  it('leaves it where it is for another state', async () => {
    await store.put('b', { stateHash: 'state', sealed: 'sealed' }, 60_000)
    expect(await store.take('b', 'foreign')).toBeUndefined()
    expect(await store.take('b', 'state')).toBe('sealed')
  })

  it('gives nothing that expired', async () => {
    await store.put('c', { stateHash: 'state', sealed: 'sealed' }, -1)
    expect(await store.take('c', 'state')).toBeUndefined()
  })

  it('has one winner of fifty who take at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const key = `race-${round}`
      await store.put(key, { stateHash: 'state', sealed: 'sealed' }, 60_000)
      const taken = await Promise.all(
        Array.from({ length: 50 }, (_, n) => (n % 2 ? store : other).take(key, 'state')),
      )
      expect(taken.filter(Boolean)).toEqual(['sealed'])
    }
  })
})
