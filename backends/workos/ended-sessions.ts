/**
 * The sessions that this process has ended. An access token stays good until it expires, whatever
 * WorkOS knows of its session; this makes a sign-out count at once where it was made. Elsewhere it
 * counts when the token expires and its renewal is refused, which is minutes.
 */
export interface EndedSessions {
  add(sessionId: string): void
  has(sessionId: string): boolean
}

/** Longer than any access token lives. */
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
