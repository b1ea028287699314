import { afterAll, beforeAll } from 'vitest'
import { redisStoresSuite } from './stores-suite.js'
import { startTestRedis, type TestRedis } from './testing/redis-server.js'
import { describeWithRedis } from './testing/describe-with-redis.js'

describeWithRedis('on one server', () => {
  let server: TestRedis
  beforeAll(async () => {
    server = await startTestRedis()
  })
  afterAll(() => server.close())

  redisStoresSuite('Redis', () => server.url)
})
