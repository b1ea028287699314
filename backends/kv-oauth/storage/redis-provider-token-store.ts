import { redisCall } from '@netscript/auth-database/internal'
import type { Keyring } from '@netscript/plugin-auth-core'
import type { ProviderTokens, ProviderTokenStore } from '../session-store.js'
import type { RedisConnection } from './redis-connection.js'
import { sessionKeys } from './redis-session-store.js'
import { openTokens, ownerOf, sealTokens, type TokenOwner } from './sealed-tokens.js'

const FIELDS = ['access_token', 'refresh_token', 'id_token', 'expires_at', 'scopes'] as const
const ALL_FIELDS = ['saved', 'lease_until', ...FIELDS]
const list = (fields: readonly string[]): string =>
  fields.map((field) => `ARGV[1] .. '${field}'`).join(', ')

/**
 * The hash with the tokens of the sign-in has the fields of one provider, the hash of linked accounts
 * those of each of them, with a prefix. KEYS: session, hash. ARGV: prefix.
 */
const IS_SAVED = `redis.call('EXISTS', KEYS[1]) == 1
  and redis.call('HEXISTS', KEYS[2], ARGV[1] .. 'saved') == 1`
/** Replaces the tokens of a live session, with the same expiry. ARGV: prefix, fields and values. */
const WRITE = `local left = redis.call('PTTL', KEYS[1])
if left < 0 then return 0 end
redis.call('HDEL', KEYS[2], ${list(ALL_FIELDS)})
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[1] .. ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[2], left)
return 1`
const REPLACE = `if not (${IS_SAVED}) then return 0 end
${WRITE}`
/** An account that was linked again has newer tokens, and its lease is released. */
const REPLACE_LINKED = `if redis.call('HEXISTS', KEYS[2], ARGV[1] .. 'lease_until') == 0 then return 0 end
${WRITE}`
const READ = `if not (${IS_SAVED}) then return nil end
return redis.call('HMGET', KEYS[2], ${list(FIELDS)})`
/** A `lease_until` in the past belongs to a lease that was never released. */
const LEASE = `if not (${IS_SAVED}) then return nil end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = ARGV[1] .. 'lease_until'
local held = redis.call('HGET', KEYS[2], lease)
if held and tonumber(held) >= now then return nil end
redis.call('HSET', KEYS[2], lease, string.format('%.0f', now + ARGV[2]))
local leased = redis.call('HMGET', KEYS[2], ${list(FIELDS)})
leased[${FIELDS.length + 1}] = held and 1 or 0
return leased`
const LINKED_FIELDS = `if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
return redis.call('HKEYS', KEYS[2])`
const RELEASE = `return redis.call('HDEL', KEYS[2], ARGV[1] .. 'lease_until')`
const FORGET = `return redis.call('HDEL', KEYS[2], ${list(ALL_FIELDS)})`

type Row = readonly [
  access: string | null,
  refresh: string | null,
  id: string | null,
  expires: string | null,
  scopes: string | null,
  abandoned?: number,
]

/** Separates the provider from the field in the hash of linked accounts. */
const PREFIX_END = '/'
const SAVED = `${PREFIX_END}saved`

/**
 * Creates a store for provider tokens in Redis: two hashes in the same slot as the session, one for the
 * sign-in and one for linked accounts. Scripts update them, so that they expire with the session.
 */
export function createRedisProviderTokenStore(
  redis: RedisConnection,
  keyring: Keyring,
): ProviderTokenStore {
  const run = (
    script: string,
    { sessionId, linked }: TokenOwner,
    values: readonly (string | number)[] = [],
  ): Promise<unknown> => {
    const [session, tokens, linkedTokens] = sessionKeys(sessionId)
    return linked === undefined
      ? redis.script(script, [session, tokens], ['', ...values])
      : redis.script(script, [session, linkedTokens], [`${linked}${PREFIX_END}`, ...values])
  }
  const open = (owner: TokenOwner, row: Row): ProviderTokens => {
    const [access_token, refresh_token, id_token, expires_at, scopes] = row
    const stored = { access_token, refresh_token, id_token, expires_at, scopes }
    return openTokens(keyring, owner, stored)
  }
  /** Alternating fields and values. `saved` makes the tokens exist even without a token. */
  const fieldsOf = (owner: TokenOwner, tokens: ProviderTokens): string[] => [
    ...['saved', '1'],
    ...Object.entries({
      ...sealTokens(keyring, owner, tokens),
      expires_at: tokens.expiresAt === undefined ? null : String(tokens.expiresAt),
      scopes: tokens.scopes?.join(' ') ?? null,
    }).flatMap(([field, value]) => (value === null ? [] : [field, value])),
  ]
  const read = async (owner: TokenOwner): Promise<ProviderTokens | undefined> => {
    const row = (await run(READ, owner)) as Row | null
    return row === null ? undefined : open(owner, row)
  }

  return {
    save: (session, providerId, tokens) =>
      redisCall(async () => {
        const owner = ownerOf(session, providerId)
        await run(WRITE, owner, fieldsOf(owner, tokens))
      }),
    read: (session, providerId) => redisCall(() => read(ownerOf(session, providerId))),
    readLinked: ({ id: sessionId }) =>
      redisCall(async () => {
        const [key, , linkedTokens] = sessionKeys(sessionId)
        const fields = (await redis.script(LINKED_FIELDS, [key, linkedTokens])) as string[]
        const found = new Map<string, ProviderTokens>()
        for (const field of fields.filter((name) => name.endsWith(SAVED))) {
          const linked = field.slice(0, -SAVED.length)
          const tokens = await read({ sessionId, linked })
          if (tokens) found.set(linked, tokens)
        }
        return found
      }),
    lease: (session, providerId, ttlMs) =>
      redisCall(async () => {
        const owner = ownerOf(session, providerId)
        const row = (await run(LEASE, owner, [ttlMs])) as Row | null
        return row === null
          ? undefined
          : { ...open(owner, row), abandoned: row[FIELDS.length] === 1 }
      }),
    replace: (session, providerId, tokens) =>
      redisCall(async () => {
        const owner = ownerOf(session, providerId)
        const script = owner.linked === undefined ? REPLACE : REPLACE_LINKED
        return (await run(script, owner, fieldsOf(owner, tokens))) === 1
      }),
    release: (session, providerId) =>
      redisCall(async () => {
        await run(RELEASE, ownerOf(session, providerId))
      }),
    forget: ({ id: sessionId }, providerId) =>
      redisCall(async () => {
        await run(FORGET, { sessionId, linked: providerId })
      }),
  }
}
