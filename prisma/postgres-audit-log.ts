import type { PostgresConnection, PostgresPool } from './postgres-pool.js'
import type { AuditEventType, AuditLog } from '@netscript/plugin-auth-core/internal'
import { storeCall } from './database-error.js'
import { milliseconds } from './user-directory.js'
import { AuthConfigurationError, type SessionEnd } from '@netscript/plugin-auth-core'
import pg from 'pg'
import { inTransaction, namedSchema } from './pool.js'

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

/**
 * The only role that the table's trigger allows to delete events. A migration refers to it by name.
 */
export const AUDIT_RETENTION_ROLE = 'netscript_audit_retention'

/** Key fingerprints are kept: without them the next start would record the current key as new. */
const OLD = `at < $1 AND type <> 'key.rotated'`
const BATCH = 5_000

/** SQL that an administrator runs once. It does not depend on the administrator's `search_path`. */
export function auditRetentionSetup(schema: string): string {
  return `CREATE ROLE ${AUDIT_RETENTION_ROLE} LOGIN PASSWORD '...';\n${grants(schema)}`
}

function grants(schema: string): string {
  const name = schema === 'public' ? schema : pg.escapeIdentifier(schema)
  return [
    `GRANT USAGE ON SCHEMA ${name} TO ${AUDIT_RETENTION_ROLE};`,
    `GRANT SELECT, DELETE ON ${name}.${TABLE} TO ${AUDIT_RETENTION_ROLE};`,
    ...(schema === 'public'
      ? []
      : [`ALTER ROLE ${AUDIT_RETENTION_ROLE} SET search_path = ${name};`]),
  ].join('\n')
}

/**
 * The number of events that {@link deleteAuditEvents} would delete.
 * @throws AuthConfigurationError when the role does not exist or this connection lacks the
 * privileges for it.
 */
export function countAuditEvents(pool: PostgresPool, before: Date): Promise<number> {
  return asRetentionRole(pool, async (client) => {
    const { rows } = await client.query<{ count: string }>(
      `SELECT count(*) FROM ${TABLE} WHERE ${OLD}`,
      [before],
    )
    return Number(rows[0]?.count)
  })
}

/**
 * Deletes the events older than `before` in batches, each committed on its own. Returns the number
 * deleted.
 * @throws AuthConfigurationError when the role does not exist or this connection lacks the
 * privileges for it.
 */
export async function deleteAuditEvents(pool: PostgresPool, before: Date): Promise<number> {
  let total = 0
  for (let deleted = BATCH; deleted === BATCH; total += deleted) {
    deleted = await asRetentionRole(pool, async (client) => {
      const { rowCount } = await client.query(
        `DELETE FROM ${TABLE} WHERE id IN (
           SELECT id FROM ${TABLE} WHERE ${OLD} ORDER BY at LIMIT ${BATCH})`,
        [before],
      )
      return rowCount ?? 0
    })
  }
  return total
}

/** Runs `work` in a transaction under the retention role, independent of the connected role. */
function asRetentionRole<T>(
  pool: PostgresPool,
  work: (connection: PostgresConnection) => Promise<T>,
): Promise<T> {
  let schema = 'public'
  let isOwn = false
  return inTransaction(pool, async (connection) => {
    schema = await namedSchema(connection)
    const { rows } = await connection.query<{ role: string }>('SELECT current_user AS role')
    isOwn = rows[0]?.role === AUDIT_RETENTION_ROLE
    await connection.query(`SET LOCAL ROLE ${AUDIT_RETENTION_ROLE}`)
    return work(connection)
  }).catch((error: unknown) => {
    throw explain(error, schema, isOwn)
  })
}

function explain(error: unknown, schema: string, isOwn: boolean): unknown {
  if (!(error instanceof pg.DatabaseError)) return error
  const options = { cause: error }
  if (error.code === '22023') {
    return new AuthConfigurationError(
      `Only the role ${AUDIT_RETENTION_ROLE} may delete audit events, and it does not exist. As an administrator of the database, run:\n${auditRetentionSetup(schema)}`,
      options,
    )
  }
  // Postgres reports a table in a schema that the role may not use as missing (42P01).
  if (error.code !== '42501' && !(isOwn && error.code === '42P01')) return error
  return new AuthConfigurationError(
    `Only the role ${AUDIT_RETENTION_ROLE} may delete audit events: ${error.message}. Set DATABASE_URL to a connection as this role, which needs:\n${grants(schema)}`,
    options,
  )
}
