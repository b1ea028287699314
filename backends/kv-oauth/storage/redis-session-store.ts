import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { PostgresPool } from '@netscript/auth-database'
import { redisCall } from '@netscript/auth-database/internal'
import { MAX_SESSIONS_IN_PAGE, newestFirst } from '@netscript/plugin-auth-core/internal'
import type { SessionEnd } from '@netscript/plugin-auth-core'
import { MAX_EVICTED, type SessionRecord, type SessionStore } from '../session-store.js'
import { createRedisKeyv, type KeyvEntry, REDIS_NAMESPACE } from './keyv-redis.js'
import { mastersOf, ping, type RedisConnection } from './redis-connection.js'
import { createSessionIndex } from './redis-session-index.js'
import { createSessionEvents } from './session-events.js'
import { sessionRefusal } from './session-refusal.js'

/** A hash tag (braces) keeps all keys of a session in one slot of a cluster. */
const keyvKey = (id: string): string => `{session:${id}}`
/** The keys of a session and of its provider tokens, which expire together. */
export const sessionKeys = (
  id: string,
): [session: string, tokens: string, linkedTokens: string] => [
  `${REDIS_NAMESPACE}:${keyvKey(id)}`,
  `${REDIS_NAMESPACE}:${keyvKey(id)}:tokens`,
  `${REDIS_NAMESPACE}:${keyvKey(id)}:linked-tokens`,
]

const EVERY_SESSION = { MATCH: `${REDIS_NAMESPACE}:${keyvKey('*')}`, COUNT: 1_000 }

const lastUsedAt = ({ refreshedAt, issuedAt }: SessionRecord): number => refreshedAt ?? issuedAt

/** The version comes first, so that a script can compare it without parsing JSON. */
const beginOf = (version: number): string => `{"version":${version},`
const serialize = ({ value, expires }: KeyvEntry<SessionRecord>): string =>
  JSON.stringify({ version: value.version, value, expires })

const EXTEND = `local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
redis.call('PEXPIREAT', KEYS[2], ARGV[3])
redis.call('PEXPIREAT', KEYS[3], ARGV[3])
return 1`
const END = `local ended = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
return ended`

/** How long a claim on a key lasts, in milliseconds. */
const CLAIM_MS = 10_000
const CLAIM_RETRY_MS = 20
/** Maximum number of stale ids that one sign-in removes from the index of its user. */
const MAX_FORGOTTEN = 1_000
const DONE = 'done'
/** Marks a claimed key as done, or releases it. Only for the holder of the claim. */
const SETTLE = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) > 0 then redis.call('SET', KEYS[1], '${DONE}', 'PX', ARGV[2])
else redis.call('DEL', KEYS[1]) end
return 1`

/**
 * Creates a session store in Redis, with users and the audit trail in Postgres. Keyv writes and reads
 * entries; other operations are Lua scripts on the keys of one session. Redis expires entries itself,
 * so there is nothing to sweep.
 *
 * A change spans two databases here, so its order replaces the single statement of Postgres:
 *
 * - `create` indexes the session, writes it, checks the user and the account, and removes the session
 *   if the user is disabled or the account is gone. Disabling and unlinking change these first and end
 *   the sessions afterwards, so at least one of two concurrent operations sees the other. No client has
 *   the token before `create` resolves.
 * - An audit event is written before its change, so that no change lacks an event. If the change then
 *   fails, or loses a race, there is a surplus event.
 */
export function createRedisSessionStore(redis: RedisConnection, pool: PostgresPool): SessionStore {
  const keyv = createRedisKeyv(redis, serialize)
  const index = createSessionIndex(redis)
  const events = createSessionEvents(pool)

  const get = (id: string): Promise<SessionRecord | undefined> =>
    keyv.get<SessionRecord>(keyvKey(id))
  const getMany = (ids: readonly string[]): Promise<(SessionRecord | undefined)[]> =>
    keyv.get<SessionRecord>(ids.map(keyvKey))
  const living = async (ids: readonly string[]): Promise<SessionRecord[]> =>
    (await getMany(ids)).filter((record) => record !== undefined)

  const drop = async (record: SessionRecord): Promise<SessionRecord | undefined> => {
    const text = await redis.script(END, sessionKeys(record.id))
    await index.remove(record)
    return text === null
      ? undefined
      : (JSON.parse(text as string) as KeyvEntry<SessionRecord>).value
  }
  /** Ends sessions and returns them, except those that another call has ended meanwhile. */
  const end = async (
    records: readonly SessionRecord[],
    why: SessionEnd,
  ): Promise<SessionRecord[]> => {
    await events.ended(records, why)
    return (await Promise.all(records.map(drop))).filter((record) => record !== undefined)
  }
  const endByProvider = async (
    named: Parameters<SessionStore['revokeByProviderSession']>[0],
  ): Promise<number> => {
    const { issuer, sid, subject } = named
    const found = await living(await index.ofProviderSession(named))
    const meant = found.filter(
      (record) =>
        record.issuer === issuer &&
        (sid === undefined || record.sid === sid) &&
        (subject === undefined || record.subject === subject),
    )
    return (await end(meant, 'ended-by-provider')).length
  }

  const claimKey = async (key: string, claim: string): Promise<boolean> => {
    const expiration = { type: 'PX', value: CLAIM_MS } as const
    const set = await redis.run((client) => client.set(key, claim, { condition: 'NX', expiration }))
    return set !== null
  }
  const settle = (key: string, claim: string, ttlMs: number): Promise<unknown> =>
    redis.script(SETTLE, [key], [claim, Math.ceil(ttlMs)])
  /** Serializes evictions of a user across processes. After a long wait, the next sign-in does it. */
  const oneAtATime = async (userId: string, evict: () => Promise<number>): Promise<number> => {
    const [key, claim] = [`${REDIS_NAMESPACE}:evicting:${userId}`, randomUUID()]
    const deadline = Date.now() + CLAIM_MS
    while (!(await claimKey(key, claim))) {
      if (Date.now() > deadline) return 0
      await delay(CLAIM_RETRY_MS)
    }
    try {
      return await evict()
    } finally {
      await settle(key, claim, 0).catch(() => undefined)
    }
  }

  return {
    create: (record) =>
      redisCall(async () => {
        await index.add(record)
        try {
          await keyv.set(keyvKey(record.id), record, record.expiresAt - Date.now())
          const user = await events.signedIn(record)
          if (user) return user
        } catch (error) {
          await drop(record).catch(() => undefined)
          throw error
        }
        await drop(record)
        throw await sessionRefusal(pool, record)
      }),

    get: (id) => redisCall(() => get(id)),

    extend: (next, why) =>
      redisCall(async () => {
        const version = next.version - 1
        const held = await get(next.id)
        if (held?.version !== version) return false
        await events.refreshed(next, why)
        const text = serialize({ value: next, expires: next.expiresAt })
        const values = [beginOf(version), text, next.expiresAt]
        return (await redis.script(EXTEND, sessionKeys(next.id), values)) === 1
      }),

    revoke: (id, why) =>
      redisCall(async () => {
        const record = await get(id)
        return record && (await end([record], why))[0]
      }),

    listByUser: (userId, { limit = MAX_SESSIONS_IN_PAGE, after } = {}) =>
      redisCall(async () => {
        const records = await living(await index.ofUser(userId))
        return records
          .filter((record) => after === undefined || newestFirst(after, record) < 0)
          .sort(newestFirst)
          .slice(0, limit)
      }),

    evict: (userId, { keep, max }) =>
      redisCall(async () => {
        if ((await index.ofUser(userId)).length <= max) return 0
        // Serializes the sign-ins of a user: concurrent ones would end each other's session.
        return oneAtATime(userId, async () => {
          const ids = await index.ofUser(userId)
          const records = await living(ids)
          const newest = records.find(({ id }) => id === keep)
          if (!newest) return 0
          const alive = new Set(records.map(({ id }) => id))
          const stale = ids.filter((id) => !alive.has(id))
          await index.forget(stale.slice(0, MAX_FORGOTTEN), newest)
          const surplus = Math.min(Math.max(records.length - max, 0), MAX_EVICTED)
          const leastRecentlyUsed = records
            .filter((record) => record !== newest)
            .sort((a, b) => lastUsedAt(a) - lastUsedAt(b))
          return (await end(leastRecentlyUsed.slice(0, surplus), 'session-limit')).length
        })
      }),

    revokeByUser: (userId, why, { except } = {}) =>
      redisCall(async () => {
        const ids = await index.ofUser(userId)
        return (await end(await living(ids.filter((id) => id !== except)), why)).length
      }),

    revokeByProviderSession: (named, once) =>
      redisCall(async () => {
        if (!once) return endByProvider(named)
        const key = `${REDIS_NAMESPACE}:used:${once.key}`
        const claim = randomUUID()
        if (!(await claimKey(key, claim))) {
          if ((await redis.run((client) => client.get(key))) === DONE) return undefined
          // The holder of the claim is still running or has crashed: the outcome is unknown.
          throw new Error('Another call of the key is under way.')
        }
        try {
          const ended = await endByProvider(named)
          return (await settle(key, claim, once.ttlMs)) === 1 ? ended : undefined
        } catch (error) {
          await settle(key, claim, 0).catch(() => undefined)
          throw error
        }
      }),

    sweep: async () => 0,

    count: () =>
      redisCall(async () => {
        const masters = await redis.run(mastersOf)
        const counts = await Promise.all(
          masters.map(async (master) => {
            let found = 0
            let cursor = '0'
            do {
              const page = await redis.run(() => master.scan(cursor, EVERY_SESSION))
              found += page.keys.length
              cursor = page.cursor
            } while (cursor !== '0')
            return found
          }),
        )
        return counts.reduce((sum, one) => sum + one, 0)
      }),

    probe: () =>
      redisCall(async () => {
        // A cluster that lacks slots responds to PING but not to commands with keys.
        await Promise.all([redis.run(ping), get('probe')])
      }),
  }
}
