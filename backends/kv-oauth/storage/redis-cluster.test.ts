import { afterAll, beforeAll } from 'vitest'
import { redisStoresSuite } from './stores-suite.js'
import { startTestRedisCluster, type TestRedisCluster } from './testing/redis-server.js'
import { describeWithRedis } from './testing/describe-with-redis.js'

describeWithRedis('on three masters', () => {
  let cluster: TestRedisCluster
  beforeAll(async () => {
    cluster = await startTestRedisCluster()
  })
  afterAll(() => cluster.close())

  redisStoresSuite('a cluster of Redis', () => cluster.urls)
})
