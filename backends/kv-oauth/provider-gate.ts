import { providerError } from '@netscript/plugin-auth-core'
import { clientNetworks } from '@netscript/plugin-auth-core/internal'
import { createFairQueue, type FairQueue } from './fair-queue.js'
import { ProviderAnswerError } from './provider-failure.js'

/** Options of {@link createProviderGate}. */
export interface ProviderGateOptions {
  /** Maximum number of sign-ins that talk to one provider at once. Default: 64. */
  concurrent?: number
  /** Maximum number of sign-ins that wait for one provider. Default: 10,000. */
  waiting?: number
  /** Maximum wait in milliseconds. Default: 30,000. */
  waitMs?: number
}

/** Caps what this process asks of each provider at once, however many clients sign in. */
export interface ProviderGate {
  /**
   * Runs the part of a sign-in that talks to the provider, when it is the turn of the client at
   * `address`.
   * @throws AuthError `AUTH_PROVIDER_ERROR` when its turn does not come.
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
 * A {@link ProviderGate} with a fair queue for each provider: a network with a thousand waiting
 * sign-ins delays those of another by one turn each. A client within its rate limit is refused only
 * when the provider is too slow for everyone. A full queue drops sign-ins of the network that has
 * most of them.
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
        // The place goes to the next in line, who never sees it free.
        const next = lane.queue.shift()
        if (next) next.enter()
        else lane.running -= 1
      }
    },
  }
}
