import { randomUUID } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import {
  auditSessions,
  inTransaction,
  queryPrepared,
  storeCall,
} from '@netscript/auth-database/internal'
import { AuthError, type SessionEnd } from '@netscript/plugin-auth-core'
import { operatorRolesChange } from '../session-roles.js'
import type {
  AccountChange,
  LinkedAccount,
  RoleChange,
  SignedInIdentity,
  StoredProfile,
  UnlinkOutcome,
  UserStore,
} from '../session-store.js'
import { deleteEntries, LAZILY } from './keyv-postgres.js'
import { changeSessionsOf } from './postgres-session-store.js'
import { disabledUser, sessionChanged } from './session-refusal.js'

/** Maximum number of roles that the operator gives a user. */
const MAX_ROLES = 100

type SignedIn = Awaited<ReturnType<UserStore['signIn']>>

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
    changeRoles: (userId, change) =>
      storeCall(() =>
        inTransaction(pool, async (connection) => {
          const { rows } = await connection.query<{ roles: string[] }>(
            'SELECT roles FROM auth_users WHERE id = $1 FOR NO KEY UPDATE',
            [userId],
          )
          const [user] = rows
          if (!user) return undefined
          const { roles, events } = changedRoles(user.roles, change)
          if (events.length > 0) {
            await connection.query(SET_ROLES, [
              ...[userId, roles],
              events.map((event) => `${event} (user ${userId})`),
            ])
          }
          await changeSessionsOf(connection, userId, 'roles-changed', (record) =>
            operatorRolesChange(record, roles),
          )
          return roles
        }),
      ),
    signIn: (identity) =>
      storeCall(async () => {
        const known = await update(pool, identity)
        if (known) return known
        if (identity.expectedUserId !== undefined) throw sessionChanged()
        return (
          (await create(pool, identity)) ??
          (await update(pool, identity)) ??
          Promise.reject(new Error('The account vanished between two statements.'))
        )
      }),
    get: (userId) => storeCall(() => profileOf(pool, userId)),
    listAccounts: (userId) => storeCall(() => accountsOf(pool, userId)),
    link: (userId, identity, change) => storeCall(() => link(pool, userId, identity, change)),
    unlink: (userId, accountId, change) => storeCall(() => unlink(pool, userId, accountId, change)),
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

const SET_ROLES = `WITH changed AS (
    UPDATE auth_users SET roles = $2, updated_at = now() WHERE id = $1)
  INSERT INTO auth_audit_events (type, reason)
  SELECT 'user.roles-changed', reason FROM unnest($3::text[]) AS reason`

/** The roles after a change, and what changes them. */
function changedRoles(
  before: readonly string[],
  { add = [], remove = [] }: RoleChange,
): { roles: readonly string[]; events: readonly string[] } {
  const roles = [...new Set([...before, ...add])].filter((role) => !remove.includes(role))
  if (roles.length > MAX_ROLES) {
    const detail = `A user has at most ${MAX_ROLES} roles of the operator. Remove some first.`
    throw new AuthError('VALIDATION_ERROR', detail, {
      data: { formErrors: [], fieldErrors: { roles: [detail] } },
    })
  }
  const added = roles.filter((role) => !before.includes(role)).map((role) => `added ${role}`)
  const removed = before.filter((role) => !roles.includes(role)).map((role) => `removed ${role}`)
  return { roles, events: [...added, ...removed] }
}

/**
 * Changes of the profile at a sign-in: the parameters are $3 (name), $4 (e-mail), $5 (verified) and $6
 * (picture), and null keeps what is stored. `email_verified` belongs to one address: it changes with the
 * address and is never carried over to another.
 */
export const PROFILE_CHANGES = `
      display_name = coalesce($3, display_name), email = coalesce($4, email),
      email_verified = CASE WHEN $4::text IS NULL THEN email_verified
        ELSE coalesce($5, email_verified AND email = $4, false) END,
      image_url = coalesce($6, image_url), updated_at = now()`

/** Updates the profile of a known user; a disabled user is not changed. */
const UPDATE = `WITH ${LAZILY}, known AS (
    SELECT account.id, account.user_id, person.disabled_at IS NOT NULL AS disabled, person.roles
    FROM auth_accounts AS account JOIN auth_users AS person ON person.id = account.user_id
    WHERE account.issuer = $1 AND account.subject = $2
      AND ($7::text IS NULL OR account.user_id = $7)),
  account AS (
    UPDATE auth_accounts SET last_sign_in_at = now()
    FROM known, lazily WHERE auth_accounts.id = known.id AND NOT disabled),
  person AS (
    UPDATE auth_users SET ${PROFILE_CHANGES}
    FROM known WHERE auth_users.id = known.user_id AND NOT disabled)
  SELECT user_id AS "userId", disabled, roles FROM known`

async function update(
  pool: PostgresPool,
  { issuer, subject, profile, expectedUserId }: SignedInIdentity,
): Promise<SignedIn | undefined> {
  const { displayName, email, emailVerified, imageUrl } = profile
  const { rows } = await queryPrepared<SignedIn & { disabled: boolean }>(pool, {
    name: 'auth_user_sign_in',
    text: UPDATE,
    values: [issuer, subject, displayName, email, emailVerified, imageUrl, expectedUserId],
  })
  const [known] = rows
  if (known?.disabled) throw disabledUser()
  return known && { userId: known.userId, roles: known.roles, isNew: false }
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
  RETURNING id AS "userId", roles`

/** Creates a user; `undefined` if a concurrent sign-in of the same user was first. */
async function create(
  pool: PostgresPool,
  { providerId, issuer, subject, profile }: SignedInIdentity,
): Promise<SignedIn | undefined> {
  const { displayName, email, emailVerified, imageUrl } = profile
  const { rows } = await queryPrepared<Omit<SignedIn, 'isNew'>>(pool, {
    name: 'auth_user_create',
    text: CREATE,
    values: [
      ...[randomUUID(), randomUUID(), providerId, issuer, subject],
      ...[displayName, email, emailVerified, imageUrl],
    ],
  })
  return rows[0] && { ...rows[0], isNew: true }
}

const PROFILE = `SELECT display_name AS "displayName", email, email_verified AS "emailVerified",
    image_url AS "imageUrl", roles, created_at AS "createdAt"
  FROM auth_users WHERE id = $1`

async function profileOf(pool: PostgresPool, userId: string): Promise<StoredProfile | undefined> {
  type Row = Record<'displayName' | 'email' | 'imageUrl', string | null> & {
    emailVerified: boolean
    roles: string[]
    createdAt: Date
  }
  const { rows } = await pool.query<Row>(PROFILE, [userId])
  const [row] = rows
  if (!row) return undefined
  return {
    ...(row.displayName !== null && { displayName: row.displayName }),
    ...(row.email !== null && { email: row.email, emailVerified: row.emailVerified }),
    ...(row.imageUrl !== null && { imageUrl: row.imageUrl }),
    roles: row.roles,
    createdAt: row.createdAt.getTime(),
  }
}

const ACCOUNTS = `SELECT id, provider_id AS "providerId", issuer, subject,
    created_at AS "createdAt", last_sign_in_at AS "lastSignInAt"
  FROM auth_accounts WHERE user_id = $1 ORDER BY created_at, id`

async function accountsOf(
  connection: Pick<PostgresPool, 'query'>,
  userId: string,
): Promise<LinkedAccount[]> {
  type Row = Omit<LinkedAccount, 'createdAt' | 'lastSignInAt'> &
    Record<'createdAt' | 'lastSignInAt', Date>
  const { rows } = await connection.query<Row>(ACCOUNTS, [userId])
  return rows.map(({ createdAt, lastSignInAt, ...account }) => ({
    ...account,
    createdAt: createdAt.getTime(),
    lastSignInAt: lastSignInAt.getTime(),
  }))
}

/** Locks the row of the user, as every change of accounts does, so that none sees a stale list. */
const LINK = `WITH person AS (
    SELECT id FROM auth_users WHERE id = $1 AND disabled_at IS NULL FOR NO KEY UPDATE),
  account AS (
    INSERT INTO auth_accounts (id, user_id, provider_id, issuer, subject)
    SELECT $2, id, $3, $4, $5 FROM person
    ON CONFLICT (issuer, subject) DO NOTHING
    RETURNING provider_id),
  audited AS (
    INSERT INTO auth_audit_events (type, provider_id, subject_hash, session_id)
    SELECT 'account.linked', provider_id, $6, $7 FROM account)
  SELECT FROM account`

const OWNER = `SELECT person.disabled_at IS NULL AS enabled, account.user_id AS owner
  FROM auth_users AS person
  LEFT JOIN auth_accounts AS account ON account.issuer = $2 AND account.subject = $3
  WHERE person.id = $1`

async function link(
  pool: PostgresPool,
  userId: string,
  { providerId, issuer, subject }: Omit<SignedInIdentity, 'profile'>,
  { sessionId, subjectHash }: AccountChange,
): Promise<'linked' | 'already-linked' | 'conflict'> {
  const values = [userId, randomUUID(), providerId, issuer, subject]
  for (;;) {
    const audited = [subjectHash(issuer, subject), sessionId]
    const { rowCount } = await pool.query(LINK, [...values, ...audited])
    if (rowCount === 1) return 'linked'
    const { rows } = await pool.query<{ enabled: boolean; owner: string | null }>(OWNER, [
      ...[userId, issuer, subject],
    ])
    const [found] = rows
    if (!found?.enabled) throw disabledUser()
    if (found.owner !== null) return found.owner === userId ? 'already-linked' : 'conflict'
    // The account was removed between the two statements.
  }
}

function unlink(
  pool: PostgresPool,
  userId: string,
  accountId: string,
  { sessionId, subjectHash }: AccountChange,
): Promise<UnlinkOutcome> {
  return inTransaction(pool, async (connection) => {
    await connection.query('SELECT FROM auth_users WHERE id = $1 FOR NO KEY UPDATE', [userId])
    const accounts = await accountsOf(connection, userId)
    const account = accounts.find(({ id }) => id === accountId)
    if (!account) return { outcome: 'unknown' }
    if (accounts.length === 1) return { outcome: 'last' }
    const { providerId, issuer, subject } = account
    await connection.query(
      `WITH account AS (DELETE FROM auth_accounts WHERE id = $1 RETURNING provider_id)
       INSERT INTO auth_audit_events (type, provider_id, subject_hash, session_id)
       SELECT 'account.unlinked', $2, $3, $4 FROM account`,
      [accountId, providerId, subjectHash(issuer, subject), sessionId],
    )
    const end: SessionEnd = 'account-unlinked'
    const { rows } = await connection.query<{ id: string }>(
      `WITH ended AS (${deleteEntries('user_id = $1 AND issuer = $2 AND subject = $3')}),
       audited AS (${auditSessions('ended', "'session.revoked'", '$4::text')})
       SELECT (value::jsonb)->'value'->>'id' AS id FROM ended`,
      [userId, issuer, subject, end],
    )
    return { outcome: 'unlinked', account, ended: rows.map(({ id }) => id) }
  })
}
