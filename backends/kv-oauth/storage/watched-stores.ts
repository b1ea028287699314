import type { AuthMetrics } from '../metrics.js'
import type { SessionStore } from '../session-store.js'
import type { AuthTrace } from '../trace.js'
import { type Around, aroundCalls } from './around-calls.js'
import { countedSessions, countedSignIns } from './counted-sessions.js'
import type { AuthStores } from '../session-store.js'

/** Options of {@link watchedStores}. */
export interface WatchedStoresOptions {
  metrics: AuthMetrics
  trace?: AuthTrace | undefined
}

/** Times store calls, and traces them if tracing is on. */
export function watchCalls({ metrics, trace }: WatchedStoresOptions): Around {
  const timed: Around = async (operation, run) => {
    const began = performance.now()
    try {
      return await run()
    } finally {
      metrics.storeCall(operation, (performance.now() - began) / 1000)
    }
  }
  return trace
    ? (operation, run) => trace.span(`store.${operation}`, {}, () => timed(operation, run))
    : timed
}

/**
 * Wraps the stores to time and trace their calls and to count sessions. Batched session reads are timed
 * per query (`onRead`), not individually.
 */
export function watchedStores(stores: AuthStores, options: WatchedStoresOptions): AuthStores {
  const { metrics, trace } = options
  const watched = watchCalls(options)
  const sessions = aroundCalls('session', stores.sessions, watched)
  return {
    ...stores,
    sessions: countedSessions(
      stores.sharesReads ? { ...sessions, ...sharedReads(stores.sessions, trace) } : sessions,
      metrics,
    ),
    transactions: aroundCalls('transaction', stores.transactions, watched),
    users: aroundCalls('user', stores.users, watched),
    tokens: (keyring) => aroundCalls('tokens', stores.tokens(keyring), watched),
    signIns: (keyring) =>
      countedSignIns(aroundCalls('signIn', stores.signIns(keyring), watched), metrics),
  }
}

function sharedReads(
  sessions: SessionStore,
  trace: AuthTrace | undefined,
): Pick<SessionStore, 'get'> {
  const reads: ReturnType<typeof sharedReads> = {
    get: (id) => sessions.get(id),
  }
  return trace
    ? aroundCalls('session', reads, (operation, run) => trace.span(`store.${operation}`, {}, run))
    : reads
}
