import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TransactionStore } from '../session-store.js'

/** A store under test. */
export interface TransactionStoreUnderTest {
  store: TransactionStore
  /** The same store on separate connections. */
  other: TransactionStore
  close(): Promise<void>
}

/** The suite for every {@link TransactionStore}. */
export function transactionStoreSuite(
  name: string,
  make: () => Promise<TransactionStoreUnderTest>,
): void {
  describe(`TransactionStore: ${name}`, () => {
    let sut: TransactionStoreUnderTest
    beforeAll(async () => {
      sut = await make()
    })
    afterAll(() => sut.close())

    it('returns the entry for its key and state', async () => {
      await sut.store.put('a', { stateHash: 'state', sealed: 'sealed' }, 60_000)
      expect(await sut.other.take('a', 'state')).toBe('sealed')
      expect(await sut.store.take('a', 'state')).toBeUndefined()
    })

    it('does not remove the entry for another state', async () => {
      await sut.store.put('b', { stateHash: 'state', sealed: 'sealed' }, 60_000)
      expect(await sut.store.take('b', 'foreign')).toBeUndefined()
      expect(await sut.store.take('b', 'state')).toBe('sealed')
    })

    it('returns no expired entry', async () => {
      for (const ttlMs of [-1, 0]) {
        await sut.store.put('c', { stateHash: 'state', sealed: 'sealed' }, ttlMs)
        expect(await sut.store.take('c', 'state')).toBeUndefined()
      }
    })

    it('has exactly one winner of fifty concurrent calls', async () => {
      for (let round = 0; round < 10; round += 1) {
        const key = `race-${round}`
        await sut.store.put(key, { stateHash: 'state', sealed: 'sealed' }, 60_000)
        const taken = await Promise.all(
          Array.from({ length: 50 }, (_, n) => (n % 2 ? sut.store : sut.other).take(key, 'state')),
        )
        expect(taken.filter(Boolean)).toEqual(['sealed'])
      }
    })
  })
}
