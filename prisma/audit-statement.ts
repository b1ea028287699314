import type { AuditEventType } from '@netscript/plugin-auth-core/internal'
import type { SessionEnd } from '@netscript/plugin-auth-core'

/**
 * A common table expression that writes one event per row of another one, which must have a `value`
 * column with a session entry. The change and its event are a single statement.
 */
export function auditSessions(from: string, type: string, reason: string): string {
  return `INSERT INTO auth_audit_events (type, provider_id, subject_hash, session_id, reason)
    SELECT ${type}, entry->>'providerId', entry->>'auditSubject', entry->>'id', ${reason}
    FROM (SELECT (value::jsonb)->'value' AS entry FROM ${from} WHERE value IS NOT NULL) AS entries
    WHERE entry ? 'userId'`
}

/** The event type for the end of a session. */
export function endEventType(end: SessionEnd): AuditEventType {
  return end === 'signed-out' || end === 'signed-out-everywhere'
    ? 'session.signed-out'
    : 'session.revoked'
}
