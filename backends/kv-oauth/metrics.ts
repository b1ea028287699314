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
