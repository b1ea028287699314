import { type Keyring, sign } from './keyring.js'

/**
 * What the audit trail records. Nothing is recorded of an unauthenticated caller: the trail only
 * grows, so `sign-in.failed` is for failures after the provider has proven who it is.
 */
export type AuditEventType =
  | 'sign-in.completed'
  | 'sign-in.failed'
  | 'session.refreshed'
  | 'session.signed-out'
  | 'session.revoked'
  | 'token.issued'
  | 'key.rotated'

/** Why a session was ended. `signed-out` is an event type of its own, the others are its reason. */
export type SessionEnd =
  | 'signed-out'
  | 'signed-out-everywhere'
  | 'replaced-by-sign-in'
  | 'session-limit'
  | 'revoked-by-owner'
  | 'revoked-by-operator'
  | 'user-disabled'
  | 'user-deleted'
  | 'ended-by-provider'

/** An event that belongs to no change of a session. */
export interface AuditEvent {
  readonly type: AuditEventType
  readonly providerId?: string
  readonly subjectHash?: string
  /** The public id of the session that it belongs to. */
  readonly sessionId?: string
  readonly reason?: string
}

/**
 * The audit trail: append-only, in the database. Events of sessions and transactions are not passed
 * to it: their stores write them with the change, or before it when they are in another database.
 */
export interface AuditLog {
  record(event: AuditEvent): Promise<void>
  /** Records the first key of the keyring once, by a fingerprint that gives nothing away. */
  recordKey(fingerprint: string): Promise<void>
  /** Whether tokens of any session at a provider were renewed in the last `ms` milliseconds. */
  tokensRenewed(providerId: string, ms: number): Promise<boolean>
}

/**
 * Names a person in the audit trail: HMAC-SHA-256 of issuer and subject, base64url. The same person
 * has the same name as long as the key stays; without it nobody can tell who it is.
 *
 * @param salt `NETSCRIPT_AUTH_AUDIT_SALT`. Default: a key derived from the first of the keyring, so
 * that names change when it is rotated.
 */
export function createSubjectHash(
  keyring: Keyring,
  salt?: string,
): (issuer: string, subject: string) => string {
  const key = salt === undefined ? firstKey(keyring) : Buffer.from(salt)
  return (issuer, subject) => sign(key, `${issuer}\0${subject}`)
}

/** What names a key in the audit trail. */
export function keyFingerprint(keyring: Keyring): string {
  return sign(firstKey(keyring), 'fingerprint').slice(0, 16)
}

const firstKey = (keyring: Keyring): Buffer => keyring.keys('audit-subject')[0] ?? Buffer.alloc(0)
