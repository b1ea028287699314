type Waiter = {
  resolve: (value: string | undefined) => void
  reject: (error: unknown) => void
}

/** Options of {@link coalesceReads}. */
export interface CoalescedReadsOptions {
  /** Queries in flight at most. Default: 2. */
  maxInFlight?: number
  /** How long a query may hold up the reads behind it, in milliseconds. Default: 20. */
  patienceMs?: number
  /** Keys in one query at most. Default: 500. */
  maxKeys?: number
}

/**
 * Turns single reads into batches: a read leaves at once while no query is in flight, and reads that
 * arrive meanwhile leave together when it is answered. A slow query holds nobody up: the next read
 * finds it late and leaves with those that wait, in a slot of its own. There is no timer and no
 * cache, so every answer was read after it was asked for.
 */
export function coalesceReads(
  readMany: (keys: string[]) => Promise<ReadonlyMap<string, string>>,
  { maxInFlight = 2, patienceMs = 20, maxKeys = 500 }: CoalescedReadsOptions = {},
): (key: string) => Promise<string | undefined> {
  const inFlight = new Set<{ leftAt: number }>()
  const waiting = new Map<string, Waiter[]>()

  const takeBatch = (): Map<string, Waiter[]> => {
    const batch = new Map<string, Waiter[]>()
    for (const [key, waiters] of waiting) {
      if (batch.size === maxKeys) break
      batch.set(key, waiters)
      waiting.delete(key)
    }
    return batch
  }

  const mustWait = (): boolean => {
    if (inFlight.size === maxInFlight) return true
    for (const { leftAt } of inFlight) if (performance.now() - leftAt < patienceMs) return true
    return false
  }

  const leave = async (): Promise<void> => {
    const batch = takeBatch()
    const query = { leftAt: performance.now() }
    inFlight.add(query)
    try {
      const values = await readMany([...batch.keys()])
      for (const [key, waiters] of batch) {
        for (const waiter of waiters) waiter.resolve(values.get(key))
      }
    } catch (error) {
      for (const waiters of batch.values()) for (const waiter of waiters) waiter.reject(error)
    } finally {
      inFlight.delete(query)
      if (waiting.size > 0) void leave()
    }
  }

  return (key) =>
    new Promise((resolve, reject) => {
      const waiters = waiting.get(key)
      if (waiters) waiters.push({ resolve, reject })
      else waiting.set(key, [{ resolve, reject }])
      if (!mustWait()) void leave()
    })
}
