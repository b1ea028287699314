import { expect, it } from 'vitest'
import { scriptedScene } from './testing/scripted-scene.js'

const scene = scriptedScene()

it('warming up asks no provider, whose metadata may change before the first sign-in', async () => {
  const backend = await scene.create('oidc')
  const before = scene.idp.requests.length
  expect('warmUp' in backend).toBe(true)
  await backend.warmUp?.()
  expect(scene.idp.requests).toHaveLength(before)
})
