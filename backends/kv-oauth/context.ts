import {
  AuthConfigurationError,
  type AuthLog,
  type AuthSessionCryptoPort,
  type Keyring,
} from '@netscript/plugin-auth-core'
import type { AuditLog } from '@netscript/plugin-auth-core/internal'
import type { AuthMetrics } from './metrics.js'
import type {
  ProviderTokenStore,
  SessionStore,
  TransactionStore,
  UserStore,
} from './session-store.js'
import type { AuthTrace } from './trace.js'
import type { OAuthProvider } from './provider.js'
import type { ProviderGate } from './provider-gate.js'

/** How long sessions live, in milliseconds, and how many a user may have. */
export interface SessionPolicy {
  /** A session ends when it is not used for this long. Default: 24 hours. */
  readonly idleMs: number
  /** A session ends this long after the sign-in, used or not. Default: 7 days. */
  readonly absoluteMs: number
  /**
   * A read extends the idle deadline at most once in this time. It must be shorter than `idleMs`, of
   * which at most a tenth counts. Default: 15 minutes.
   */
  readonly refreshWindowMs: number
  /** Maximum live sessions per user: a sign-in ends the least recently used ones. Default: 100. */
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
 * The policy in effect. A session that is used must not end for lack of use, so the refresh window is
 * at most a tenth of the idle limit.
 *
 * @throws AuthConfigurationError for given durations that contradict each other.
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

/** The cookies of the flow. */
export interface CookiePolicy {
  /** Default: `__Host-ns_session`. */
  readonly sessionName: string
  /** Default: true. */
  readonly secure: boolean
}

/** The name of the session cookie unless another is configured. */
export const SESSION_COOKIE_NAME = '__Host-ns_session'

/** What the steps of the flow share. */
export interface KvOAuthContext {
  readonly providers: ReadonlyMap<string, OAuthProvider>
  /** What codes of sign-ins are exchanged through. */
  readonly gate: ProviderGate
  readonly keyring: Keyring
  readonly crypto: AuthSessionCryptoPort
  readonly sessions: SessionStore
  readonly transactions: TransactionStore
  readonly tokens: ProviderTokenStore
  readonly users: UserStore
  readonly audit: AuditLog
  /** What the audit trail calls a person. */
  readonly subjectHash: (issuer: string, subject: string) => string
  readonly policy: SessionPolicy
  readonly cookies: CookiePolicy
  readonly allowInsecureRequests: boolean
  readonly log: AuthLog
  readonly metrics: AuthMetrics
  /** Absent when nothing is traced, which is nearly always. */
  readonly trace?: AuthTrace
  /** What providers are asked with. Default: the global fetch. */
  readonly fetch?: typeof globalThis.fetch
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number
}
