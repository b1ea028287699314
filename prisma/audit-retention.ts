import pg from 'pg'
import { namedSchema } from './table-schema.js'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { inTransaction } from './transaction.js'

const TABLE = 'auth_audit_events'
/** The role that the trigger of the table lets delete. It is part of a migration. */
export const AUDIT_RETENTION_ROLE = 'netscript_audit_retention'

/**
 * Old events. The fingerprints of keys stay: without them the next start would record the current key
 * as a new one.
 */
const OLD = `at < $1 AND type <> 'key.rotated'`
const BATCH = 5_000

/** SQL for an administrator, whose `search_path` may be another, to run once. */
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
 * How many events {@link deleteAuditEvents} would delete.
 * @throws AuthConfigurationError when the role does not exist, or this connection may not take it.
 */
export function countAuditEvents(pool: pg.Pool, before: Date): Promise<number> {
  return asRetentionRole(pool, async (client) => {
    const { rows } = await client.query<{ count: string }>(
      `SELECT count(*) FROM ${TABLE} WHERE ${OLD}`,
      [before],
    )
    return Number(rows[0]?.count)
  })
}

/**
 * Deletes the events from before an instant, in batches that each commit; returns how many.
 * @throws AuthConfigurationError when the role does not exist, or this connection may not take it.
 */
export async function deleteAuditEvents(pool: pg.Pool, before: Date): Promise<number> {
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

/** Runs `work` in a transaction of the role, whichever role connected. */
function asRetentionRole<T>(
  pool: pg.Pool,
  work: (connection: pg.PoolClient) => Promise<T>,
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
  // What is in a schema that a role may not use does not exist for it.
  if (error.code !== '42501' && !(isOwn && error.code === '42P01')) return error
  return new AuthConfigurationError(
    `Only the role ${AUDIT_RETENTION_ROLE} may delete audit events: ${error.message}. Set DATABASE_URL to a connection as this role, which needs:\n${grants(schema)}`,
    options,
  )
}
