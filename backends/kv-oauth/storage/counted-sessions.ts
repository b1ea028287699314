import type { AuthMetrics } from '../metrics.js'
import type { SessionStore, SignInStore } from '../session-store.js'

/** Wraps a session store to count extended and ended sessions by reason. */
export function countedSessions(store: SessionStore, metrics: AuthMetrics): SessionStore {
  return {
    ...store,
    async extend(next, why) {
      const isExtended = await store.extend(next, why)
      if (isExtended) metrics.sessionRefreshed(why)
      return isExtended
    },
    async revoke(id, end) {
      const ended = await store.revoke(id, end)
      if (ended) metrics.sessionsEnded(end, 1)
      return ended
    },
    async revokeByUser(userId, end, options) {
      const ended = await store.revokeByUser(userId, end, options)
      metrics.sessionsEnded(end, ended)
      return ended
    },
    async evict(userId, options) {
      const ended = await store.evict(userId, options)
      metrics.sessionsEnded('session-limit', ended)
      return ended
    },
    async revokeByProviderSession(session, once) {
      const ended = await store.revokeByProviderSession(session, once)
      metrics.sessionsEnded('ended-by-provider', ended ?? 0)
      return ended
    },
  }
}

/** Wraps a store of sign-ins to count the sessions that they end. */
export function countedSignIns(store: SignInStore, metrics: AuthMetrics): SignInStore {
  return {
    async complete(signIn) {
      const outcome = await store.complete(signIn)
      metrics.sessionsEnded('replaced-by-sign-in', outcome.replaced)
      metrics.sessionsEnded('session-limit', outcome.evicted)
      return outcome
    },
  }
}
