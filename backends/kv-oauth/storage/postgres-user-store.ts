import { randomUUID } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import {
  auditSessions,
  inTransaction,
  queryPrepared,
  storeCall,
} from '@netscript/auth-database/internal'
import { AuthError, type SessionEnd } from '@netscript/plugin-auth-core'
import type { SignedInIdentity, UserStore } from '../session-store.js'
import { deleteEntries } from './keyv-postgres.js'
import { LAZILY } from './lazy-flush.js'

const disabledUser = (): AuthError =>
  new AuthError('AUTH_USER_DISABLED', 'Ask an administrator to enable the account again.')

/** Creates a user store in Postgres, with one statement per sign-in of a known user. */
export function createPostgresUserStore(pool: PostgresPool): UserStore {
  /** Locks the user row first, so that a concurrent sign-in commits before its session is ended. */
  const endUser = (userId: string, end: SessionEnd, statement: string): Promise<boolean> =>
    storeCall(() =>
      inTransaction(pool, async (connection) => {
        const { rowCount } = await connection.query(statement, [userId])
        await connection.query(
          `WITH ended AS (${deleteEntries('user_id = $1')})
           ${auditSessions('ended', "'session.revoked'", '$2::text')}`,
          [userId, end],
        )
        return rowCount === 1
      }),
    )

  return {
    signIn: (identity) =>
      storeCall(
        async () =>
          (await update(pool, identity)) ??
          (await create(pool, identity)) ??
          (await update(pool, identity)) ??
          Promise.reject(new Error('The account vanished between two statements.')),
      ),
    disable: (userId) =>
      endUser(
        userId,
        'user-disabled',
        'UPDATE auth_users SET disabled_at = coalesce(disabled_at, now()), updated_at = now() WHERE id = $1',
      ),
    delete: (userId) => endUser(userId, 'user-deleted', 'DELETE FROM auth_users WHERE id = $1'),
    enable: (userId) =>
      storeCall(async () => {
        const { rowCount } = await pool.query(
          'UPDATE auth_users SET disabled_at = NULL, updated_at = now() WHERE id = $1',
          [userId],
        )
        return rowCount === 1
      }),
  }
}

/**
 * Updates the profile of a known user; a disabled user is not changed. `email_verified` belongs to one
 * address: it changes with the address and is never carried over to another.
 */
const UPDATE = `WITH ${LAZILY}, known AS (
    SELECT account.id, account.user_id, person.disabled_at IS NOT NULL AS disabled
    FROM auth_accounts AS account JOIN auth_users AS person ON person.id = account.user_id
    WHERE account.issuer = $1 AND account.subject = $2),
  account AS (
    UPDATE auth_accounts SET last_sign_in_at = now()
    FROM known, lazily WHERE auth_accounts.id = known.id AND NOT disabled),
  person AS (
    UPDATE auth_users SET
      display_name = coalesce($3, display_name), email = coalesce($4, email),
      email_verified = CASE WHEN $4::text IS NULL THEN email_verified
        ELSE coalesce($5, email_verified AND email = $4, false) END,
      image_url = coalesce($6, image_url),
      updated_at = now()
    FROM known WHERE auth_users.id = known.user_id AND NOT disabled)
  SELECT user_id AS "userId", disabled FROM known`

async function update(
  pool: PostgresPool,
  { issuer, subject, profile }: SignedInIdentity,
): Promise<{ userId: string } | undefined> {
  const { displayName, email, emailVerified, imageUrl } = profile
  const { rows } = await queryPrepared<{ userId: string; disabled: boolean }>(pool, {
    name: 'auth_user_sign_in',
    text: UPDATE,
    values: [issuer, subject, displayName, email, emailVerified, imageUrl],
  })
  const [known] = rows
  if (known?.disabled) throw disabledUser()
  return known && { userId: known.userId }
}

/**
 * Inserts a user with an account. Exactly one of concurrent first sign-ins inserts the account; the
 * others wait for it and insert nothing, so that no user is left without an account. Foreign keys are
 * checked at the end of the statement.
 */
const CREATE = `WITH account AS (
    INSERT INTO auth_accounts (id, user_id, provider_id, issuer, subject)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (issuer, subject) DO NOTHING
    RETURNING user_id)
  INSERT INTO auth_users (id, display_name, email, email_verified, image_url)
  SELECT user_id, $6, $7, coalesce($7::text IS NOT NULL AND $8, false), $9 FROM account
  RETURNING id AS "userId"`

/** Creates a user; `undefined` if a concurrent sign-in of the same user was first. */
async function create(
  pool: PostgresPool,
  { providerId, issuer, subject, profile }: SignedInIdentity,
): Promise<{ userId: string } | undefined> {
  const { displayName, email, emailVerified, imageUrl } = profile
  const { rows } = await queryPrepared<{ userId: string }>(pool, {
    name: 'auth_user_create',
    text: CREATE,
    values: [
      ...[randomUUID(), randomUUID(), providerId, issuer, subject],
      ...[displayName, email, emailVerified, imageUrl],
    ],
  })
  return rows[0]
}
