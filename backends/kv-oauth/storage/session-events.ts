import type { PostgresPool } from '@netscript/auth-database'
import { auditSessions, endEventType, queryPrepared } from '@netscript/auth-database/internal'
import type { SessionEnd } from '@netscript/plugin-auth-core'
import type { SessionRecord, SessionRefresh } from '../session-store.js'

const GIVEN = 'unnest($1::text[]) AS given (value)'
const RECORD = auditSessions(GIVEN, '$2::text', '$3::text')
const RECORD_SIGN_IN = auditSessions(
  `(SELECT value FROM ${GIVEN}
    JOIN auth_users AS person ON person.id = $2 AND person.disabled_at IS NULL
    JOIN auth_accounts AS account ON account.user_id = person.id
      AND account.issuer = $3 AND account.subject = $4) AS allowed`,
  "'sign-in.completed'",
  'NULL',
)

/**
 * Writes audit events of sessions that are stored in another database than the trail, where a change
 * and its event cannot be one statement.
 */
export interface SessionEvents {
  /** Records a sign-in. Returns false if the user is disabled or no longer has the account. */
  signedIn(record: SessionRecord): Promise<boolean>
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
      const { rowCount } = await queryPrepared(pool, {
        name: 'auth_session_signed_in',
        text: RECORD_SIGN_IN,
        values,
      })
      return rowCount === 1
    },
    refreshed: (session, why) => record([session], 'session.refreshed', why),
    ended: (sessions, end) => record(sessions, endEventType(end), end),
  }
}

const auditEntry = ({ id, userId, providerId, auditSubject }: SessionRecord): string =>
  JSON.stringify({ value: { id, userId, providerId, auditSubject } })
