import { describe, expect, it } from 'vitest'
import { toAuthnRequest } from '../request.js'
import { scriptedScene } from './testing/scripted-scene.js'

describe('warming up', () => {
  const scene = scriptedScene()
  const start = { returnTo: 'http://localhost:8094/' }
  const browser = toAuthnRequest({ headers: {} })

  it('loads the metadata of every provider, which the first sign-in then has', async () => {
    const backend = await scene.create('oidc')
    const before = scene.idp.requests.length
    await backend.warmUp?.()
    expect(scene.idp.requests.slice(before).map(({ path }) => path)).toEqual([
      '/.well-known/openid-configuration',
    ])
    await backend.interactive.signIn(browser, start)
    expect(scene.idp.requests).toHaveLength(before + 1)
  })

  it('fails for an unreachable provider, which a sign-in asks again', async () => {
    const backend = await scene.create('oidc', { issuer: 'http://127.0.0.1:9' })
    await expect(backend.warmUp?.()).rejects.toMatchObject({ code: 'AUTH_PROVIDER_ERROR' })
    await expect(backend.interactive.signIn(browser, start)).rejects.toMatchObject({
      code: 'AUTH_PROVIDER_ERROR',
    })
  })
})
