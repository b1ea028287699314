/**
 * The sessions that this process has ended. An access token stays valid until it expires, even if
 * WorkOS has ended its session. This list makes a sign-out effective immediately in this process; in
 * others it takes effect minutes later, when the token expires and its refresh is refused.
 */
export interface EndedSessions {
  add(sessionId: string): void
  has(sessionId: string): boolean
}

/** Longer than the lifetime of any access token. */
const KEPT_MS = 24 * 60 * 60 * 1000
const MOST = 50_000

export function createEndedSessions(now: () => number = Date.now): EndedSessions {
  const endedAt = new Map<string, number>()
  return {
    add(sessionId) {
      endedAt.delete(sessionId)
      endedAt.set(sessionId, now())
      for (const [oldest, at] of endedAt) {
        if (endedAt.size <= MOST && now() - at < KEPT_MS) break
        endedAt.delete(oldest)
      }
    },
    has: (sessionId) => endedAt.has(sessionId),
  }
}
