import type { PostgresPool } from './postgres-pool.js'
import { storeCall } from './database-error.js'
import type { OperatorUser, UserPage, UserSearch } from '@netscript/plugin-auth-core'

interface Row {
  id: string
  display_name: string | null
  email: string | null
  email_verified: boolean | null
  roles: string[] | null
  created_ms: number
  disabled_ms: number | null
  last_sign_in_ms: number | null
  accounts: OperatorUser['accounts'][number][]
}

/** Milliseconds, because the text form of a timestamp depends on the connection's DateStyle. */
export const milliseconds = (column: string): string =>
  `(extract(epoch FROM ${column}) * 1000)::float8`

/** The tables in which a backend keeps its users. */
interface UserTables {
  readonly users: string
  /** User column with the display name. */
  readonly name: string
  readonly accounts: string
  /** Account column with the provider subject. */
  readonly subject: string
  /** Account column with the time of the last sign-in. Default: unknown. */
  readonly lastSignInAt?: string
  /** User column with the roles that the operator gave. Default: none. */
  readonly roles?: string
}

const KV_OAUTH_USERS: UserTables = {
  users: 'auth_users',
  name: 'display_name',
  accounts: 'auth_accounts',
  subject: 'subject',
  lastSignInAt: 'last_sign_in_at',
  roles: 'roles',
}

const selectUsers = ({ users, name, accounts, subject, ...more }: UserTables): string =>
  `SELECT person.id, nullif(person.${name}, '') AS display_name, person.email,
    person.email_verified, ${more.roles ?? 'NULL::text[]'} AS roles, ${milliseconds('person.created_at')} AS created_ms,
    ${milliseconds('person.disabled_at')} AS disabled_ms,
    ${milliseconds('known.last_sign_in_at')} AS last_sign_in_ms, known.accounts
  FROM ${users} AS person CROSS JOIN LATERAL (
    SELECT max(${more.lastSignInAt ?? 'NULL::timestamptz'}) AS last_sign_in_at, coalesce(json_agg(
      json_build_object('providerId', provider_id, 'subject', ${subject}) ORDER BY created_at), '[]'
    ) AS accounts
    FROM ${accounts} WHERE user_id = person.id) AS known`

function searchUsers(tables: UserTables): string {
  const hasAccount = `EXISTS (SELECT FROM ${tables.accounts} WHERE user_id = person.id AND`
  return `${selectUsers(tables)}
  WHERE ($1::text IS NULL OR person.id = $1 OR person.email ILIKE $2 OR person.${tables.name} ILIKE $2
      OR ${hasAccount} ${tables.subject} = $1))
    AND ($3::text IS NULL OR ${hasAccount} provider_id = $3))
    AND ($4::timestamptz IS NULL OR (person.created_at, person.id) < ($4, $5::text))
  ORDER BY person.created_at DESC, person.id DESC LIMIT $6`
}

/** Reads a backend's users for an operator. Default: those of the kv-oauth backend. */
export function createUserDirectory(pool: PostgresPool, tables = KV_OAUTH_USERS) {
  return {
    /** Users that match, newest first. */
    async find({ text, providerId, limit = 50, cursor }: UserSearch = {}): Promise<UserPage> {
      if ([text, providerId].some((value) => value?.includes('\0'))) return { users: [] }
      const after = cursor === undefined ? undefined : openCursor(cursor)
      return storeCall(async () => {
        const most = Math.min(Math.max(Math.trunc(limit), 1), 100)
        const part = text?.replace(/[\\%_]/g, '\\$&')
        const { rows } = await pool.query<Row>(searchUsers(tables), [
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
      })
    },

    /** The user with the id; `undefined` when there is none. */
    get: (userId: string): Promise<OperatorUser | undefined> =>
      storeCall(async () => {
        // Postgres rejects NUL in text, and no id contains it.
        if (userId.includes('\0')) return undefined
        const { rows } = await pool.query<Row>(`${selectUsers(tables)} WHERE person.id = $1`, [
          userId,
        ])
        return rows[0] && toUser(rows[0])
      }),
  }
}

/** Creation time and id of a page's last user: the next page works even if that user is deleted. */
function openCursor(cursor: string): { createdAt: Date; id: string } {
  const [, at, id] = /^(\d{1,15})\.([^\0]+)$/.exec(cursor) ?? []
  if (at === undefined || id === undefined) throw new RangeError('The cursor is not one of ours.')
  return { createdAt: new Date(Number(at)), id }
}

const toUser = (row: Row): OperatorUser => ({
  id: row.id,
  ...(row.display_name !== null && { displayName: row.display_name }),
  ...(row.email !== null && { email: row.email }),
  ...(row.email_verified !== null && { emailVerified: row.email_verified }),
  accounts: row.accounts,
  ...(row.roles !== null && { roles: row.roles }),
  createdAt: new Date(row.created_ms).toISOString(),
  ...(row.last_sign_in_ms !== null && {
    lastSignInAt: new Date(row.last_sign_in_ms).toISOString(),
  }),
  ...(row.disabled_ms !== null && { disabledAt: new Date(row.disabled_ms).toISOString() }),
})
