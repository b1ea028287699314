import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resolveBackend } from '../registry.js'
import { createWorkosBackend } from './backend.js'
import { optionsFor } from './testing/requests.js'
import { startWorkosApi, type WorkosApi } from './testing/workos-api.js'

let api: WorkosApi
beforeEach(async () => {
  api = await startWorkosApi()
})
afterEach(() => api.stop())

describe('createWorkosBackend', () => {
  it('has no interactive flow and a sign-in hint', async () => {
    const backend = await createWorkosBackend(optionsFor(api))
    expect(resolveBackend(new Map([['workos', backend]]), 'workos')).toBe(backend)
    expect(backend).not.toHaveProperty('interactive')
    expect(backend).not.toHaveProperty('interactive')
    expect(backend.signInHint).toContain('AuthKit')
    expect(backend.providers.listProviders()).toEqual([
      { id: 'workos', displayName: 'WorkOS', kind: 'oidc' },
    ])
    expect(backend.providers.getProvider('workos')?.id).toBe('workos')
    expect(backend.providers.getProvider('google')).toBeUndefined()
  })

  it('is ready when the key set is available, and caches that for a while', async () => {
    const backend = await createWorkosBackend(optionsFor(api))
    await backend.probe()
    await backend.probe()
    expect(api.calls.jwks).toBe(1)
    await backend.close()
  })

  it.each([{ hang: false }, { hang: true }])(
    'is not ready without the key set (%o)',
    async ({ hang }) => {
      const backend = await createWorkosBackend({ ...optionsFor(api), jwksTimeoutMs: 750 })
      api.down({ hang })
      await expect(backend.probe()).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        status: 503,
      })
      api.up()
      await backend.probe()
    },
    4500,
  ) // By default, jose would wait for five seconds.

  it('warns about cookies without Secure', async () => {
    const warnings: object[] = []
    const log = { info() {}, warn: (fields: object) => void warnings.push(fields), error() {} }
    await createWorkosBackend({ ...optionsFor(api), insecureCookies: true, log })
    expect(warnings).toEqual([{ code: 'INSECURE_COOKIES' }])
  })
})
