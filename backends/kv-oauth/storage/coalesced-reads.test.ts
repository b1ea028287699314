import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { coalesceReads } from './coalesced-reads.js'

/** A reader whose queries the test releases. */
function manualReader() {
  const queries: { keys: string[]; answer: () => void; fail: (error: Error) => void }[] = []
  const readMany = (keys: string[]) =>
    new Promise<Map<string, string>>((resolve, reject) => {
      queries.push({
        keys,
        answer: () => resolve(new Map(keys.map((key) => [key, `value of ${key}`]))),
        fail: reject,
      })
    })
  return { queries, readMany }
}

/** Lets the immediates run that a result or a read has caused. */
const settle = async () => {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('coalesceReads', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('sends the reads of a turn together, and then those that arrived meanwhile', async () => {
    const { queries, readMany } = manualReader()
    const read = coalesceReads(readMany)
    const reads = [read('a'), read('b')]
    await settle()
    reads.push(read('c'))
    await settle()
    reads.push(read('d'))
    await settle()
    expect(queries.map(({ keys }) => keys)).toEqual([['a', 'b']])
    queries[0]!.answer()
    await settle()
    expect(queries.map(({ keys }) => keys)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
    queries[1]!.answer()
    expect(await Promise.all(reads)).toEqual(['a', 'b', 'c', 'd'].map((k) => `value of ${k}`))
  })

  it('sends what waits when one query returns, even if another has just left', async () => {
    const { queries, readMany } = manualReader()
    const read = coalesceReads(readMany, { patienceMs: 20 })
    void read('slow')
    await settle()
    vi.advanceTimersByTime(20)
    void read('recent')
    await settle()
    void read('waiting')
    queries[0]!.answer()
    await settle()
    expect(queries.map(({ keys }) => keys)).toEqual([['slow'], ['recent'], ['waiting']])
  })

  it('does not let a slow query block later reads', async () => {
    const { queries, readMany } = manualReader()
    const read = coalesceReads(readMany, { patienceMs: 20 })
    const stuck = read('stuck')
    await settle()
    vi.advanceTimersByTime(19)
    const behind = [read('a')]
    await settle()
    expect(queries).toHaveLength(1)
    vi.advanceTimersByTime(1)
    behind.push(read('b'))
    await settle()
    expect(queries.map(({ keys }) => keys)).toEqual([['stuck'], ['a', 'b']])
    for (let n = 1; n < 4; n += 1) {
      behind.push(read(`later ${n}`))
      queries[n]!.answer()
      await settle()
      expect(queries[n + 1]?.keys).toEqual([`later ${n}`])
    }
    queries[4]!.answer()
    expect(await Promise.all(behind)).toHaveLength(5)
    queries[0]!.answer()
    expect(await stuck).toBe('value of stuck')
  })

  it('limits the queries in flight, however slow they are', async () => {
    const { queries, readMany } = manualReader()
    const read = coalesceReads(readMany)
    for (const key of ['a', 'b', 'c', 'd']) {
      void read(key)
      await settle()
      vi.advanceTimersByTime(1_000)
    }
    expect(queries.map(({ keys }) => keys)).toEqual([['a'], ['b']])
  })

  it('releases every slot, after a result and after a failure', async () => {
    const { queries, readMany } = manualReader()
    const read = coalesceReads(readMany, { maxInFlight: 1 })
    for (let n = 0; n < 4; n += 2) {
      const answered = read('a')
      await settle()
      const failed = read('b')
      queries[n]!.answer()
      await answered
      await settle()
      queries[n + 1]!.fail(new Error('down'))
      await expect(failed).rejects.toThrow('down')
      await settle()
    }
    expect(queries.map(({ keys }) => keys)).toEqual([['a'], ['b'], ['a'], ['b']])
  })

  it('reads a waiting key once, but reads a key in flight again', async () => {
    const { queries, readMany } = manualReader()
    const read = coalesceReads(readMany, { maxInFlight: 1 })
    const reads = [read('a')]
    await settle()
    reads.push(read('a'), read('a'))
    queries[0]!.answer()
    await settle()
    expect(queries.map(({ keys }) => keys)).toEqual([['a'], ['a']])
    queries[1]!.answer()
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['value of a']))
  })

  it('returns undefined for a missing key', async () => {
    const read = coalesceReads(async () => new Map())
    expect(await read('a')).toBeUndefined()
  })

  it('rejects the reads of a failed query, and continues', async () => {
    const { queries, readMany } = manualReader()
    const read = coalesceReads(readMany, { maxInFlight: 1 })
    const first = read('a')
    await settle()
    const second = read('b')
    queries[0]!.fail(new Error('down'))
    await expect(first).rejects.toThrow('down')
    await settle()
    queries[1]!.answer()
    expect(await second).toBe('value of b')
  })

  it('limits the keys per query', async () => {
    const { queries, readMany } = manualReader()
    const read = coalesceReads(readMany, { maxInFlight: 1, maxKeys: 2 })
    const reads = ['a', 'b', 'c', 'd', 'e'].map((key) => read(key))
    await settle()
    for (let n = 0; n < 3; n += 1) {
      queries[n]!.answer()
      await settle()
    }
    expect(queries.map(({ keys }) => keys)).toEqual([['a', 'b'], ['c', 'd'], ['e']])
    expect(await Promise.all(reads)).toHaveLength(5)
  })
})
