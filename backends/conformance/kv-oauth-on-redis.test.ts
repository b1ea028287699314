import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createKvOAuthBackend } from '../kv-oauth/backend.js'
import { describeWithRedis } from '../kv-oauth/storage/testing/describe-with-redis.js'
import {
  DURABLE,
  startTestRedis,
  type TestRedis,
} from '../kv-oauth/storage/testing/redis-server.js'
import { runAuthBackendConformance } from './index.js'
import { kvOAuthHarness, type KvOAuthScene, startKvOAuthScene } from './testing/kv-oauth-scene.js'

describeWithRedis('with its sessions in Redis', () => {
  let redis: TestRedis
  let scene: KvOAuthScene
  beforeAll(async () => {
    redis = await startTestRedis(DURABLE)
    scene = await startKvOAuthScene(redis.url)
  })
  afterAll(async () => {
    await scene.close()
    await redis.close()
  })

  runAuthBackendConformance(
    kvOAuthHarness(
      () => scene,
      async (backend) => {
        await redis.stop()
        return async () => {
          await redis.start()
          for (const one of [backend, scene.stores]) {
            await vi.waitFor(() => one.probe(), { timeout: 10_000, interval: 10 })
          }
        }
      },
    ),
    { describe, it },
  )

  it('reads the variable, and can be closed twice', async () => {
    const { provider, key, pool } = scene
    const options = { provider, key, pool, allowInsecureRequests: true }
    vi.stubEnv('NETSCRIPT_AUTH_SESSION_STORE', 'redis://127.0.0.1:1')
    await expect(createKvOAuthBackend(options)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
    vi.stubEnv('NETSCRIPT_AUTH_SESSION_STORE', redis.url)
    const backend = await createKvOAuthBackend(options)
    vi.unstubAllEnvs()
    await backend.close()
    await expect(backend.close()).resolves.toBeUndefined()
    await expect(backend.probe()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})
