import type { PostgresPool } from './postgres-pool.js'
import type { AuditEventType, AuditLog } from '@netscript/plugin-auth-core/internal'
import { storeCall } from './database-error.js'
import { milliseconds } from './user-directory.js'
import type { SessionEnd } from '@netscript/plugin-auth-core'

const TABLE = 'auth_audit_events'

type Column = 'providerId' | 'sessionId' | 'reason'

/** The audit trail in Postgres. A trigger on the table rejects every update and deletion. */
export function createPostgresAuditLog(pool: PostgresPool): AuditLog {
  return {
    record: ({ type, providerId, subjectHash, sessionId, reason }) =>
      storeCall(async () => {
        await pool.query(
          `INSERT INTO ${TABLE} (type, provider_id, subject_hash, session_id, reason)
           VALUES ($1, $2, $3, $4, $5)`,
          [type, providerId ?? null, subjectHash ?? null, sessionId ?? null, reason ?? null],
        )
      }),
    recordKey: (fingerprint) =>
      storeCall(async () => {
        await pool.query(
          `INSERT INTO ${TABLE} (type, reason) VALUES ('key.rotated', $1)
           ON CONFLICT (reason) WHERE type = 'key.rotated' DO NOTHING`,
          [fingerprint],
        )
      }),
    eventsOf: (subjectHashes) =>
      storeCall(async () => {
        const { rows } = await pool.query<
          Record<Column, string | null> & { ms: number; type: string }
        >(
          `SELECT ${milliseconds('at')} AS ms, type, provider_id AS "providerId",
             session_id AS "sessionId", reason
           FROM ${TABLE} WHERE subject_hash = ANY($1) ORDER BY at DESC, id DESC LIMIT 1000`,
          [subjectHashes],
        )
        return rows.map(({ ms, type, ...row }) => ({
          at: new Date(ms).toISOString(),
          type,
          ...(row.providerId !== null && { providerId: row.providerId }),
          ...(row.sessionId !== null && { sessionId: row.sessionId }),
          ...(row.reason !== null && { reason: row.reason }),
        }))
      }),
    tokensRenewed: (providerId, ms) =>
      storeCall(async () => {
        const { rows } = await pool.query<{ renewed: boolean }>(
          `SELECT EXISTS (
             SELECT FROM ${TABLE}
             WHERE at >= now() - $2 * interval '1 millisecond' AND type = 'session.refreshed'
               AND reason = 'tokens-renewed' AND provider_id = $1) AS renewed`,
          [providerId, ms],
        )
        return rows[0]?.renewed ?? false
      }),
  }
}

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
