import type { AuditLog } from '../audit.js'
import type { Keyring } from '../keyring.js'
import type { AuthLog } from '../log.js'
import type { AuthMetrics } from '../metrics.js'
import type { AuthSessionCryptoPort } from '../port.js'
import type {
  ProviderTokenStore,
  SessionStore,
  TransactionStore,
  UserStore,
} from '../session-store.js'
import type { AuthTrace } from '../trace.js'
import type { OAuthProvider } from './provider.js'
import type { ProviderGate } from './provider-gate.js'

/** How long things live, in milliseconds. */
export interface SessionPolicy {
  /** A session ends when it is not used for this long. Default: 24 hours. */
  readonly idleMs: number
  /** A session ends this long after the sign-in, used or not. Default: 7 days. */
  readonly absoluteMs: number
  /** A read extends the idle deadline at most once in this time. Default: 15 minutes. */
  readonly refreshWindowMs: number
}

/** The default {@link SessionPolicy}. */
export const DEFAULT_SESSION_POLICY: SessionPolicy = {
  idleMs: 24 * 60 * 60_000,
  absoluteMs: 7 * 24 * 60 * 60_000,
  refreshWindowMs: 15 * 60_000,
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
