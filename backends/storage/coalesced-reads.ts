type Waiter = {
  resolve: (value: string | undefined) => void
  reject: (error: unknown) => void
}

/** Options of {@link coalesceReads}. */
export interface CoalescedReadsOptions {
  /** Queries in flight at most. Default: 2. */
  maxInFlight?: number
  /** Keys in one query at most. Default: 500. */
  maxKeys?: number
}

/**
 * Turns single reads into batches without waiting for any: a read leaves at once while a query slot
 * is free, and reads that arrive while all slots are taken leave together with the next one. There
 * is no timer and no cache, so every answer was read after it was asked for.
 */
export function coalesceReads(
  readMany: (keys: string[]) => Promise<ReadonlyMap<string, string>>,
  { maxInFlight = 2, maxKeys = 500 }: CoalescedReadsOptions = {},
): (key: string) => Promise<string | undefined> {
  let inFlight = 0
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

  const leave = async (): Promise<void> => {
    const batch = takeBatch()
    inFlight += 1
    try {
      const values = await readMany([...batch.keys()])
      for (const [key, waiters] of batch) {
        for (const waiter of waiters) waiter.resolve(values.get(key))
      }
    } catch (error) {
      for (const waiters of batch.values()) for (const waiter of waiters) waiter.reject(error)
    } finally {
      inFlight -= 1
      if (waiting.size > 0) void leave()
    }
  }

  return (key) =>
    new Promise((resolve, reject) => {
      const waiters = waiting.get(key)
      if (waiters) waiters.push({ resolve, reject })
      else waiting.set(key, [{ resolve, reject }])
      if (inFlight < maxInFlight) void leave()
    })
}
