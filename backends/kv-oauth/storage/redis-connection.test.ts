import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { silentLog } from '../../log.js'
import { connectRedis, type RedisConnection } from './redis-connection.js'
import { parseRedisUrls } from './redis-url.js'
import { describeWithRedis } from './testing/describe-with-redis.js'
import {
  ask,
  startTestRedis,
  startTestRedisCluster,
  type TestRedis,
  type TestRedisCluster,
} from './testing/redis-server.js'

/** More than the guaranteed 2 s, because the test machine may be busy. */
const RECOVERY_MS = 4_000

const connect = (urls: string): Promise<RedisConnection> =>
  connectRedis(parseRedisUrls(urls), silentLog)
const read = (redis: RedisConnection, key = 'a'): Promise<string | null> =>
  redis.run((client) => client.get(key))
const timed = async (work: Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await work
  return performance.now() - began
}
const recovery = (redis: RedisConnection, key = 'a'): Promise<number> =>
  timed(vi.waitFor(() => read(redis, key), { timeout: 15_000, interval: 10 }))

describeWithRedis('the connection to Redis', () => {
  let server: TestRedis
  let redis: RedisConnection
  beforeEach(async () => {
    server = await startTestRedis()
    redis = await connect(server.url)
  })
  afterEach(async () => {
    await redis.close()
    await server.close()
  })

  it('rejects immediately while Redis is down, and recovers repeatedly', async () => {
    for (let round = 0; round < 3; round += 1) {
      await redis.run((client) => client.set('a', String(round)))
      await server.stop()
      await expect(read(redis)).rejects.toThrow()
      const refusals = Array.from({ length: 100 }, () => expect(read(redis)).rejects.toThrow())
      expect(await timed(Promise.all(refusals))).toBeLessThan(1_000)
      await server.start()
      expect(await recovery(redis)).toBeLessThan(RECOVERY_MS)
      // Failed commands are not retried.
      expect(await read(redis)).toBeNull()
    }
  })

  it('recovers without a request', async () => {
    await server.stop()
    await vi.waitFor(() => expect(() => redis.client()).toThrow(/no connection/))
    await server.start()
    await vi.waitFor(() => redis.client(), { timeout: RECOVERY_MS, interval: 10 })
  })

  it('rejects a command after 5 s on a stopped server, and reconnects', async () => {
    process.kill(server.pid, 'SIGSTOP')
    try {
      const waited = await timed(expect(read(redis)).rejects.toThrow(/within 5000 ms/))
      expect(waited).toBeLessThan(7_000)
      expect(await timed(expect(read(redis)).rejects.toThrow(/no connection/))).toBeLessThan(500)
    } finally {
      process.kill(server.pid, 'SIGCONT')
    }
    expect(await recovery(redis)).toBeLessThan(RECOVERY_MS)
  })

  it('does not reconnect after an error reply', async () => {
    const client = redis.client()
    await expect(redis.script('return redis.call("NOPE")', ['a'])).rejects.toThrow(/^ERR /)
    expect(redis.client()).toBe(client)
  })

  it('fails to connect within 2 s, without the URL in the error', async () => {
    await server.stop()
    await expect(connect(server.url.replace('//', '//:secret@'))).rejects.toThrow(
      /^((?!secret).)*$/,
    )
  })

  it('signs in with the password of the URL', async () => {
    await ask(server.port, 'config', 'set', 'requirepass', 'p@ss/word')
    await expect(connect(server.url)).rejects.toThrow(/NOAUTH/)
    const signedIn = await connect(server.url.replace('//', '//:p%40ss%2Fword@'))
    expect(await read(signedIn)).toBeNull()
    await signedIn.close()
  })

  it('closes all connections', async () => {
    await redis.close()
    await expect(read(redis)).rejects.toThrow(/no connection/)
    await vi.waitFor(async () =>
      expect(await ask(server.port, 'info', 'clients')).toMatch(/connected_clients:1\b/),
    )
  })
})

describeWithRedis('the connection to a cluster of Redis', () => {
  let cluster: TestRedisCluster
  let redis: RedisConnection
  const keys = Array.from({ length: 60 }, (_, n) => `key-${n}`)
  const readAll = async (): Promise<number> => {
    const answers = await Promise.allSettled(keys.map((key) => read(redis, key)))
    return answers.filter(({ status }) => status === 'fulfilled').length
  }
  const untilAll = (timeout: number): Promise<void> =>
    vi.waitFor(async () => expect(await readAll()).toBe(keys.length), { timeout, interval: 20 })
  beforeEach(async () => {
    // The other nodes serve their own slots while one is down.
    cluster = await startTestRedisCluster(['--cluster-require-full-coverage', 'no'])
    redis = await connect(cluster.urls)
  })
  afterEach(async () => {
    await redis.close()
    await cluster.close()
  })

  it('loses only the slots of a stopped node, and recovers them with it', async () => {
    for (const node of cluster.nodes) {
      await untilAll(10_000)
      await node.stop()
      await vi.waitFor(async () => expect(await readAll()).toBeLessThan(keys.length))
      for (let round = 0; round < 20; round += 1) {
        const answered = await readAll()
        expect(answered).toBeGreaterThan(0)
        expect(answered).toBeLessThan(keys.length)
      }
      await node.start()
      await untilAll(RECOVERY_MS)
    }
  })

  it('discovers the cluster from one node', async () => {
    const [{ url = '' } = {}] = cluster.nodes
    const found = await connect(url.replace('redis:', 'redis+cluster:'))
    for (const key of keys) expect(await read(found, key)).toBeNull()
    await found.close()
    const stranger = cluster.urls.replaceAll('//', '//nobody:wrong@')
    await expect(connect(stranger)).rejects.toThrow(/^WRONGPASS/)
  })

  it('follows the failover to a replica if the master never returns', async () => {
    const replica = await cluster.addReplica(0)
    await cluster.nodes[0]!.stop()
    await vi.waitFor(async () => expect(await ask(replica.port, 'role')).toMatch(/^master/), {
      timeout: 20_000,
      interval: 50,
    })
    await untilAll(RECOVERY_MS)
  })
})
