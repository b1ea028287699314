/** Options of {@link createActiveSessions}. */
export interface ActiveSessionsOptions {
  /** Asks the store. */
  count: () => Promise<number>
  /** Milliseconds in which the store is asked at most once. Default: 15 seconds. */
  everyMs?: number
  /** Milliseconds that the caller waits for the store. Default: 1 second. */
  withinMs?: number
  /** The clock in milliseconds. Default: a monotonic one. */
  now?: () => number
}

/**
 * The number of live sessions as of lately, or `undefined` when the store does not say in time: how
 * often and how long it is asked does not depend on who scrapes. An answer that comes late serves
 * those who ask next.
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
