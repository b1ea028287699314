import type { ClientNetwork } from '@netscript/plugin-auth-core/internal'

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
