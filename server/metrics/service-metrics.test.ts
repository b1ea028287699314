import { describe, expect, it } from 'vitest'
import { createActiveSessions } from './service-metrics.js'

/** A store that answers when the test says so, and a clock. */
function scene(withinMs = 60_000) {
  const waiting: { resolve: (count: number) => void; reject: (error: Error) => void }[] = []
  let time = 0
  return {
    waiting,
    ask: createActiveSessions({
      count: () => new Promise((resolve, reject) => waiting.push({ resolve, reject })),
      now: () => time,
      withinMs,
    }),
    pass: (ms: number) => void (time += ms),
  }
}

describe('the number of live sessions', () => {
  it('is read at most once in fifteen seconds, for any number of scrapes', async () => {
    const { ask, waiting, pass } = scene()
    const both = Promise.all([ask(), ask()])
    waiting[0]?.resolve(3)
    expect(await both).toEqual([3, 3])
    pass(14_999)
    expect(await ask()).toBe(3)
    expect(waiting).toHaveLength(1)
    pass(1)
    const fresh = ask()
    waiting[1]?.resolve(4)
    expect(await fresh).toBe(4)
  })

  it('is unknown while the store is unavailable, without an immediate retry', async () => {
    const { ask, waiting, pass } = scene()
    const first = ask()
    waiting[0]?.reject(new Error('away'))
    expect(await first).toBeUndefined()
    expect(await ask()).toBeUndefined()
    expect(waiting).toHaveLength(1)
    pass(15_000)
    const second = ask()
    waiting[1]?.resolve(1)
    expect(await second).toBe(1)
  })

  it('has a timeout, and never queries concurrently', async () => {
    const { ask, waiting, pass } = scene(1)
    expect(await ask()).toBeUndefined()
    pass(15_000)
    expect(await ask()).toBeUndefined()
    expect(waiting).toHaveLength(1)
    waiting[0]?.resolve(9)
    expect(await ask()).toBe(9)
  })
})
