import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AuthBackendOperationUnsupportedError } from '../errors.js'
import type { Operator } from '../operator.js'
import { createWorkosOperator } from './operator.js'
import { optionsFor } from './testing/requests.js'
import { startWorkosApi, type WorkosApi } from './testing/workos-api.js'

describe('the operator of the workos backend', () => {
  let api: WorkosApi
  let operator: Operator
  const ada = { id: 'user_ada', email: 'ada@example.com', firstName: 'Ada', lastName: 'Lovelace' }
  beforeAll(async () => {
    api = await startWorkosApi()
    operator = await createWorkosOperator(optionsFor(api))
  })
  beforeEach(() => api.up())
  afterAll(() => api.stop())

  it('lists sessions at WorkOS and ends one or all', async () => {
    const [one, two, other] = [
      await api.sealSession(ada),
      await api.sealSession(ada),
      await api.sealSession({ id: 'user_other' }),
    ]
    const { sessions: listed } = await operator.listSessions(ada.id)
    expect(listed.map(({ session }) => session.id)).toEqual([two.sessionId, one.sessionId])
    expect(await operator.revokeSession(one.sessionId)).toBe(true)
    expect(await operator.revokeSession(one.sessionId)).toBe(false)
    expect(await operator.revokeSessions(ada.id)).toBe(1)
    expect(await operator.listSessions(ada.id)).toEqual({ sessions: [] })
    expect([one, two, other].map(({ sessionId }) => api.isActive(sessionId))).toEqual([
      false,
      false,
      true,
    ])
  })

  it('finds users by id and e-mail address, and pages through all', async () => {
    await api.sealSession(ada)
    for (const id of ['user_1', 'user_2']) await api.sealSession({ id })
    const found = { id: ada.id, email: ada.email, displayName: 'Ada Lovelace' }
    expect(await operator.getUser(ada.id)).toMatchObject(found)
    for (const text of [ada.id, ada.email]) {
      expect((await operator.findUsers({ text })).users).toMatchObject([found])
    }
    const first = await operator.findUsers({ limit: 2 })
    const rest = await operator.findUsers({ limit: 100, cursor: first.cursor ?? '' })
    expect(rest).not.toHaveProperty('cursor')
    const ids = [...first.users, ...rest.users].map(({ id }) => id)
    expect(ids).toContain(ada.id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('deletes a user, once', async () => {
    const { sessionId } = await api.sealSession({ id: 'user_gone' })
    expect(await operator.deleteUser('user_gone')).toBe(true)
    expect(api.isActive(sessionId)).toBe(false)
    expect(await operator.deleteUser('user_gone')).toBe(false)
    expect(await operator.getUser('user_gone')).toBeUndefined()
  })

  it.each<[string, (operator: Operator) => Promise<unknown>]>([
    ['disabling a user', (one) => one.disableUser(ada.id)],
    ['enabling a user', (one) => one.enableUser(ada.id)],
    ['finding users by provider', (one) => one.findUsers({ providerId: 'google' })],
    ['finding users by a part', (one) => one.findUsers({ text: 'Lovelace' })],
  ])('throws that an operation is unsupported: %s', async (operation, act) => {
    await api.sealSession(ada)
    const refused = await act(operator).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(AuthBackendOperationUnsupportedError)
    expect((refused as Error).message).toContain(`workos does not support ${operation}`)
  })

  it.each<[string, (operator: Operator) => Promise<unknown>]>([
    ['findUsers', (one) => one.findUsers()],
    ['getUser', (one) => one.getUser(ada.id)],
    ['listSessions', (one) => one.listSessions(ada.id)],
    ['revokeSession', (one) => one.revokeSession('session_1')],
    ['revokeSessions', (one) => one.revokeSessions(ada.id)],
    ['deleteUser', (one) => one.deleteUser(ada.id)],
  ])('throws AUTH_PROVIDER_ERROR when WorkOS is unreachable: %s', async (_name, act) => {
    api.down()
    await expect(act(operator)).rejects.toMatchObject({ code: 'AUTH_PROVIDER_ERROR' })
  })

  it('does not call WorkOS with an invalid user id', async () => {
    const before = { ...api.calls }
    for (const id of ['', '..', 'user_1/../user_ada', 'user_ada?x=']) {
      expect(await operator.getUser(id)).toBeUndefined()
      expect(await operator.deleteUser(id)).toBe(false)
      expect(await operator.listSessions(id)).toEqual({ sessions: [] })
      expect(await operator.revokeSessions(id)).toBe(0)
    }
    expect(api.calls).toEqual(before)
  })
})
