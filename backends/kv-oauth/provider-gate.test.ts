import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createProviderGate, type ProviderGate, type ProviderGateOptions } from './provider-gate.js'

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
