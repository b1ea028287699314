import type pg from 'pg'

/** The events of a session in the order in which they were written: type and reason. */
export async function trailOf(
  pool: pg.Pool,
  sessionId: string,
): Promise<[type: string, reason: string | null][]> {
  const { rows } = await pool.query<{ type: string; reason: string | null }>(
    'SELECT type, reason FROM auth_audit_events WHERE session_id = $1 ORDER BY id',
    [sessionId],
  )
  return rows.map(({ type, reason }) => [type, reason])
}
