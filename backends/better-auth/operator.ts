import type pg from 'pg'
import type { Operator, OperatorAccount, OperatorUser, UserPage, UserSearch } from '../operator.js'
import { USER_AGENT_LENGTH } from '../request.js'
import { pageOf, sessionRange } from '../session-page.js'
import { storeCall } from '../storage/unavailable.js'
import { milliseconds } from '../storage/user-directory.js'
import { parseSessionRow, parseUserRow, toAuthSession } from './session-mapping.js'

const SESSIONS = `SELECT id, user_id AS "userId", ${milliseconds('created_at')} AS "createdAt",
    ${milliseconds('updated_at')} AS "updatedAt", ${milliseconds('expires_at')} AS "expiresAt",
    user_agent AS "userAgent"
  FROM auth_sessions WHERE user_id = $1 AND expires_at > now()
    AND ($2::timestamptz IS NULL OR (created_at, id COLLATE "C") < ($2, $3::text))
  ORDER BY created_at DESC, id COLLATE "C" DESC LIMIT $4`

const USERS = `SELECT person.id, person.name, person.email, person.email_verified,
    ${milliseconds('person.created_at')} AS created_ms,
    ${milliseconds('person.disabled_at')} AS disabled_ms, coalesce((
      SELECT json_agg(json_build_object('providerId', provider_id, 'subject', account_id)
        ORDER BY created_at)
      FROM better_auth_accounts WHERE user_id = person.id), '[]') AS accounts
  FROM better_auth_users AS person`

const HAS_ACCOUNT = 'EXISTS (SELECT FROM better_auth_accounts WHERE user_id = person.id AND'

const FIND = `${USERS}
  WHERE ($1::text IS NULL OR person.id = $1 OR person.email ILIKE $2 OR person.name ILIKE $2
      OR ${HAS_ACCOUNT} account_id = $1))
    AND ($3::text IS NULL OR ${HAS_ACCOUNT} provider_id = $3))
    AND ($4::timestamptz IS NULL OR (person.created_at, person.id) < ($4, $5::text))
  ORDER BY person.created_at DESC, person.id DESC LIMIT $6`

interface UserRow {
  id: string
  name: string
  email: string
  email_verified: boolean
  created_ms: number
  disabled_ms: number | null
  accounts: OperatorAccount[]
}

/**
 * The operator's side of the better-auth backend, over its database. Every process sees the effect
 * with the next request. Hooks of better-auth run in the service only, so not for these operations.
 *
 * @throws AuthError `STORE_UNAVAILABLE` from every method.
 *
 * @example
 * ```ts
 * const operator = createBetterAuthOperator(new pg.Pool({ connectionString: process.env.DATABASE_URL }))
 * await operator.disableUser('user-id')
 * ```
 */
export function createBetterAuthOperator(pool: pg.Pool): Operator {
  const query = async <Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[],
  ): Promise<pg.QueryResult<Row>> => storeCall(() => pool.query<Row>(text, [...values]))
  const rowsChanged = async (text: string, id: string): Promise<number> =>
    isId(id) ? ((await query(text, [id])).rowCount ?? 0) : 0
  const revokeSessions = (userId: string): Promise<number> =>
    rowsChanged('DELETE FROM auth_sessions WHERE user_id = $1 AND expires_at > now()', userId)
  const getUser = async (userId: string): Promise<OperatorUser | undefined> => {
    if (!isId(userId)) return undefined
    const { rows } = await query<UserRow>(`${USERS} WHERE person.id = $1`, [userId])
    return rows[0] && toUser(rows[0])
  }
  return {
    backend: 'better-auth',
    getUser,
    findUsers: async (search = {}) =>
      toPage(search, (values) => query<UserRow>(FIND, values).then(({ rows }) => rows)),
    async listSessions(userId, options) {
      const { limit, after } = sessionRange(options)
      const user = await getUser(userId)
      if (!user) return { sessions: [] }
      const begin = after && new Date(after.issuedAt)
      const { rows } = await query(SESSIONS, [userId, begin, after?.id, limit + 1])
      const { page, cursor } = pageOf(rows.map(parseSessionRow), limit, ({ createdAt, id }) => ({
        issuedAt: createdAt.getTime(),
        id,
      }))
      return {
        sessions: page.map((session) => ({
          session: toAuthSession({ session, user: parseUserRow({ id: userId }) }),
          ...(session.userAgent && { userAgent: session.userAgent.slice(0, USER_AGENT_LENGTH) }),
        })),
        ...(cursor !== undefined && { cursor }),
      }
    },
    revokeSession: async (id) =>
      (await rowsChanged('DELETE FROM auth_sessions WHERE id = $1 AND expires_at > now()', id)) > 0,
    revokeSessions,
    async disableUser(userId) {
      const disable = `UPDATE better_auth_users SET disabled_at = coalesce(disabled_at, now()) WHERE id = $1`
      // First: a session that begins meanwhile is refused, or deleted below.
      if ((await rowsChanged(disable, userId)) === 0) return false
      await revokeSessions(userId)
      return true
    },
    enableUser: async (userId) =>
      (await rowsChanged('UPDATE better_auth_users SET disabled_at = NULL WHERE id = $1', userId)) >
      0,
    deleteUser: async (userId) =>
      (await rowsChanged('DELETE FROM better_auth_users WHERE id = $1', userId)) > 0,
  }
}

/** Postgres refuses NUL in text: no id has one. */
const isId = (text: string): boolean => !text.includes('\0')

async function toPage(
  { text, providerId, limit = 50, cursor }: UserSearch,
  find: (values: readonly unknown[]) => Promise<UserRow[]>,
): Promise<UserPage> {
  if ([text, providerId].some((value) => value !== undefined && !isId(value))) return { users: [] }
  const after = cursor === undefined ? undefined : openCursor(cursor)
  const most = Math.min(Math.max(Math.trunc(limit), 1), 100)
  const part = text?.replace(/[\\%_]/g, '\\$&')
  const rows = await find([
    text ?? null,
    part === undefined ? null : `%${part}%`,
    providerId ?? null,
    after?.createdAt ?? null,
    after?.id ?? null,
    most + 1,
  ])
  const page = rows.slice(0, most)
  const last = page.at(-1)
  return {
    users: page.map(toUser),
    ...(rows.length > most && last && { cursor: `${last.created_ms}.${last.id}` }),
  }
}

function openCursor(cursor: string): { createdAt: Date; id: string } {
  const [, at, id] = /^(\d{1,15})\.([^\0]+)$/.exec(cursor) ?? []
  if (at === undefined || id === undefined) throw new RangeError('The cursor is not one of ours.')
  return { createdAt: new Date(Number(at)), id }
}

const toUser = (row: UserRow): OperatorUser => ({
  id: row.id,
  ...(row.name !== '' && { displayName: row.name }),
  email: row.email,
  emailVerified: row.email_verified,
  accounts: row.accounts,
  createdAt: new Date(row.created_ms).toISOString(),
  ...(row.disabled_ms !== null && { disabledAt: new Date(row.disabled_ms).toISOString() }),
})
