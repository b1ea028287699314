import type { AuthErrorCode } from '@netscript/auth-contract'
import type { SessionEnd } from '@netscript/plugin-auth-core'
import type { SessionRefresh } from './session-store.js'

/** How a sign-in stands: an error code says why it failed. */
export type SignInOutcome = 'started' | 'completed' | AuthErrorCode

/**
 * Where a backend counts what happened. Every argument becomes a label or a number that anybody with
 * access to the metrics may read, so it is one of a few known words: no user, no session, no address.
 */
export interface AuthMetrics {
  /** `providerId` is the id of a configured provider, or `unknown` where the request named none. */
  signIn(providerId: string, outcome: SignInOutcome): void
  /**
   * A provider refused a sign-in with this error code; one that is not a standard code is `other`.
   */
  providerRefused(providerId: string, error: string): void
  /** A session was extended, or the provider's tokens were renewed or not. */
  sessionRefreshed(why: SessionRefresh): void
  /** So many sessions ended before their time. */
  sessionsEnded(end: SessionEnd, count: number): void
  /** A call of a store, such as `session.extend`, whether it succeeded or not. */
  storeCall(operation: string, seconds: number): void
  /** A query for sessions that were asked for one by one and read together. */
  readBatch(sessions: number, seconds: number): void
}

/** Counts nothing. */
export const silentMetrics: AuthMetrics = {
  signIn() {},
  providerRefused() {},
  sessionRefreshed() {},
  sessionsEnded() {},
  storeCall() {},
  readBatch() {},
}
