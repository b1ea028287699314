import { createHash } from 'node:crypto'
import type { PostgresPool } from './postgres-pool.js'

/** Users of the local provider. They have no password or other secret. */
const DEMO_PEOPLE = [
  { subject: 'ada', displayName: 'Ada Lovelace', email: 'ada@example.test' },
  { subject: 'grace', displayName: 'Grace Hopper', email: 'grace@example.test' },
]

/**
 * Adds two demo users of the provider `local`, so that an empty database has data to show.
 * Idempotent; users who have signed in before are not changed.
 *
 * @returns The number of users added.
 *
 * @example
 * ```ts
 * await seed(pool, { issuer: 'http://localhost:8095' })
 * ```
 */
export async function seed(pool: PostgresPool, { issuer }: { issuer: string }): Promise<number> {
  let added = 0
  for (const { subject, displayName, email } of DEMO_PEOPLE) {
    // A deterministic id: of two concurrent runs one inserts and the other finds the row.
    const id = createHash('sha256').update(`${issuer} ${subject}`).digest('base64url')
    const { rowCount } = await pool.query(
      `WITH person AS (
         INSERT INTO auth_users (id, display_name, email, email_verified)
         SELECT $1, $2, $3, true
         WHERE NOT EXISTS (SELECT FROM auth_accounts WHERE issuer = $4 AND subject = $5)
         ON CONFLICT DO NOTHING
         RETURNING id
       )
       INSERT INTO auth_accounts (id, user_id, provider_id, issuer, subject)
       SELECT id, id, 'local', $4, $5 FROM person`,
      [id, displayName, email, issuer, subject],
    )
    added += rowCount ?? 0
  }
  return added
}
