import { describe, expect, it } from 'vitest'
import { AuthConfigurationError } from '../errors.js'
import { workosBackendFromEnv } from './backend.js'
import { workosOptionsFromEnv } from './options.js'

const ENV = {
  WORKOS_API_KEY: 'sk_test_1',
  WORKOS_CLIENT_ID: 'client_01',
  WORKOS_COOKIE_PASSWORD: 'x'.repeat(32),
}

describe('workosOptionsFromEnv', () => {
  it('requires only three variables', () => {
    expect(workosOptionsFromEnv(ENV)).toEqual({
      apiKey: 'sk_test_1',
      clientId: 'client_01',
      cookiePassword: 'x'.repeat(32),
    })
  })

  it.each(Object.keys(ENV))('throws with the name %s when it is missing or blank', (name) => {
    for (const value of [undefined, '', '  ']) {
      expect(() => workosOptionsFromEnv({ ...ENV, [name]: value })).toThrow(AuthConfigurationError)
      expect(() => workosOptionsFromEnv({ ...ENV, [name]: value })).toThrow(
        new RegExp(`^${name} must be set`),
      )
    }
  })

  it('names all missing variables in one error', () => {
    expect(() => workosOptionsFromEnv({ WORKOS_CLIENT_ID: 'client_01' })).toThrow(
      'WORKOS_API_KEY and WORKOS_COOKIE_PASSWORD must be set',
    )
  })

  it.each([
    ['WORKOS_COOKIE_PASSWORD', 'x'.repeat(31), '32 characters'],
    ['WORKOS_CLIENT_ID', '../users', 'client id'],
    ['WORKOS_API_URL', 'http://api.workos.com', 'https'],
    ['WORKOS_API_URL', 'http://127.0.0.1.example.com', 'https'],
    ['WORKOS_API_URL', 'https://api.workos.com/v2', 'origin'],
    ['WORKOS_API_URL', 'https://me:pw@api.workos.com', 'origin'],
    ['WORKOS_API_URL', 'api.workos.com', 'origin'],
    ['WORKOS_COOKIE_NAME', 'a;b', 'cookie name'],
    ['WORKOS_COOKIE_DOMAIN', 'example.com; Secure', 'domain'],
    ['WORKOS_COOKIE_MAX_AGE', '34560001', 'seconds'],
    ['WORKOS_COOKIE_MAX_AGE', 'a day', 'seconds'],
    ['WORKOS_SESSION_REFRESH', 'always', 'when-expired'],
    ['WORKOS_ISSUER', ',', 'empty'],
    ['WORKOS_SIGN_IN_URL', 'javascript:alert(1)', 'URL or a path'],
    ['WORKOS_SIGN_IN_URL', '//evil.example', 'URL or a path'],
  ])('rejects %s=%s with its name', (name, value, fix) => {
    const read = () => workosOptionsFromEnv({ ...ENV, [name]: value })
    expect(read).toThrow(AuthConfigurationError)
    expect(read).toThrow(new RegExp(`^${name} .*${fix}`))
  })

  it('never includes a secret in a message', () => {
    expect(() => workosOptionsFromEnv({ ...ENV, WORKOS_COOKIE_PASSWORD: 'hunter2' })).toThrow(
      /^(?!.*hunter2)/,
    )
  })

  it('accepts http on loopback', () => {
    for (const apiUrl of ['http://127.0.0.1:4000', 'http://localhost:4000', 'http://[::1]:4000']) {
      expect(workosOptionsFromEnv({ ...ENV, WORKOS_API_URL: apiUrl })).toMatchObject({ apiUrl })
    }
  })

  it('does not trim the password, whose white space is part of the key', () => {
    const password = ` ${'x'.repeat(32)} `
    expect(workosOptionsFromEnv({ ...ENV, WORKOS_COOKIE_PASSWORD: password })).toMatchObject({
      cookiePassword: password,
    })
  })

  it('reads comma-separated lists', () => {
    expect(
      workosOptionsFromEnv({ ...ENV, WORKOS_ISSUER: 'https://a.example, https://b.example' }),
    ).toMatchObject({ issuers: ['https://a.example', 'https://b.example'] })
  })
})

describe('workosBackendFromEnv', () => {
  it('creates a backend without a call to WorkOS', async () => {
    const backend = await workosBackendFromEnv({
      ...ENV,
      WORKOS_SIGN_IN_URL: 'https://app.example/login',
      WORKOS_SESSION_REFRESH: 'never',
    })
    expect(backend.name).toBe('workos')
    expect(backend.signInHint).toBe('https://app.example/login')
    expect(backend.capabilities.refresh).toBe(false)
  })
})
