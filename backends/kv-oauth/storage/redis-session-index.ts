import type { SessionRecord } from '../session-store.js'
import { publicId } from '@netscript/plugin-auth-core/internal'
import { REDIS_NAMESPACE } from './keyv-redis.js'
import type { RedisConnection } from './redis-connection.js'

/**
 * Adds an id with its absolute end as the score, drops what is past its end by the clock of Redis,
 * and lets the whole index end with its last entry.
 */
const ADD = `local now = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now[1] * 1000 + math.floor(now[2] / 1000))
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], last[2])`

/** Removes ids whose absolute end, which orders them as they began, is not later than a time. */
const FORGET = `for at = 2, #ARGV do
  local ends = redis.call('ZSCORE', KEYS[1], ARGV[at])
  if ends and tonumber(ends) <= tonumber(ARGV[1]) then redis.call('ZREM', KEYS[1], ARGV[at]) end
end`
/** Longer than writing a session can take. */
const SETTLED_MS = 10 * 60_000

/** What a provider names a session by; with both, the session must have both. */
export interface ProviderSession {
  readonly issuer: string
  readonly sid?: string
  readonly subject?: string
}

/**
 * By whom the ids of sessions can be found. An index is only a hint: it may name sessions that are
 * over, never misses one that is not, and the entry of the session decides.
 */
export interface SessionIndex {
  /** Must come before the session is written, so that nobody can miss it. */
  add(record: SessionRecord): Promise<void>
  /** For a session that is over. An id that stays behind is harmless. */
  remove(record: SessionRecord): Promise<void>
  ofUser(userId: string): Promise<string[]>
  /**
   * Drops ids of sessions that have ended from the index of their user, but for those that `newest`
   * may have overtaken: an id is indexed before its session is written.
   */
  forget(ids: readonly string[], newest: SessionRecord): Promise<void>
  ofProviderSession(session: ProviderSession): Promise<string[]>
}

/**
 * Sorted sets of session ids: one for each user, provider session and person at a provider. Each is
 * a key of its own and in whatever slot; there is no command over two of them.
 */
export function createSessionIndex(redis: RedisConnection): SessionIndex {
  const members = (key: string): Promise<string[]> =>
    redis.run((client) => client.zRange(key, 0, -1))
  return {
    async add(record) {
      await Promise.all(
        keysOf(record).map((key) =>
          redis.script(ADD, [key], [record.absoluteExpiresAt, record.id]),
        ),
      )
    },
    async remove(record) {
      await Promise.allSettled(
        keysOf(record).map((key) => redis.run((client) => client.zRem(key, record.id))),
      )
    },
    ofUser: (userId) => members(userKey(userId)),
    async forget(ids, { userId, absoluteExpiresAt }) {
      const settled = absoluteExpiresAt - SETTLED_MS
      if (ids.length > 0) await redis.script(FORGET, [userKey(userId)], [settled, ...ids])
    },
    async ofProviderSession({ issuer, sid, subject }) {
      if (sid !== undefined) return members(sidKey(issuer, sid))
      return subject === undefined ? [] : members(subjectKey(issuer, subject))
    },
  }
}

const userKey = (userId: string): string => `${REDIS_NAMESPACE}:user:${userId}`
// Hashed, since a provider may choose any text.
const sidKey = (issuer: string, sid: string): string =>
  `${REDIS_NAMESPACE}:sid:${publicId(`${issuer}\0${sid}`)}`
const subjectKey = (issuer: string, subject: string): string =>
  `${REDIS_NAMESPACE}:subject:${publicId(`${issuer}\0${subject}`)}`

const keysOf = ({ userId, issuer, sid, subject }: SessionRecord): string[] => [
  userKey(userId),
  subjectKey(issuer, subject),
  ...(sid === undefined ? [] : [sidKey(issuer, sid)]),
]
