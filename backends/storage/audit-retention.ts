import pg from 'pg'
import { AuthConfigurationError } from '../errors.js'
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

/** SQL for an administrator, who runs it once. */
export const AUDIT_RETENTION_SETUP = `CREATE ROLE ${AUDIT_RETENTION_ROLE} LOGIN PASSWORD '...';
GRANT SELECT, DELETE ON ${TABLE} TO ${AUDIT_RETENTION_ROLE};`

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
  return inTransaction(pool, async (connection) => {
    await connection.query(`SET LOCAL ROLE ${AUDIT_RETENTION_ROLE}`)
    return work(connection)
  }).catch((error: unknown) => {
    throw explain(error)
  })
}

function explain(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) return error
  const options = { cause: error }
  if (error.code === '22023') {
    return new AuthConfigurationError(
      `Only the role ${AUDIT_RETENTION_ROLE} may delete audit events, and it does not exist. As an administrator of the database, run:\n${AUDIT_RETENTION_SETUP}`,
      options,
    )
  }
  if (error.code !== '42501') return error
  return new AuthConfigurationError(
    `Only the role ${AUDIT_RETENTION_ROLE} may delete audit events: ${error.message}. Set DATABASE_URL to a connection as this role, which needs: GRANT SELECT, DELETE ON ${TABLE} TO ${AUDIT_RETENTION_ROLE};`,
    options,
  )
}
