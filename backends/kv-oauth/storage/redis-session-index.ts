import type { SessionRecord } from '../session-store.js'
import { publicId } from '@netscript/plugin-auth-core/internal'
import { REDIS_NAMESPACE } from './keyv-redis.js'
import type { RedisConnection } from './redis-connection.js'

/**
 * Adds an id with its absolute expiry as the score, removes expired ids by the clock of Redis, and lets
 * the index expire with its last entry.
 */
const ADD = `local now = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now[1] * 1000 + math.floor(now[2] / 1000))
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], last[2])`

/** Removes ids whose absolute expiry is at most ARGV[1]. The expiry orders sessions by their start. */
const FORGET = `for at = 2, #ARGV do
  local ends = redis.call('ZSCORE', KEYS[1], ARGV[at])
  if ends and tonumber(ends) <= tonumber(ARGV[1]) then redis.call('ZREM', KEYS[1], ARGV[at]) end
end`
/** Longer than creating a session can take. */
const SETTLED_MS = 10 * 60_000

/** How a provider identifies sessions. With both `sid` and `subject`, both must match. */
export interface ProviderSession {
  readonly issuer: string
  readonly sid?: string
  readonly subject?: string
}

/**
 * Finds session ids by user or provider session. An index is only a hint: it may contain ended
 * sessions but never misses a live one. The entry of the session is authoritative.
 */
export interface SessionIndex {
  /** Must run before the session is written, so that no reader misses it. */
  add(record: SessionRecord): Promise<void>
  /** Removes an ended session. A leftover id is harmless. */
  remove(record: SessionRecord): Promise<void>
  ofUser(userId: string): Promise<string[]>
  /**
   * Removes ids of ended sessions from the index of a user, except recent ones: these may belong to
   * sessions that are indexed but not written yet. `newest` determines what is recent.
   */
  forget(ids: readonly string[], newest: SessionRecord): Promise<void>
  ofProviderSession(session: ProviderSession): Promise<string[]>
}

/**
 * Creates the index: sorted sets of session ids per user, per provider session and per provider
 * subject. They are in different slots, so no command uses two of them.
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
// Hashed, because a provider can choose any text.
const sidKey = (issuer: string, sid: string): string =>
  `${REDIS_NAMESPACE}:sid:${publicId(`${issuer}\0${sid}`)}`
const subjectKey = (issuer: string, subject: string): string =>
  `${REDIS_NAMESPACE}:subject:${publicId(`${issuer}\0${subject}`)}`

const keysOf = ({ userId, issuer, sid, subject }: SessionRecord): string[] => [
  userKey(userId),
  subjectKey(issuer, subject),
  ...(sid === undefined ? [] : [sidKey(issuer, sid)]),
]
