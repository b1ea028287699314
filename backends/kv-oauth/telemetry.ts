import type { AuthErrorCode } from '@netscript/auth-contract'
import type { SessionEnd } from '@netscript/plugin-auth-core'
import type { SessionRefresh } from './session-store.js'

/** The state of a sign-in: started, completed, linked an account, or failed with an error code. */
type SignInOutcome = 'started' | 'completed' | 'linked' | AuthErrorCode

/**
 * Metrics of the backend. Arguments become labels or numbers that everyone with access to the metrics
 * can read: they have few known values, and never contain a user, a session or an address.
 */
export interface AuthMetrics {
  /** `providerId` is the id of a configured provider, or `unknown` if the request named none. */
  signIn(providerId: string, outcome: SignInOutcome): void
  /** A provider refused a sign-in. `error` is a standard error code, or `other`. */
  providerRefused(providerId: string, error: string): void
  /** A session was extended, or a refresh of its provider tokens succeeded or failed. */
  sessionRefreshed(why: SessionRefresh): void
  /** `count` sessions ended before they expired. */
  sessionsEnded(end: SessionEnd, count: number): void
  /** A store call, such as `session.extend`, whether it succeeded or failed. */
  storeCall(operation: string, seconds: number): void
  /** A query that read a batch of sessions. */
  readBatch(sessions: number, seconds: number): void
}

/** Discards all metrics. */
export const silentMetrics: AuthMetrics = {
  signIn() {},
  providerRefused() {},
  sessionRefreshed() {},
  sessionsEnded() {},
  storeCall() {},
  readBatch() {},
}

/** Attributes of a span: known names and numbers. */
type TraceAttributes = Readonly<Record<string, string | number | boolean>>

/**
 * Tracing of the backend. Spans leave the process, so they contain nothing secret or personal: no
 * token, no code, no e-mail address, and of a user only the keyed hash of the audit trail.
 */
export interface AuthTrace {
  /** Runs a function in a child span of the current one. */
  span<T>(name: string, attributes: TraceAttributes, run: () => Promise<T>): Promise<T>
  /** Adds attributes to the current span. */
  annotate(attributes: TraceAttributes): void
}

/**
 * Creates a fetch function with a span for each request: method, host, OAuth grant type and status. For
 * privacy, trace headers are not sent to the provider.
 */
export function tracedFetch(
  trace: AuthTrace,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): typeof globalThis.fetch {
  return (input, init) => {
    const { hostname } = new URL(input instanceof Request ? input.url : input)
    const grantType = init?.body instanceof URLSearchParams ? init.body.get('grant_type') : null
    const attributes = {
      'http.request.method': init?.method ?? 'GET',
      'server.address': hostname,
      ...(grantType !== null && { 'oauth.grant_type': grantType }),
    }
    return trace.span('provider.request', attributes, async () => {
      const response = await fetch(input, init)
      trace.annotate({ 'http.response.status_code': response.status })
      return response
    })
  }
}
