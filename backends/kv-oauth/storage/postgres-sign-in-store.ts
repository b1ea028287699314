import { randomUUID } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { auditSessions, queryPrepared, storeCall } from '@netscript/auth-database/internal'
import type { Keyring, SessionEnd } from '@netscript/plugin-auth-core'
import type {
  CompletedSignIn,
  SessionRecord,
  SessionStore,
  SignInStore,
  StoredSignIn,
} from '../session-store.js'
import { deleteEntries, KEYV_TABLE } from './keyv-postgres.js'
import { entryOf, LIVE, sessionKey } from './postgres-session-store.js'
import { PROFILE_CHANGES } from './postgres-user-store.js'
import { sealTokens } from './sealed-tokens.js'
import { disabledUser, sessionChanged } from './session-refusal.js'

/** Maximum number of statements of a sign-in whose user is created or given roles concurrently. */
const ATTEMPTS = 10

const REPLACED: SessionEnd = 'replaced-by-sign-in'

/**
 * What every sign-in writes once `person` has its user: the session with its event, the tokens, and the
 * end of the browser's previous session. The entry is built for the id of a new user, a random UUID,
 * which is replaced by the id of the user. Foreign keys are checked at the end of the statement.
 */
const SESSION = `session AS (
    INSERT INTO ${KEYV_TABLE} (key, value)
    SELECT $7::text, replace($8::text, to_json($9::text)::text, to_json(id)::text) FROM person
    RETURNING key, value),
  audited AS (${auditSessions('session', "'sign-in.completed'", 'NULL')}),
  tokens AS (
    INSERT INTO auth_provider_tokens
      (session_key, access_token, refresh_token, id_token, expires_at, scopes, updated_at)
    SELECT key, $10, $11, $12, to_timestamp($13::float8 / 1000), $14, now() FROM session),
  replaced AS (${deleteEntries('key = $15 AND EXISTS (SELECT FROM person)')}),
  ended AS (${auditSessions('replaced', "'session.revoked'", `'${REPLACED}'`)})`

/**
 * The sign-in of a known account.
 *
 * Locks the rows of the user and of the account, in this order, as every change of either does: a
 * concurrent disable, unlink or change of roles commits first and is seen, or finds the session. The
 * session comes from the row that the update returns. A lock that was waited for does not refresh the
 * snapshot of other rows, so the count of sessions is stale if another sign-in of the user committed
 * meanwhile; `xmin` of the user row tells.
 */
const KNOWN = `WITH known AS (
    SELECT person.id, person.roles, person.xmin AS version,
      person.disabled_at IS NOT NULL AS disabled
    FROM auth_accounts AS account JOIN auth_users AS person ON person.id = account.user_id
    WHERE account.issuer = $1 AND account.subject = $2
      AND ($16::text IS NULL OR account.user_id = $16)
    FOR NO KEY UPDATE OF person FOR NO KEY UPDATE OF account),
  person AS (
    UPDATE auth_users SET ${PROFILE_CHANGES}
    FROM known
    WHERE auth_users.id = known.id AND auth_users.disabled_at IS NULL AND auth_users.roles = $17
    RETURNING auth_users.id),
  account AS (
    UPDATE auth_accounts SET last_sign_in_at = now()
    FROM person WHERE issuer = $1 AND subject = $2),
  ${SESSION}
  SELECT id AS "userId", roles, disabled, EXISTS (SELECT FROM session) AS "isStarted",
    (SELECT count(*)::int FROM replaced) AS replaced,
    (SELECT count(*)::int FROM ${KEYV_TABLE}
      WHERE user_id = known.id AND ${LIVE}) AS others,
    version IS DISTINCT FROM (SELECT xmin FROM auth_users WHERE auth_users.id = known.id) AS "isStale"
  FROM known`

/**
 * The first sign-in of an account: inserts the user too. Exactly one of concurrent ones inserts the
 * account; the others wait for it and insert nothing.
 */
const FIRST = `WITH account AS (
    INSERT INTO auth_accounts (id, user_id, provider_id, issuer, subject)
    VALUES ($16, $9, $17, $1, $2)
    ON CONFLICT (issuer, subject) DO NOTHING
    RETURNING user_id),
  person AS (
    INSERT INTO auth_users (id, display_name, email, email_verified, image_url)
    SELECT user_id, $3, $4, coalesce($4::text IS NOT NULL AND $5, false), $6 FROM account
    RETURNING id, roles),
  ${SESSION}
  SELECT id AS "userId", roles, (SELECT count(*)::int FROM replaced) AS replaced FROM person`

interface KnownRow {
  userId: string
  roles: string[]
  disabled: boolean
  isStarted: boolean
  replaced: number
  others: number
  isStale: boolean
}

type FirstRow = Pick<KnownRow, 'userId' | 'roles' | 'replaced'>

/** Completes sign-ins in Postgres with one statement, and one commit, for a known account. */
export function createPostgresSignInStore(
  pool: PostgresPool,
  keyring: Keyring,
  sessions: Pick<SessionStore, 'evict'>,
): SignInStore {
  /** The parameters of both statements, for a session of a user with these roles. */
  const valuesOf = (
    { identity, tokens, previousSessionId }: CompletedSignIn,
    userId: string,
    record: SessionRecord,
  ): unknown[] => {
    const { issuer, subject, profile } = identity
    const sealed = sealTokens(keyring, { sessionId: record.id }, tokens)
    return [
      ...[issuer, subject],
      ...[profile.displayName, profile.email, profile.emailVerified, profile.imageUrl],
      ...[sessionKey(record.id), entryOf(record), userId],
      ...[sealed.access_token, sealed.refresh_token, sealed.id_token],
      ...[tokens.expiresAt ?? null, tokens.scopes?.join(' ') ?? null],
      previousSessionId === undefined ? null : sessionKey(previousSessionId),
    ]
  }

  async function complete(signIn: CompletedSignIn): Promise<StoredSignIn> {
    const { identity, maxSessions } = signIn
    const userId = randomUUID()
    let roles: readonly string[] = []
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const session = signIn.sessionOf({ userId, roles })
      const values = valuesOf(signIn, userId, session)
      const { rows } = await queryPrepared<KnownRow>(pool, {
        name: 'auth_sign_in',
        text: KNOWN,
        values: [...values, identity.expectedUserId, roles],
      })
      const [known] = rows
      if (known?.disabled) throw disabledUser()
      if (known?.isStarted) {
        const isFull = known.isStale || known.others >= maxSessions
        return {
          isNew: false,
          session: { ...session, userId: known.userId },
          replaced: known.replaced,
          evicted: isFull
            ? await sessions.evict(known.userId, { keep: session.id, max: maxSessions })
            : 0,
        }
      }
      if (known) {
        // The session must be built for the roles that the operator gave.
        roles = known.roles
        continue
      }
      if (identity.expectedUserId !== undefined) throw sessionChanged()
      const first = await queryPrepared<FirstRow>(pool, {
        name: 'auth_first_sign_in',
        text: FIRST,
        values: [...values, randomUUID(), identity.providerId],
      })
      const [created] = first.rows
      if (created) return { isNew: true, session, replaced: created.replaced, evicted: 0 }
    }
    throw new Error('The account and its roles kept changing during the sign-in.')
  }

  return { complete: (signIn) => storeCall(() => complete(signIn)) }
}
