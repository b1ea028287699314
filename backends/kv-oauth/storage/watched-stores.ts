import type { AuthMetrics, AuthTrace } from '../telemetry.js'
import type { KvOAuthStores, SessionStore, SignInStore } from '../session-store.js'

/** Options of {@link watchedStores}. */
interface WatchedStoresOptions {
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
export function watchedStores(stores: KvOAuthStores, options: WatchedStoresOptions): KvOAuthStores {
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

/** Wraps a store call, to act before and after it. */
type Around = <T>(operation: string, run: () => Promise<T>) => Promise<T>

type Call = (...args: unknown[]) => Promise<unknown>

/** Wraps every method of a store with `around`, under the name `<name>.<method>`. */
export function aroundCalls<Store extends object>(
  name: string,
  store: Store,
  around: Around,
): Store {
  const calls = Object.entries<Call>(store as Record<string, Call>).map(([method, call]) => {
    const operation = `${name}.${method}`
    const wrapped: Call = (...args) => around(operation, () => call(...args))
    return [method, wrapped] as const
  })
  return Object.fromEntries(calls) as Store
}

/** Wraps a session store to count extended and ended sessions by reason. */
function countedSessions(store: SessionStore, metrics: AuthMetrics): SessionStore {
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
function countedSignIns(store: SignInStore, metrics: AuthMetrics): SignInStore {
  return {
    async complete(signIn) {
      const outcome = await store.complete(signIn)
      metrics.sessionsEnded('replaced-by-sign-in', outcome.replaced)
      metrics.sessionsEnded('session-limit', outcome.evicted)
      return outcome
    },
  }
}
