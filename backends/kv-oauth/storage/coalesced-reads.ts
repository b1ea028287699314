type Waiter = {
  resolve: (value: string | undefined) => void
  reject: (error: unknown) => void
}

/** Options of {@link coalesceReads}. */
interface CoalescedReadsOptions {
  /** Maximum number of queries in flight. @default 2 */
  maxInFlight?: number
  /** How long reads wait for a query in flight, in milliseconds. @default 20 */
  patienceMs?: number
  /** Maximum number of keys per query. @default 500 */
  maxKeys?: number
}

/**
 * Batches single reads. The reads of one turn of the event loop are sent together if no query is in
 * flight; reads that arrive meanwhile are sent together when the query returns. A slow query does not
 * block others: after `patienceMs` the next read sends all waiting reads as a second query. There is no
 * timer and no cache, so every result is newer than its request.
 */
export function coalesceReads(
  readMany: (keys: string[]) => Promise<ReadonlyMap<string, string>>,
  { maxInFlight = 2, patienceMs = 20, maxKeys = 500 }: CoalescedReadsOptions = {},
): (key: string) => Promise<string | undefined> {
  const inFlight = new Set<{ leftAt: number }>()
  /**
   * The next batches, in order. Each is a map of its own: a long-lived map that shrinks leaves a chain of
   * tables behind, which the garbage collector keeps until a full collection.
   */
  const waiting: Map<string, Waiter[]>[] = []

  const add = (key: string, waiter: Waiter): void => {
    const last = waiting.at(-1)
    const waiters = last?.get(key)
    if (waiters) waiters.push(waiter)
    else if (last && last.size < maxKeys) last.set(key, [waiter])
    else waiting.push(new Map([[key, [waiter]]]))
  }

  const mustWait = (): boolean => {
    if (inFlight.size === maxInFlight) return true
    for (const { leftAt } of inFlight) if (performance.now() - leftAt < patienceMs) return true
    return false
  }

  let isDue = false
  /** Requests that arrived together are all parsed before the first immediate. */
  const leaveSoon = (): void => {
    if (isDue) return
    isDue = true
    setImmediate(() => {
      isDue = false
      if (inFlight.size < maxInFlight) void leave()
    })
  }

  const leave = async (): Promise<void> => {
    const batch = waiting.shift()
    if (!batch) return
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
      if (waiting.length > 0) leaveSoon()
    }
  }

  return (key) =>
    new Promise((resolve, reject) => {
      add(key, { resolve, reject })
      if (!mustWait()) leaveSoon()
    })
}
