import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { AuthError } from '../errors.js'
import { createKvOAuthBackend } from '../kv-oauth/backend.js'
import { runAuthBackendConformance } from './index.js'
import { kvOAuthHarness, type KvOAuthScene, startKvOAuthScene } from './testing/kv-oauth-scene.js'
import { takeDatabaseAway } from './testing/unreachable-database.js'

let scene: KvOAuthScene
beforeAll(async () => {
  scene = await startKvOAuthScene()
})
afterAll(() => scene.close())

runAuthBackendConformance(
  kvOAuthHarness(
    () => scene,
    () => takeDatabaseAway(scene.pool),
  ),
  { describe, it },
)

describe('kv-oauth with a pool of its own', () => {
  it('can be closed twice', async () => {
    const { databaseUrl, provider, key } = scene
    vi.stubEnv('DATABASE_URL', databaseUrl)
    const backend = await createKvOAuthBackend({ provider, key, allowInsecureRequests: true })
    vi.unstubAllEnvs()
    await backend.close()
    await expect(backend.close()).resolves.toBeUndefined()
    await expect(backend.probe()).rejects.toBeInstanceOf(AuthError)
  })
})
