import { AuthConfigurationError, type AuthLog } from '@netscript/plugin-auth-core'
import { mastersOf, type RedisConnection } from './redis-connection.js'

/** The first version with SET PXAT and GETDEL. */
const OLDEST = [6, 2] as const

/**
 * Checks the durability settings of every master. A server that does not expose them, as some hosted
 * services do not, is accepted.
 *
 * @throws AuthConfigurationError when a server is too old.
 */
export async function checkRedisSettings(redis: RedisConnection, log: AuthLog): Promise<void> {
  const infos = await redis.run(async (client) =>
    Promise.all((await mastersOf(client)).map((master) => master.info().catch(() => ''))),
  )
  for (const info of infos.map(parse)) {
    const version = info.get('redis_version')
    if (version !== undefined && isTooOld(version)) {
      throw new AuthConfigurationError(
        `NETSCRIPT_AUTH_SESSION_STORE is a Redis ${version}. Use ${OLDEST.join('.')} or later, or Valkey.`,
      )
    }
    if (info.get('aof_enabled') === '0') {
      log.warn(
        { code: 'REDIS_NOT_DURABLE' },
        'Redis has appendonly off: after a restart sessions are lost, or come back that were ended.',
      )
    }
    const policy = info.get('maxmemory_policy') ?? 'noeviction'
    if (policy !== 'noeviction') {
      log.warn(
        { code: 'REDIS_EVICTS', policy },
        'Redis may throw sessions out when memory is short: set maxmemory-policy noeviction.',
      )
    }
  }
}

/** Parses the `name:value` lines of INFO. */
function parse(info: string): Map<string, string> {
  return new Map(
    info.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':')
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : []
    }),
  )
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
}
