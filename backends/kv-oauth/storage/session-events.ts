import type { PostgresPool } from '@netscript/auth-database'
import { auditSessions, endEventType, queryPrepared } from '@netscript/auth-database/internal'
import type { SessionEnd } from '@netscript/plugin-auth-core'
import type { SessionRecord, SessionRefresh } from '../session-store.js'

const GIVEN = 'unnest($1::text[]) AS given (value)'
const RECORD = auditSessions(GIVEN, '$2::text', '$3::text')
const RECORD_SIGN_IN = `WITH allowed AS (
    SELECT value, person.roles FROM ${GIVEN}
    JOIN auth_users AS person ON person.id = $2 AND person.disabled_at IS NULL
    JOIN auth_accounts AS account ON account.user_id = person.id
      AND account.issuer = $3 AND account.subject = $4),
  audited AS (${auditSessions('allowed', "'sign-in.completed'", 'NULL')})
  SELECT roles FROM allowed`

/**
 * Writes audit events of sessions that are stored in another database than the trail, where a change
 * and its event cannot be one statement.
 */
interface SessionEvents {
  /**
   * Records a sign-in and returns the roles that the operator gave. If the user is disabled or no longer
   * has the account, it records nothing and returns `undefined`.
   */
  signedIn(record: SessionRecord): Promise<{ roles: readonly string[] } | undefined>
  refreshed(record: SessionRecord, why: SessionRefresh): Promise<void>
  ended(records: readonly SessionRecord[], end: SessionEnd): Promise<void>
}

/** Creates {@link SessionEvents} for a trail in Postgres. */
export function createSessionEvents(pool: PostgresPool): SessionEvents {
  const record = async (
    records: readonly SessionRecord[],
    type: string,
    reason: string,
  ): Promise<void> => {
    if (records.length === 0) return
    const values = [records.map(auditEntry), type, reason]
    await queryPrepared(pool, { name: 'auth_session_events', text: RECORD, values })
  }
  return {
    async signedIn(session) {
      const { userId, issuer, subject } = session
      const values = [[auditEntry(session)], userId, issuer, subject]
      const { rows } = await queryPrepared<{ roles: string[] }>(pool, {
        name: 'auth_session_signed_in',
        text: RECORD_SIGN_IN,
        values,
      })
      return rows[0]
    },
    refreshed: (session, why) => record([session], 'session.refreshed', why),
    ended: (sessions, end) => record(sessions, endEventType(end), end),
  }
}

const auditEntry = ({ id, userId, providerId, auditSubject }: SessionRecord): string =>
  JSON.stringify({ value: { id, userId, providerId, auditSubject } })
