import type { StoredEvent } from '@netscript/auth-contract'
import { type Keyring, sign } from './keyring.js'

/**
 * The event types of the audit trail. Anonymous callers must not be able to fill the append-only
 * trail, so `sign-in.failed` is recorded only after the provider has authenticated the user.
 */
export type AuditEventType =
  | 'sign-in.completed'
  | 'sign-in.failed'
  | 'session.refreshed'
  | 'session.signed-out'
  | 'session.revoked'
  | 'account.linked'
  | 'account.unlinked'
  | 'token.issued'
  | 'provider-token.issued'
  | 'key.rotated'
  | 'user.roles-changed'

/** Why a session ended. `signed-out` has its own event type; the others are reasons of `session.revoked`. */
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
  | 'not-admitted'
  | 'account-unlinked'

/** An audit event that is not written together with a change of a session. */
interface AuditEvent {
  readonly type: AuditEventType
  readonly providerId?: string
  readonly subjectHash?: string
  /** The public id of the session. */
  readonly sessionId?: string
  readonly reason?: string
}

/**
 * The append-only audit trail in the database. Events of sessions and transactions do not go through
 * it: their stores write them together with the change, or before it when they are in another
 * database.
 */
export interface AuditLog {
  record(event: AuditEvent): Promise<void>
  /** Records the first key of the keyring once, by its {@link keyFingerprint}. */
  recordKey(fingerprint: string): Promise<void>
  /** Returns the newest 1000 events of the users with these pseudonyms, the newest first. */
  eventsOf(subjectHashes: readonly string[]): Promise<StoredEvent[]>
  /** Whether any session of the provider has refreshed its tokens in the last `ms` milliseconds. */
  tokensRenewed(providerId: string, ms: number): Promise<boolean>
}

/**
 * Creates the function that pseudonymizes users in the audit trail: HMAC-SHA-256 of issuer and
 * subject, base64url. The pseudonym of a user is stable while the key stays the same, and cannot be
 * reversed without the key.
 *
 * @param salt `NETSCRIPT_AUTH_AUDIT_SALT`. Without it, the key is derived from the first key of the
 * keyring, and pseudonyms change when that key is rotated.
 */
export function createSubjectHash(
  keyring: Keyring,
  salt?: string,
): (issuer: string, subject: string) => string {
  const key = salt === undefined ? firstKey(keyring) : Buffer.from(salt)
  return (issuer, subject) => sign(key, `${issuer}\0${subject}`)
}

/** Identifies the first key in the audit trail without revealing it. */
export function keyFingerprint(keyring: Keyring): string {
  return sign(firstKey(keyring), 'fingerprint').slice(0, 16)
}

const firstKey = (keyring: Keyring): Uint8Array =>
  keyring.keys('audit-subject')[0] ?? Buffer.alloc(0)
