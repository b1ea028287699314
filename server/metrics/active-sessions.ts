/** Options of {@link createActiveSessions}. */
interface ActiveSessionsOptions {
  /** Queries the store. */
  count: () => Promise<number>
  /** Minimum interval between queries in milliseconds. Default: 15 seconds. */
  everyMs?: number
  /** How long a caller waits for the store, in milliseconds. Default: 1 second. */
  withinMs?: number
  /** The clock in milliseconds. Default: a monotonic one. */
  now?: () => number
}

/**
 * Returns a recent count of live sessions, or `undefined` when the store does not respond in time. The
 * number of queries does not depend on the number of scrapers. A late result is used for later calls.
 */
export function createActiveSessions({
  count,
  everyMs = 15_000,
  withinMs = 1_000,
  now = () => performance.now(),
}: ActiveSessionsOptions): () => Promise<number | undefined> {
  let askedAt = -Infinity
  let isAsking = false
  let answer: Promise<number | undefined> = Promise.resolve(undefined)
  const ask = async (): Promise<number | undefined> => {
    try {
      return await count()
    } catch {
      return undefined
    } finally {
      isAsking = false
    }
  }
  return async () => {
    if (!isAsking && now() - askedAt >= everyMs) {
      isAsking = true
      askedAt = now()
      answer = ask()
    }
    let timer: NodeJS.Timeout | undefined
    const tooLate = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), withinMs)
    })
    return Promise.race([answer, tooLate]).finally(() => clearTimeout(timer))
  }
}
