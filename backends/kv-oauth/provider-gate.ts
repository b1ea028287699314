import { providerError } from '@netscript/plugin-auth-core'
import { type ClientNetwork, clientNetworks } from '@netscript/plugin-auth-core/internal'
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

/**
 * A queue that is fair between client networks: the widest networks take turns; each shares its
 * turn among the networks inside it, then moves to the end of the line.
 */
export interface FairQueue<Item> {
  /** Number of waiting items. */
  readonly size: number
  /** Adds an item of a client; `networks` are ordered from narrow to wide. */
  push(item: Item, networks: readonly ClientNetwork[]): void
  /** Removes and returns the next item. */
  shift(): Item | undefined
  /** Removes a waiting item. Does nothing when it is absent. */
  remove(item: Item, networks: readonly ClientNetwork[]): void
  /**
   * Removes the newest item of the network with the most waiting items per client it counts for.
   */
  dropNewestOfLongest(): Item | undefined
}

interface Branch<Item> {
  readonly clients: number
  size: number
  /** Networks inside this one, in turn order. */
  readonly branches: Map<string, Branch<Item>>
  /** Items of one client; only the narrowest networks have any. */
  readonly items: Item[]
}

const newBranch = <Item>(clients: number): Branch<Item> => ({
  clients,
  size: 0,
  branches: new Map(),
  items: [],
})

/** An empty {@link FairQueue}. */
export function createFairQueue<Item>(): FairQueue<Item> {
  const root = newBranch<Item>(1)
  return {
    get size() {
      return root.size
    },
    push(item, networks) {
      root.size += 1
      let branch = root
      for (const { cidr, clients } of networks.toReversed()) {
        let next = branch.branches.get(cidr)
        if (!next) branch.branches.set(cidr, (next = newBranch(clients)))
        next.size += 1
        branch = next
      }
      branch.items.push(item)
    },
    shift: () => (root.size === 0 ? undefined : takeNext(root)),
    remove(item, networks) {
      removeFrom(root, item, networks.toReversed())
    },
    dropNewestOfLongest: () => (root.size === 0 ? undefined : takeNewestOfLongest(root)),
  }
}

function takeNext<Item>(branch: Branch<Item>): Item | undefined {
  branch.size -= 1
  const [turn] = branch.branches
  if (!turn) return branch.items.shift()
  const [cidr, inside] = turn
  const item = takeNext(inside)
  branch.branches.delete(cidr)
  if (inside.size > 0) branch.branches.set(cidr, inside)
  return item
}

function takeNewestOfLongest<Item>(branch: Branch<Item>): Item | undefined {
  branch.size -= 1
  let longest: [string, Branch<Item>] | undefined
  for (const entry of branch.branches) {
    if (!longest || load(entry[1]) >= load(longest[1])) longest = entry
  }
  if (!longest) return branch.items.pop()
  const [cidr, inside] = longest
  const item = takeNewestOfLongest(inside)
  if (inside.size === 0) branch.branches.delete(cidr)
  return item
}

const load = ({ size, clients }: Branch<unknown>): number => size / clients

function removeFrom<Item>(
  branch: Branch<Item>,
  item: Item,
  [network, ...inner]: readonly ClientNetwork[],
): boolean {
  if (network) {
    const inside = branch.branches.get(network.cidr)
    if (!inside || !removeFrom(inside, item, inner)) return false
    if (inside.size === 0) branch.branches.delete(network.cidr)
  } else {
    const at = branch.items.indexOf(item)
    if (at < 0) return false
    branch.items.splice(at, 1)
  }
  branch.size -= 1
  return true
}
