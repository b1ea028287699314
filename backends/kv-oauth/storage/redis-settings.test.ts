import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuthLog, silentLog } from '../../log.js'
import { checkRedisSettings, connectRedis, type RedisConnection } from './redis-connection.js'
import { parseRedisUrls } from './redis-url.js'
import { describeWithRedis } from './testing/describe-with-redis.js'
import { ask, startTestRedis, type TestRedis } from './testing/redis-server.js'

async function warningsOf(redis: RedisConnection): Promise<object[]> {
  const warnings: object[] = []
  const log: AuthLog = { ...silentLog, warn: (fields) => void warnings.push(fields) }
  await checkRedisSettings(redis, log)
  return warnings
}

describeWithRedis('the settings of a Redis', () => {
  let server: TestRedis
  let redis: RedisConnection
  beforeAll(async () => {
    server = await startTestRedis()
    redis = await connectRedis(parseRedisUrls(server.url), silentLog)
  })
  afterAll(async () => {
    await redis.close()
    await server.close()
  })

  it('cause warnings if they may lose sessions', async () => {
    await ask(server.port, 'config', 'set', 'maxmemory-policy', 'allkeys-lru')
    expect(await warningsOf(redis)).toEqual([
      { code: 'REDIS_NOT_DURABLE' },
      { code: 'REDIS_EVICTS', policy: 'allkeys-lru' },
    ])
  })

  it('cause no warning if they keep sessions', async () => {
    await ask(server.port, 'config', 'set', 'maxmemory-policy', 'noeviction')
    await ask(server.port, 'config', 'set', 'appendonly', 'yes')
    expect(await warningsOf(redis)).toEqual([])
  })

  it('are accepted if the server does not expose them', async () => {
    await ask(server.port, 'acl', 'setuser', 'default', '-info')
    expect(await warningsOf(redis)).toEqual([])
    await ask(server.port, 'acl', 'setuser', 'default', '+info')
  })
})

describe('the version of a Redis', () => {
  const ofVersion = (version: string): Promise<object[]> =>
    warningsOf({
      run: (commands) =>
        commands({
          info: async () => `# Server\r\nredis_version:${version}\r\n`,
        } as never),
    } as RedisConnection)

  it.each(['6.2.0', '7.0.15', '10.0.0'])('%s is accepted', async (version) => {
    expect(await ofVersion(version)).toEqual([])
  })

  it.each(['5.0.14', '6.0.20'])('%s is too old', async (version) => {
    await expect(ofVersion(version)).rejects.toThrow(/Redis (5|6).*Use 6.2 or later/)
  })
})
