import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clientNetworks } from '../client-network.js'
import { createFairQueue, type FairQueue } from './fair-queue.js'

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
