import type { PostgresPool } from '@netscript/auth-database'
import { expect, it, onTestFinished } from 'vitest'
import type { Operator } from '../operator.js'
import type { AuthnRequest } from '../request.js'
import type { KvOAuthBackend } from './backend.js'
import { createOperator } from './operator.js'
import { openStores } from './storage/stores.js'
import { signInAt } from './testing/scripted-provider.js'
import { describeOnEveryStore } from './testing/scripted-scene.js'

/** A pool that calls `before` ahead of each statement with this name. */
function poolWith(pool: PostgresPool, name: string, before: () => Promise<unknown>): PostgresPool {
  return new Proxy(pool, {
    get(target, member) {
      const value: unknown = Reflect.get(target, member)
      if (typeof value !== 'function') return value
      if (member !== 'query') return value.bind(target) as unknown
      return async (...args: unknown[]) => {
        if ((args[0] as { name?: string }).name === name) await before()
        return value.apply(target, args) as unknown
      }
    },
  })
}

describeOnEveryStore('the roles that an operator gives', (scene) => {
  const openOperator = async (): Promise<Operator> => {
    const stores = await openStores({ pool: scene.pool, sessionStore: scene.sessionStore })
    onTestFinished(() => stores.close())
    return createOperator(scene.pool, stores)
  }
  const sessionAt = async (backend: KvOAuthBackend, request: AuthnRequest) => {
    const result = await backend.authenticate(request)
    if (!result.ok) throw new Error(result.reason)
    return result.session
  }

  it('are in force at the next request, survive a renewal, and are gone at once', async () => {
    const subject = crypto.randomUUID()
    scene.idp.claims = { sub: subject, roles: ['member'] }
    const backend = await scene.create('oidc')
    const operator = await openOperator()
    const request = await signInAt(backend)
    const { userId } = await sessionAt(backend, request)
    expect(await operator.addRoles(userId, ['admin'])).toEqual(['admin'])
    expect((await sessionAt(backend, request)).roles).toEqual(['admin', 'member'])
    scene.idp.claims = { sub: subject, roles: ['guest'] }
    scene.renewalsDue()
    expect((await sessionAt(backend, request)).roles).toEqual(['admin', 'guest'])
    expect((await sessionAt(backend, await signInAt(backend))).roles).toEqual(['admin', 'guest'])
    expect(await operator.getUser(userId)).toMatchObject({ roles: ['admin'] })
    expect(await operator.removeRoles(userId, ['admin'])).toEqual([])
    expect((await sessionAt(backend, request)).roles).toEqual(['guest'])
    const { rows } = await scene.pool.query(
      `SELECT reason FROM auth_audit_events WHERE type = 'user.roles-changed' ORDER BY id`,
    )
    expect(rows.slice(-2)).toEqual([
      { reason: `added admin (user ${userId})` },
      { reason: `removed admin (user ${userId})` },
    ])
  })

  it.each([
    ['before the user is read', 'auth_sign_in', 'auth_user_sign_in'],
    ['before the session is created', 'auth_sign_in', 'auth_session_signed_in'],
  ])('are in the session of a sign-in during which they change: %s', async (_what, ...names) => {
    scene.idp.claims = { sub: crypto.randomUUID() }
    const first = await scene.create('oidc')
    const { userId } = await sessionAt(first, await signInAt(first))
    const operator = await openOperator()
    let changes = 0
    const change = async (): Promise<void> => {
      if (changes > 0) return
      changes += 1
      await operator.addRoles(userId, [`role-${changes}`])
    }
    const pool = names.reduce((inner, name) => poolWith(inner, name, change), scene.pool)
    const second = await scene.create('oidc', {}, { pool })
    const session = await sessionAt(second, await signInAt(second))
    expect(changes).toBe(1)
    expect(session.roles).toEqual(['role-1'])
  })

  it.each([[['']], [['ok', ' ']], [['a\nb']], [['x'.repeat(257)]]])(
    'cannot be %j',
    async (roles) => {
      const operator = await openOperator()
      await expect(operator.addRoles('any', roles)).rejects.toMatchObject({
        code: 'VALIDATION_ERROR',
      })
    },
  )

  it('are unknown for an unknown user', async () => {
    const operator = await openOperator()
    expect(await operator.addRoles('unknown', ['admin'])).toBeUndefined()
    expect(await operator.removeRoles('unknown', ['admin'])).toBeUndefined()
    expect(await operator.addRoles('nul\0', ['admin'])).toBeUndefined()
    expect(await operator.disableUser('nul\0')).toBe(false)
  })
})
