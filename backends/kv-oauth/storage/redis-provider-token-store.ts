import { redisCall } from '@netscript/auth-database/internal'
import type { Keyring } from '@netscript/plugin-auth-core'
import type { ProviderTokens, ProviderTokenStore } from '../session-store.js'
import type { RedisConnection } from './redis-connection.js'
import { sessionKeys } from './redis-session-store.js'
import { openTokens, sealTokens, type SealedTokens } from './sealed-tokens.js'

const FIELDS = "'access_token', 'refresh_token', 'id_token'"

/** Replaces the tokens of a live session, with the same expiry. KEYS: session, tokens. */
const WRITE = `local left = redis.call('PTTL', KEYS[1])
if left < 0 then return 0 end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], unpack(ARGV))
redis.call('PEXPIRE', KEYS[2], left)
return 1`
const REPLACE = `if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
${WRITE}`
const READ = `if redis.call('EXISTS', KEYS[2]) == 0 then return nil end
return redis.call('HMGET', KEYS[2], ${FIELDS})`
/** A `lease_until` in the past belongs to a lease that was never released. */
const LEASE = `if redis.call('EXISTS', KEYS[2]) == 0 then return nil end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HGET', KEYS[2], 'lease_until')
if held and tonumber(held) >= now then return nil end
redis.call('HSET', KEYS[2], 'lease_until', string.format('%.0f', now + ARGV[1]))
local leased = redis.call('HMGET', KEYS[2], ${FIELDS})
leased[4] = held and 1 or 0
return leased`

type Row = readonly [
  access: string | null,
  refresh: string | null,
  id: string | null,
  abandoned?: number,
]

/**
 * Creates a store for provider tokens in Redis: a hash in the same slot as the session. Scripts update
 * both, so that they expire together.
 */
export function createRedisProviderTokenStore(
  redis: RedisConnection,
  keyring: Keyring,
): ProviderTokenStore {
  const open = (id: string, [access_token, refresh_token, id_token]: Row): ProviderTokens =>
    openTokens(keyring, id, { access_token, refresh_token, id_token })
  /** Alternating fields and values. `saved` makes the hash exist even without a token. */
  const fieldsOf = (sealed: SealedTokens): string[] => [
    'saved',
    '1',
    ...Object.entries(sealed).flatMap(([field, token]: [string, string | null]) =>
      token === null ? [] : [field, token],
    ),
  ]
  const write = (script: string, id: string, tokens: ProviderTokens): Promise<unknown> =>
    redis.script(script, sessionKeys(id), fieldsOf(sealTokens(keyring, id, tokens)))

  return {
    save: (id, tokens) =>
      redisCall(async () => {
        await write(WRITE, id, tokens)
      }),
    read: (id) =>
      redisCall(async () => {
        const row = (await redis.script(READ, sessionKeys(id))) as Row | null
        return row === null ? undefined : open(id, row)
      }),
    lease: (id, ttlMs) =>
      redisCall(async () => {
        const row = (await redis.script(LEASE, sessionKeys(id), [ttlMs])) as Row | null
        return row === null ? undefined : { ...open(id, row), abandoned: row[3] === 1 }
      }),
    replace: (id, tokens) => redisCall(async () => (await write(REPLACE, id, tokens)) === 1),
    release: (id) =>
      redisCall(async () => {
        const [, key] = sessionKeys(id)
        await redis.run((client) => client.hDel(key, 'lease_until'))
      }),
  }
}
