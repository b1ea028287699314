import type { PostgresPool } from '@netscript/auth-database'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { AuthMetrics } from '@netscript/auth-kv-oauth'
import type { AuthBackendPort } from '@netscript/plugin-auth-core'
import type { HttpMetrics } from '../engine/request-log.js'
import type { SweepMetrics } from '../sweep.js'

/** Histogram buckets in seconds: from a batched read (about 1 ms) to a slow provider (about 5 s). */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const BATCH_SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500]

/** Outcomes of a sign-in that are not failures. */
const SUCCESSES = new Set<string>(['started', 'completed', 'linked'])

/** HTTP allows any token as a method; others are counted as one label. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** All metrics of the service, and the page that exposes them. */
export interface ServiceMetrics extends AuthMetrics, HttpMetrics, SweepMetrics {
  /** Exposes the connections of the pool. */
  watchPool(pool: PostgresPool): void
  /** Exposes the number of live sessions, which a scrape queries at a limited rate. */
  watchSessions(backend: Pick<AuthBackendPort, 'countSessions'>): void
  /** The metrics in the Prometheus text format. */
  page(): Promise<{ contentType: string; text: string }>
}

/** Creates the metrics of a process. Their names are a stable interface; see the Grafana dashboard. */
export function createServiceMetrics(): ServiceMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `netscript_auth_${name}`, help, labelNames, registers: [registry] })
  const gauge = (name: string, help: string, collect: (this: Gauge) => void | Promise<void>) =>
    new Gauge({ name: `netscript_auth_${name}`, help, registers: [registry], collect })
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: Label[]
  ) =>
    new Histogram({
      ...{ name: `netscript_auth_${name}`, help, buckets, labelNames },
      registers: [registry],
    })

  const requests = counter('http_requests_total', 'Answers.', 'method', 'route', 'status')
  const latency = histogram(
    'http_request_duration_seconds',
    'Duration of responses.',
    SECONDS,
    ...(['method', 'route', 'status'] as const),
  )
  const signIns = counter(
    'sign_ins_total',
    'Sign-ins by outcome: started, completed, linked to a user, or failed with a code.',
    ...(['provider', 'outcome', 'code'] as const),
  )
  const refusals = counter(
    'provider_refusals_total',
    'Sign-ins that a provider refused, by its error code.',
    ...(['provider', 'error'] as const),
  )
  const refreshes = counter(
    'session_refreshes_total',
    'Sessions changed while they live.',
    'reason',
  )
  const ends = counter('sessions_ended_total', 'Sessions ended before they expired.', 'reason')
  const storeCalls = histogram(
    'store_call_duration_seconds',
    'Duration of calls to the store.',
    SECONDS,
    'operation',
  )
  const batches = histogram('read_batch_size', 'Sessions read by one query.', BATCH_SIZES)
  const limited = counter('rate_limited_total', 'Requests over a limit.', 'route', 'prefix')
  const swept = counter('swept_rows_total', 'Expired rows deleted.', 'kind')

  // A counter that first appears with its first event shows no increase, so an alert would miss it.
  for (const kind of ['entries', 'rate-limits'] as const) swept.inc({ kind }, 0)
  for (const route of ['signin', 'callback', 'token']) {
    for (const prefix of [32, 48, 56, 64]) limited.inc({ route, prefix }, 0)
  }

  // Bind labels once: that costs more than counting.
  const countersOf = cached((key) => {
    const [method = '', route = '', status = ''] = key.split(' ')
    const labels = { method: METHODS.has(method) ? method : 'other', route, status }
    return { count: requests.labels(labels), took: latency.labels(labels) }
  })
  const callsOf = cached((operation) => storeCalls.labels({ operation }))
  const reads = callsOf('session.get')

  return {
    answered({ method, route, status, seconds }) {
      const { count, took } = countersOf(`${method} ${route} ${status ?? 'gone'}`)
      count.inc()
      took.observe(seconds)
    },
    rateLimited: (route, prefix) => limited.inc({ route, prefix }),
    signIn(provider, outcome) {
      const isFailure = !SUCCESSES.has(outcome)
      signIns.inc({
        provider,
        outcome: isFailure ? 'failed' : outcome,
        code: isFailure ? outcome : '',
      })
    },
    providerRefused: (provider, error) => refusals.inc({ provider, error }),
    sessionRefreshed: (reason) => refreshes.inc({ reason }),
    sessionsEnded: (reason, count) => ends.inc({ reason }, count),
    storeCall: (operation, seconds) => callsOf(operation).observe(seconds),
    readBatch(sessions, seconds) {
      batches.observe(sessions)
      reads.observe(seconds)
    },
    swept: (kind, rows) => swept.inc({ kind }, rows),
    watchPool(pool) {
      gauge('pool_connections', 'Connections to the database.', function () {
        this.set(pool.totalCount)
      })
      gauge('pool_idle_connections', 'Idle connections.', function () {
        this.set(pool.idleCount)
      })
      gauge('pool_waiting_queries', 'Queries waiting for a connection.', function () {
        this.set(pool.waitingCount)
      })
    },
    watchSessions(backend) {
      const count = backend.countSessions?.bind(backend)
      if (!count) return
      const ask = createActiveSessions({ count })
      gauge('active_sessions', 'Live sessions in the store.', async function () {
        const sessions = await ask()
        if (sessions === undefined) this.remove()
        else this.set(sessions)
      })
    },
    page: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}

/** Memoizes a function of a bounded set of keys. */
function cached<Value>(make: (key: string) => Value): (key: string) => Value {
  const values = new Map<string, Value>()
  return (key) => {
    let value = values.get(key)
    if (value === undefined) values.set(key, (value = make(key)))
    return value
  }
}

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
