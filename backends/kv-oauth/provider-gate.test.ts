import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  createFairQueue,
  createProviderGate,
  type FairQueue,
  type ProviderGate,
  type ProviderGateOptions,
} from './provider-gate.js'
import fc from 'fast-check'
import { clientNetworks } from '../client-network.js'

/** A provider whose responses the test releases. */
function slowProvider(options: ProviderGateOptions, id = 'slow') {
  const gate: ProviderGate = createProviderGate(options)
  const answers: (() => void)[] = []
  const finished: string[] = []
  const refused: string[] = []
  let most = 0
  return {
    gate,
    finished,
    refused,
    most: () => most,
    running: () => answers.length,
    ask(address: string, provider = id): Promise<void> {
      return gate
        .run(provider, address, async () => {
          await new Promise<void>((resolve) => {
            answers.push(resolve)
            most = Math.max(most, answers.length)
          })
          finished.push(address)
        })
        .catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'AUTH_PROVIDER_ERROR' })
          refused.push(address)
        })
    },
    /** Releases the response to the oldest call. */
    async answer(count = 1): Promise<void> {
      for (let n = 0; n <= count; n += 1) {
        await new Promise((resolve) => setImmediate(resolve))
        if (n < count) answers.shift()?.()
      }
    },
  }
}

describe('the gate of a provider', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => vi.useRealTimers())

  it('limits concurrent sign-ins, and runs all of them eventually', async () => {
    const provider = slowProvider({ concurrent: 3 })
    const all = Array.from({ length: 20 }, (_, n) => provider.ask(`192.0.2.${n}`))
    await provider.answer(20)
    await Promise.all(all)
    expect(provider.most()).toBe(3)
    expect(provider.finished).toHaveLength(20)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets a client wait one turn behind a network with a thousand waiting sign-ins', async () => {
    const provider = slowProvider({ concurrent: 2 })
    for (let n = 0; n < 1_000; n += 1) {
      void provider.ask(`2001:db8:1:${(n % 11).toString(16)}::${n.toString(16)}`)
    }
    void provider.ask('192.0.2.1')
    void provider.ask('192.0.2.1')
    await provider.answer(2 + 4)
    expect(provider.finished.filter((address) => address === '192.0.2.1')).toHaveLength(2)
    expect(provider.refused).toEqual([])
  })

  it('has a separate queue for each provider', async () => {
    const provider = slowProvider({ concurrent: 1 })
    void provider.ask('192.0.2.1', 'slow')
    void provider.ask('192.0.2.1', 'slow')
    void provider.ask('192.0.2.1', 'other')
    await provider.answer(0)
    expect(provider.running()).toBe(2)
  })

  it('continues after failures', async () => {
    const gate = createProviderGate({ concurrent: 1 })
    const fail = () => gate.run('slow', '192.0.2.1', () => Promise.reject(new Error('down')))
    const calls = [fail(), fail(), fail()]
    for (const call of calls) await expect(call).rejects.toThrow('down')
    await expect(gate.run('slow', '192.0.2.1', async () => 'up')).resolves.toBe('up')
  })

  it('refuses a sign-in that waits too long, but not later ones', async () => {
    const provider = slowProvider({ concurrent: 1, waitMs: 30_000 })
    const [, late] = [provider.ask('192.0.2.1'), provider.ask('192.0.2.2')]
    vi.advanceTimersByTime(29_999)
    const waits = provider.ask('192.0.2.3')
    vi.advanceTimersByTime(1)
    await late
    expect(provider.refused).toEqual(['192.0.2.2'])
    await provider.answer(2)
    await waits
    expect(provider.finished).toEqual(['192.0.2.1', '192.0.2.3'])
  })

  it('drops sign-ins of the network with the most when the queue is full', async () => {
    const provider = slowProvider({ concurrent: 1, waiting: 100 })
    for (let n = 0; n < 200; n += 1) void provider.ask(`2001:db8:1:1::${n.toString(16)}`)
    for (let n = 1; n <= 50; n += 1) void provider.ask(`192.0.2.${n}`)
    await provider.answer(0)
    expect(provider.refused).toHaveLength(200 - 101 + 50)
    expect(provider.refused.every((address) => address.startsWith('2001:db8:1:1:'))).toBe(true)
    await provider.answer(110)
    expect(provider.finished.filter((address) => address.startsWith('192'))).toHaveLength(50)
  })
})

const push = (queue: FairQueue<string>, address: string, count: number): void => {
  for (let n = 1; n <= count; n += 1) queue.push(`${address}#${n}`, clientNetworks(address))
}
/** The addresses of the next items. */
const next = (queue: FairQueue<string>, count: number): (string | undefined)[] =>
  Array.from({ length: count }, () => queue.shift()?.split('#')[0])

describe('the fair queue', () => {
  it('lets a client behind a thousand items of another network wait one turn', () => {
    const queue = createFairQueue<string>()
    push(queue, '192.0.2.1', 1_000)
    push(queue, '192.0.2.2', 2)
    expect(next(queue, 5)).toEqual([
      '192.0.2.1',
      '192.0.2.2',
      '192.0.2.1',
      '192.0.2.2',
      '192.0.2.1',
    ])
  })

  it.each([
    ['/64 of one /56', (n: number) => `2001:db8:1:${n.toString(16)}::1`],
    ['/56 of one /48', (n: number) => `2001:db8:1:${(n << 8).toString(16)}::1`],
    ['addresses of one /64', (n: number) => `2001:db8:1:1::${n.toString(16)}`],
  ])('gives a hundred %s one turn together', (_, addressOf) => {
    const queue = createFairQueue<string>()
    for (let n = 1; n <= 100; n += 1) push(queue, addressOf(n), 10)
    push(queue, '192.0.2.1', 3)
    push(queue, '2001:db8:2::1', 3)
    const turns = next(queue, 9)
    for (const address of ['192.0.2.1', '2001:db8:2::1']) {
      expect(turns.filter((turn) => turn === address)).toHaveLength(3)
    }
  })

  it('shares the turn of a site among its homes, and that of a home among its links', () => {
    const queue = createFairQueue<string>()
    const [crowd, neighbour, elsewhere] = [
      '2001:db8:1:1::1',
      '2001:db8:1:2::1',
      '2001:db8:1:100::1',
    ]
    push(queue, crowd, 100)
    push(queue, neighbour, 100)
    push(queue, elsewhere, 100)
    expect(next(queue, 8)).toEqual([
      ...[crowd, elsewhere, neighbour, elsewhere],
      ...[crowd, elsewhere, neighbour, elsewhere],
    ])
  })

  it('keeps the order of the items of one client', () => {
    const queue = createFairQueue<string>()
    push(queue, '2001:db8::1', 3)
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([
      ...['2001:db8::1#1', '2001:db8::1#2', '2001:db8::1#3', undefined],
    ])
  })

  it('drops from the network with the most items per client', () => {
    const queue = createFairQueue<string>()
    push(queue, '192.0.2.1', 20)
    for (let n = 1; n <= 64; n += 1) push(queue, `2001:db8:1:${n.toString(16)}::1`, 1)
    push(queue, '192.0.2.2', 1)
    expect(queue.dropNewestOfLongest()).toBe('192.0.2.1#20')
    for (let n = 19; n > 4; n -= 1) expect(queue.dropNewestOfLongest()).toBe(`192.0.2.1#${n}`)
    expect(queue.dropNewestOfLongest()).toMatch(/^2001:db8:1:/)
  })

  it('drops the newest item if all networks have equally many', () => {
    const queue = createFairQueue<string>()
    for (let n = 1; n <= 5; n += 1) push(queue, `192.0.2.${n}`, 1)
    expect(queue.dropNewestOfLongest()).toBe('192.0.2.5#1')
  })

  it('never loses or repeats an item, in any order of operations', () => {
    const address = fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8:1:1::1', '2001:db8:1:2::1')
    const step = fc.tuple(fc.constantFrom('push', 'shift', 'drop', 'remove'), address)
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = createFairQueue<string>()
        const held = new Map<string, string>()
        const taken = (item: string | undefined): void => {
          if (held.size === 0) expect(item).toBeUndefined()
          else expect(held.delete(item ?? '')).toBe(true)
        }
        for (const [at, [action, from]] of steps.entries()) {
          if (action === 'push') {
            held.set(`${from}#${at}`, from)
            queue.push(`${from}#${at}`, clientNetworks(from))
          } else if (action === 'remove') {
            const [item, of] = [...held].at(at % Math.max(1, held.size)) ?? ['none', from]
            queue.remove(item, clientNetworks(of))
            held.delete(item)
          } else taken(action === 'shift' ? queue.shift() : queue.dropNewestOfLongest())
          expect(queue.size).toBe(held.size)
        }
        while (held.size > 0) taken(queue.shift())
        taken(queue.shift())
      }),
    )
  })
})
