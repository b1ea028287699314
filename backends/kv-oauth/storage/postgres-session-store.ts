import type { PostgresConnection, PostgresPool } from '@netscript/auth-database'
import {
  auditSessions,
  endEventType,
  inTransaction,
  queryPrepared,
  storeCall,
  sweep,
} from '@netscript/auth-database/internal'
import { MAX_SESSIONS_IN_PAGE } from '@netscript/plugin-auth-core/internal'
import type { SessionEnd } from '@netscript/plugin-auth-core'
import {
  MAX_EVICTED,
  type SessionRecord,
  type SessionRefresh,
  type SessionStore,
} from '../session-store.js'
import {
  createPostgresKeyv,
  DATABASE_NOW_MS,
  deleteEntries,
  KEYV_TABLE,
  type PostgresKeyvOptions,
} from './keyv-postgres.js'
import { sessionRefusal } from './session-refusal.js'

const NAMESPACE = 'session'
export const sessionKey = (id: string): string => `${NAMESPACE}:${id}`
const EXPIRED = { table: KEYV_TABLE, key: 'key', column: 'expires_at', before: DATABASE_NOW_MS }
export const LIVE = `expires_at > ${DATABASE_NOW_MS}`

/**
 * Locks the rows of the user and the account, in this order, against a concurrent disable or unlink:
 * either the sign-in commits first and the other ends its session, or the other commits first and
 * nothing is inserted. Roles likewise. The account needs a lock of its own: a lock of the user that was
 * waited for does not refresh the snapshot of other rows.
 */
const CREATE = `WITH allowed AS (
    SELECT person.roles
    FROM auth_users AS person JOIN auth_accounts AS account ON account.user_id = person.id
    WHERE person.id = $3 AND person.disabled_at IS NULL
      AND account.issuer = $4 AND account.subject = $5
    FOR SHARE OF person FOR KEY SHARE OF account),
  written AS (
    INSERT INTO ${KEYV_TABLE} (key, value) SELECT $1::text, $2::text FROM allowed RETURNING value),
  audited AS (${auditSessions('written', "'sign-in.completed'", 'NULL')})
  SELECT roles FROM allowed, written`

/** Exactly one concurrent caller gets a row; the others wait for it and then find its entry. */
const FIRST_OF_KEY = `INSERT INTO ${KEYV_TABLE} (key, value)
  VALUES ($6, json_build_object('value', true, 'expires', ${DATABASE_NOW_MS} + $7::bigint)::text)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE NOT ${KEYV_TABLE}.${LIVE}
  RETURNING key`

const ISSUED_AT = `((value::jsonb)->'value'->>'issuedAt')::bigint`
const LAST_USED_AT = `coalesce(((value::jsonb)->'value'->>'refreshedAt')::bigint, ${ISSUED_AT})`

const EVICT = `WITH live AS (
    SELECT key, ${LAST_USED_AT} AS last_used_at FROM ${KEYV_TABLE} WHERE user_id = $3 AND ${LIVE}),
  surplus AS (
    SELECT key FROM live WHERE key <> $4 AND EXISTS (SELECT FROM live WHERE key = $4)
    ORDER BY last_used_at, key
    LIMIT least(${MAX_EVICTED}, greatest(0, (SELECT count(*) FROM live) - $5::int))),
  ended AS (${deleteEntries('key IN (SELECT key FROM surplus)')}),
  audited AS (${auditSessions('ended', '$1::text', '$2::text')})
  SELECT 1 FROM ended`

/** An entry as Keyv writes it. */
export const entryOf = (record: SessionRecord): string =>
  JSON.stringify({ value: record, expires: record.expiresAt })

const parse = ({ value }: { value: string }): SessionRecord =>
  (JSON.parse(value) as { value: SessionRecord }).value

/**
 * Changes the live sessions of a user in a transaction that holds the lock of the user row. A concurrent
 * `extend` waits, and then loses the compare-and-set.
 */
export async function changeSessionsOf(
  connection: Pick<PostgresConnection, 'query'>,
  userId: string,
  why: SessionRefresh,
  change: (record: SessionRecord) => Partial<SessionRecord> | undefined,
): Promise<void> {
  const { rows } = await connection.query<{ value: string }>(
    `SELECT value FROM ${KEYV_TABLE} WHERE user_id = $1 AND ${LIVE} ORDER BY key FOR UPDATE`,
    [userId],
  )
  const changed = rows.map(parse).flatMap((record) => {
    const changes = change(record)
    return changes ? [{ ...record, ...changes, version: record.version + 1 }] : []
  })
  await connection.query(
    `WITH changed AS (
       UPDATE ${KEYV_TABLE} AS held SET value = given.value
       FROM unnest($1::text[], $2::text[]) AS given (key, value) WHERE held.key = given.key
       RETURNING held.value)
     ${auditSessions('changed', "'session.refreshed'", '$3::text')}`,
    [changed.map(({ id }) => sessionKey(id)), changed.map(entryOf), why],
  )
}

/**
 * Creates a session store in Postgres. Keyv reads entries; other operations are SQL on the
 * same rows, so there is no second copy that could diverge.
 */
export function createPostgresSessionStore(
  pool: PostgresPool,
  { onRead }: Pick<PostgresKeyvOptions, 'onRead'> = {},
): SessionStore {
  const keyv = createPostgresKeyv<SessionRecord>({
    pool,
    namespace: NAMESPACE,
    ...(onRead && { onRead }),
  })
  /** Deletes the sessions matching a condition on $3, $4, ... and returns them. */
  const ended = async (
    condition: string,
    end: SessionEnd,
    values: unknown[],
  ): Promise<{ value: string }[]> => {
    const { rows } = await pool.query<{ value: string }>(
      `WITH ended AS (${deleteEntries(condition)}),
       audited AS (${auditSessions('ended', '$1::text', '$2::text')})
       SELECT value FROM ended`,
      [endEventType(end), end, ...values],
    )
    return rows
  }

  return {
    create: (record) =>
      storeCall(async () => {
        const { rows } = await queryPrepared<{ roles: string[] }>(pool, {
          name: 'auth_session_create',
          text: CREATE,
          values: [
            sessionKey(record.id),
            entryOf(record),
            record.userId,
            record.issuer,
            record.subject,
          ],
        })
        const [user] = rows
        if (!user) throw await sessionRefusal(pool, record)
        return user
      }),

    get: (id) => storeCall(() => keyv.get<SessionRecord>(id)),

    extend: (next, why) =>
      storeCall(async () => {
        const { rowCount } = await pool.query(
          `WITH extended AS (
             UPDATE ${KEYV_TABLE} SET value = $2
             WHERE key = $1 AND ((value::jsonb)->'value'->>'version')::int = $3 AND ${LIVE}
             RETURNING value),
           audited AS (${auditSessions('extended', "'session.refreshed'", '$4::text')})
           SELECT 1 FROM extended`,
          [sessionKey(next.id), entryOf(next), next.version - 1, why],
        )
        return rowCount === 1
      }),

    revoke: (id, end) =>
      storeCall(async () => {
        const [row] = await ended('key = $3', end, [sessionKey(id)])
        return row && parse(row)
      }),

    listByUser: (userId, { limit = MAX_SESSIONS_IN_PAGE, after } = {}) =>
      storeCall(async () => {
        const { rows } = await pool.query<{ value: string }>(
          `SELECT value FROM ${KEYV_TABLE} WHERE user_id = $1 AND ${LIVE}
             AND ($2::bigint IS NULL OR (${ISSUED_AT}, key COLLATE "C") < ($2, $3))
           ORDER BY ${ISSUED_AT} DESC, key COLLATE "C" DESC LIMIT $4`,
          [userId, after?.issuedAt ?? null, sessionKey(after?.id ?? ''), limit],
        )
        return rows.map(parse)
      }),

    evict: (userId, { keep, max }) =>
      storeCall(async () => {
        const { rows } = await pool.query<{ count: string }>(
          `SELECT count(*) FROM ${KEYV_TABLE} WHERE user_id = $1 AND ${LIVE}`,
          [userId],
        )
        if (Number(rows[0]?.count) <= max) return 0
        return inTransaction(pool, async (connection) => {
          // Serializes the sign-ins of a user: concurrent ones would end each other's session.
          await connection.query('SELECT FROM auth_users WHERE id = $1 FOR NO KEY UPDATE', [userId])
          const end: SessionEnd = 'session-limit'
          const values = [endEventType(end), end, userId, sessionKey(keep), max]
          return (await connection.query(EVICT, values)).rowCount ?? 0
        })
      }),

    revokeByUser: (userId, end, { except } = {}) =>
      storeCall(async () => {
        const values = [userId, sessionKey(except ?? '')]
        return (await ended('user_id = $3 AND key <> $4', end, values)).length
      }),

    revokeByProviderSession: ({ issuer, sid, subject }, once) =>
      storeCall(async () => {
        if (sid === undefined && subject === undefined) return 0
        const which =
          'issuer = $3 AND ($4::text IS NULL OR sid = $4) AND ($5::text IS NULL OR subject = $5)'
        const values = [issuer, sid ?? null, subject ?? null]
        const end = 'ended-by-provider'
        if (!once) return (await ended(which, end, values)).length
        const { rows } = await pool.query<{ ended: number }>(
          `WITH first AS (${FIRST_OF_KEY}),
           ended AS (${deleteEntries(`${which} AND EXISTS (SELECT FROM first)`)}),
           audited AS (${auditSessions('ended', '$1::text', '$2::text')})
           SELECT (SELECT count(*)::int FROM ended) AS ended FROM first`,
          [endEventType(end), end, ...values, `used:${once.key}`, Math.ceil(once.ttlMs)],
        )
        return rows[0]?.ended
      }),

    sweep: (limit) => sweep(pool, EXPIRED, limit),

    count: () =>
      storeCall(async () => {
        const { rows: counted } = await pool.query<{ count: string }>(
          `SELECT count(*) FROM ${KEYV_TABLE} WHERE user_id IS NOT NULL AND ${LIVE}`,
        )
        return Number(counted[0]?.count ?? 0)
      }),

    probe: () =>
      storeCall(async () => {
        await pool.query(`SELECT 1 FROM ${KEYV_TABLE} LIMIT 1`)
      }),
  }
}
