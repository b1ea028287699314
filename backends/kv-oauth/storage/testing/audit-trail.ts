import type { PostgresPool } from '@netscript/auth-database'

/** Type and reason of the audit events of a session, in order. */
export async function trailOf(
  pool: PostgresPool,
  sessionId: string,
): Promise<[type: string, reason: string | null][]> {
  const { rows } = await pool.query<{ type: string; reason: string | null }>(
    'SELECT type, reason FROM auth_audit_events WHERE session_id = $1 ORDER BY id',
    [sessionId],
  )
  return rows.map(({ type, reason }) => [type, reason])
}
