import pg from 'pg'
import type { PostgresConnection, PostgresPool } from './postgres-pool.js'
import { inTransaction, namedSchema } from './pool.js'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'

const TABLE = 'auth_audit_events'
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
