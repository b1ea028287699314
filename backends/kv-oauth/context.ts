import {
  AuthConfigurationError,
  type AuthSessionCryptoPort,
  type Keyring,
} from '@netscript/plugin-auth-core'
import type { AuditLog } from '@netscript/plugin-auth-core/internal'
import type { AdmissionContext } from './admit.js'
import type { AuthEvents } from './events.js'
import type { AuthMetrics, AuthTrace } from './telemetry.js'
import type {
  ProviderTokenStore,
  SessionStore,
  SignInStore,
  TransactionStore,
  UserStore,
} from './session-store.js'
import type { OAuthProvider } from './provider.js'
import type { ProviderGate } from './provider-gate.js'
import type { CookiePolicy } from './session-cookie.js'

/** Session lifetimes, in milliseconds, and the maximum number of sessions per user. */
export interface SessionPolicy {
  /** Idle timeout: a session unused for this long ends. @default 24 hours */
  readonly idleMs: number
  /**
   * Absolute timeout: a session ends this long after the sign-in, even if used.
   * @default 7 days
   */
  readonly absoluteMs: number
  /**
   * Minimum time between two extensions of the idle deadline. Must be shorter than `idleMs`; at
   * most a tenth of it takes effect.
   * @default 15 minutes
   */
  readonly refreshWindowMs: number
  /** Maximum live sessions per user: a sign-in ends the least recently used ones. @default 100 */
  readonly maxPerUser: number
}

/** The default {@link SessionPolicy}. */
export const DEFAULT_SESSION_POLICY: SessionPolicy = {
  idleMs: 24 * 60 * 60_000,
  absoluteMs: 7 * 24 * 60 * 60_000,
  refreshWindowMs: 15 * 60_000,
  maxPerUser: 100,
}

/**
 * The policy in effect. A session in use must not expire for lack of use, so the refresh window is
 * at most a tenth of the idle timeout.
 *
 * @throws AuthConfigurationError for durations that contradict each other.
 */
export function sessionPolicy(given: Partial<SessionPolicy> = {}): SessionPolicy {
  const policy = { ...DEFAULT_SESSION_POLICY, ...given }
  for (const [name, ms] of Object.entries(policy)) {
    if (ms > 0 && Number.isFinite(ms)) continue
    throw new AuthConfigurationError(`policy.${name} must be a number of milliseconds over 0.`)
  }
  if (given.idleMs !== undefined && given.idleMs > policy.absoluteMs) {
    throw new AuthConfigurationError(
      'policy.idleMs is longer than policy.absoluteMs. Make it shorter.',
    )
  }
  const idleMs = Math.min(policy.idleMs, policy.absoluteMs)
  if (given.refreshWindowMs !== undefined && given.refreshWindowMs >= idleMs) {
    throw new AuthConfigurationError(
      'policy.refreshWindowMs is not shorter than the idle limit: sessions would end while they are used. Make it shorter, or leave it out.',
    )
  }
  return { ...policy, idleMs, refreshWindowMs: Math.min(policy.refreshWindowMs, idleMs / 10) }
}

/** Shared by the steps of the flow. */
export interface KvOAuthContext extends AdmissionContext {
  readonly providers: ReadonlyMap<string, OAuthProvider>
  /** Limits concurrent code exchanges per provider. */
  readonly gate: ProviderGate
  readonly keyring: Keyring
  readonly crypto: AuthSessionCryptoPort
  readonly sessions: SessionStore
  readonly transactions: TransactionStore
  /** Whether `transactions` charges rate limits. */
  readonly chargesRateLimits: boolean
  readonly tokens: ProviderTokenStore
  readonly signIns: SignInStore
  readonly users: UserStore
  readonly audit: AuditLog
  readonly events: AuthEvents
  /** The pseudonym of a user in the audit trail. */
  readonly subjectHash: (issuer: string, subject: string) => string
  readonly policy: SessionPolicy
  readonly cookies: CookiePolicy
  readonly allowInsecureRequests: boolean
  readonly metrics: AuthMetrics
  /** Absent unless tracing is on. */
  readonly trace?: AuthTrace
  /** Used for requests to providers. @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number
}
