import type { Pool } from 'pg'

/** A member of a workspace. `subject` is the user id of the authentication service. */
export interface Member {
  readonly subject: string
  readonly name: string
  readonly joinedAt: string
}

/** The members table of the service, keyed by user id. */
export interface Members {
  list(workspace: string): Promise<Member[]>
  /** Adds a member, or updates their name. */
  add(workspace: string, member: { subject: string; name: string }): Promise<void>
  /** Removes a member. False if there is none. */
  remove(workspace: string, subject: string): Promise<boolean>
}

/** Includes two members, so that the list is not empty at first. */
const MIGRATION = `
CREATE SCHEMA IF NOT EXISTS workspace;
CREATE TABLE IF NOT EXISTS workspace.member (
  workspace text NOT NULL,
  subject text NOT NULL,
  name text NOT NULL,
  joined_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace, subject)
);
INSERT INTO workspace.member (workspace, subject, name, joined_at) VALUES
  ('demo', 'founder-1', 'Mary Jackson', '2026-01-12T09:00:00Z'),
  ('demo', 'founder-2', 'Dorothy Vaughan', '2026-02-03T14:30:00Z')
ON CONFLICT DO NOTHING;
`

/** Creates the table if it does not exist. */
export async function openMembers(pool: Pool): Promise<Members> {
  const client = await pool.connect()
  try {
    // Serializes the migration across processes that start at the same time.
    await client.query('SELECT pg_advisory_lock(7305)')
    await client.query(MIGRATION)
  } finally {
    // Closing the connection releases the lock.
    client.release(true)
  }
  return {
    async list(workspace) {
      const { rows } = await pool.query<{ subject: string; name: string; joined_at: Date }>(
        'SELECT subject, name, joined_at FROM workspace.member WHERE workspace = $1 ORDER BY joined_at',
        [workspace],
      )
      return rows.map(({ subject, name, joined_at }) => ({
        subject,
        name,
        joinedAt: joined_at.toISOString(),
      }))
    },
    async add(workspace, { subject, name }) {
      await pool.query(
        `INSERT INTO workspace.member (workspace, subject, name) VALUES ($1, $2, $3)
         ON CONFLICT (workspace, subject) DO UPDATE SET name = excluded.name`,
        [workspace, subject, name],
      )
    },
    async remove(workspace, subject) {
      const { rowCount } = await pool.query(
        'DELETE FROM workspace.member WHERE workspace = $1 AND subject = $2',
        [workspace, subject],
      )
      return rowCount === 1
    },
  }
}
