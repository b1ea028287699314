import type pg from 'pg'
import type { SessionRecord, SessionStore } from '../session-store.js'
import { createPostgresKeyv, DATABASE_NOW_MS, KEYV_TABLE } from './keyv-postgres.js'
import { storeCall } from './unavailable.js'

const NAMESPACE = 'session'
const key = (id: string): string => `${NAMESPACE}:${id}`
const LIVE = `expires_at > ${DATABASE_NOW_MS}`

const parse = ({ value }: { value: string }): SessionRecord =>
  (JSON.parse(value) as { value: SessionRecord }).value

/**
 * Sessions in Postgres. Keyv writes, reads and deletes the entry; what Keyv cannot say is SQL on
 * the same row, so there is no second copy that could differ.
 */
export function createPostgresSessionStore(pool: pg.Pool): SessionStore {
  const keyv = createPostgresKeyv<SessionRecord>({
    pool,
    namespace: NAMESPACE,
    requireEnabledUser: true,
  })
  const rows = async (text: string, values: unknown[]): Promise<{ value: string }[]> =>
    (await pool.query<{ value: string }>(text, values)).rows
  const affected = async (text: string, values: unknown[]): Promise<number> =>
    (await pool.query(text, values)).rowCount ?? 0

  return {
    create: (record) =>
      storeCall(async () => {
        await keyv.set(record.id, record, record.expiresAt - Date.now())
      }),

    get: (id) => storeCall(() => keyv.get<SessionRecord>(id)),

    getMany: (ids) => storeCall(() => keyv.get<SessionRecord>([...ids])),

    extend: (next) =>
      storeCall(async () => {
        const changed = await affected(
          `UPDATE ${KEYV_TABLE} SET value = $2
           WHERE key = $1 AND ((value::jsonb)->'value'->>'version')::int = $3 AND ${LIVE}`,
          [
            key(next.id),
            JSON.stringify({ value: next, expires: next.expiresAt }),
            next.version - 1,
          ],
        )
        return changed === 1
      }),

    revoke: (id) =>
      storeCall(async () => {
        const [row] = await rows(`DELETE FROM ${KEYV_TABLE} WHERE key = $1 RETURNING value`, [
          key(id),
        ])
        return row && parse(row)
      }),

    listByUser: (userId) =>
      storeCall(async () => {
        const found = await rows(`SELECT value FROM ${KEYV_TABLE} WHERE user_id = $1 AND ${LIVE}`, [
          userId,
        ])
        return found.map(parse).sort((a, b) => b.issuedAt - a.issuedAt)
      }),

    revokeByUser: (userId, { except } = {}) =>
      storeCall(() =>
        affected(`DELETE FROM ${KEYV_TABLE} WHERE user_id = $1 AND key <> $2`, [
          userId,
          key(except ?? ''),
        ]),
      ),

    revokeByProviderSession: ({ issuer, sid, subject }) =>
      storeCall(async () => {
        if (sid === undefined && subject === undefined) return 0
        return affected(
          `DELETE FROM ${KEYV_TABLE}
           WHERE issuer = $1 AND ($2::text IS NULL OR sid = $2) AND ($3::text IS NULL OR subject = $3)`,
          [issuer, sid ?? null, subject ?? null],
        )
      }),

    sweep: (limit) =>
      storeCall(() =>
        affected(
          `DELETE FROM ${KEYV_TABLE} WHERE key IN (
             SELECT key FROM ${KEYV_TABLE} WHERE expires_at <= ${DATABASE_NOW_MS}
             ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
          [limit],
        ),
      ),

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
