import { providerError } from '@netscript/plugin-auth-core'
import { clientNetworks } from '@netscript/plugin-auth-core/internal'
import { createFairQueue, type FairQueue } from './fair-queue.js'
import { ProviderAnswerError } from './provider-failure.js'

/** Options of {@link createProviderGate}. */
export interface ProviderGateOptions {
  /** Maximum number of concurrent sign-ins that call a provider. @default 64 */
  concurrent?: number
  /** Maximum number of sign-ins that wait for a provider. @default 10000 */
  waiting?: number
  /** Maximum wait, in milliseconds. @default 30000 */
  waitMs?: number
}

/** Limits the concurrent calls of this process to each provider, however many clients sign in. */
export interface ProviderGate {
  /**
   * Runs the part of a sign-in that calls the provider, when it is the turn of the client at
   * `address`.
   * @throws AuthError `AUTH_PROVIDER_ERROR` when the wait is too long or the queue is full.
   */
  run<T>(providerId: string, address: string | undefined, operation: () => Promise<T>): Promise<T>
}

interface Waiting {
  readonly enter: () => void
  readonly refuse: (why: string) => void
}

interface Lane {
  running: number
  readonly queue: FairQueue<Waiting>
}

/**
 * Creates a {@link ProviderGate} with a fair queue per provider: a network with a thousand waiting
 * sign-ins delays each sign-in of another network by one turn. A client within its rate limit is
 * refused only when the provider is too slow for everyone. A full queue drops sign-ins of the network
 * with the most.
 */
export function createProviderGate({
  concurrent = 64,
  waiting = 10_000,
  waitMs = 30_000,
}: ProviderGateOptions = {}): ProviderGate {
  const lanes = new Map<string, Lane>()

  const turn = (providerId: string, { queue }: Lane, address: string | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const networks = clientNetworks(address)
      const waits: Waiting = {
        enter() {
          clearTimeout(timer)
          resolve()
        },
        refuse(why) {
          clearTimeout(timer)
          reject(
            providerError(
              providerId,
              'The provider is busy. Start the sign-in again in a minute.',
              {
                cause: new ProviderAnswerError('busy', why),
              },
            ),
          )
        },
      }
      const timer = setTimeout(() => {
        queue.remove(waits, networks)
        waits.refuse(`The turn of a sign-in did not come within ${waitMs} ms.`)
      }, waitMs)
      queue.push(waits, networks)
      if (queue.size > waiting) {
        queue.dropNewestOfLongest()?.refuse(`More than ${waiting} sign-ins wait for the provider.`)
      }
    })

  return {
    async run(providerId, address, operation) {
      let lane = lanes.get(providerId)
      if (!lane) lanes.set(providerId, (lane = { running: 0, queue: createFairQueue() }))
      if (lane.running < concurrent) lane.running += 1
      else await turn(providerId, lane, address)
      try {
        return await operation()
      } finally {
        // Hands the slot to the next in the queue without releasing it.
        const next = lane.queue.shift()
        if (next) next.enter()
        else lane.running -= 1
      }
    },
  }
}
