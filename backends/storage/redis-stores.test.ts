import { afterAll, beforeAll } from 'vitest'
import { redisStoresSuite } from './redis-stores-suite.js'
import { startTestRedis, type TestRedis } from './testing/redis-server.js'

let server: TestRedis
beforeAll(async () => {
  server = await startTestRedis()
})
afterAll(() => server.close())

redisStoresSuite('Redis', () => server.url)
