import { describe, expect, expectTypeOf, it } from 'vitest'
import { AuthBackendNotFoundError } from './errors.js'
import type { AuthBackendPort } from './port.js'
import { createAuthBackendRegistry, DEFAULT_AUTH_BACKEND_NAME, resolveBackend } from './registry.js'

const named = (name: string) => ({ name }) as AuthBackendPort
const backends = new Map([
  ['kv-oauth', named('kv-oauth')],
  ['workos', named('workos')],
])

describe('createAuthBackendRegistry', () => {
  it('resolves the default and backends by name', () => {
    const registry = createAuthBackendRegistry(backends)
    expect(DEFAULT_AUTH_BACKEND_NAME).toBe('kv-oauth')
    expect(registry.default.name).toBe('kv-oauth')
    expect(registry.resolveBackend().name).toBe('kv-oauth')
    expect(registry.resolveBackend('workos').name).toBe('workos')
    expect(createAuthBackendRegistry(backends, 'workos').resolveBackend().name).toBe('workos')
  })

  it('copies the map', () => {
    const original = new Map(backends)
    const registry = createAuthBackendRegistry(original)
    original.clear()
    expect(registry.resolveBackend('workos').name).toBe('workos')
  })

  it('throws for an unknown name and lists the known ones', () => {
    expect(() => createAuthBackendRegistry(backends, 'ldap')).toThrow(AuthBackendNotFoundError)
    try {
      resolveBackend(backends, 'ldap')
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({
        backendName: 'ldap',
        availableBackends: ['kv-oauth', 'workos'],
        message: expect.stringContaining('kv-oauth, workos') as string,
      })
    }
  })
})

describe('AuthBackendPort', () => {
  it('requires every member except interactive', () => {
    type Without<K extends keyof AuthBackendPort> = Omit<AuthBackendPort, K>
    expectTypeOf<Without<'authenticate'>>().not.toExtend<AuthBackendPort>()
    expectTypeOf<Without<'sessions'>>().not.toExtend<AuthBackendPort>()
    expectTypeOf<Without<'providers'>>().not.toExtend<AuthBackendPort>()
    expectTypeOf<Without<'capabilities'>>().not.toExtend<AuthBackendPort>()
    expectTypeOf<Without<'probe'>>().not.toExtend<AuthBackendPort>()
    expectTypeOf<Without<'close'>>().not.toExtend<AuthBackendPort>()
    expectTypeOf<Without<'interactive'>>().toExtend<AuthBackendPort>()
  })
})
