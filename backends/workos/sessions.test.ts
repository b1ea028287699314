import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { AuthSession } from '../../contract/session.js'
import type { AuthBackendPort } from '../port.js'
import { createWorkosBackend } from './backend.js'
import type { WorkosContext } from './identify.js'
import { createEndedSessions } from './identify.js'
import { activeSessions } from './sessions.js'
import { optionsFor, requestWith, withBearer, withCookie } from './testing/requests.js'
import { startWorkosApi, type WorkosApi } from './testing/workos-api.js'

const CLEARED = ['wos-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure']
const BACK_AGAIN = { timeout: 10_000, interval: 50 }
const here = { everywhere: false }
const everywhere = { everywhere: true }

let api: WorkosApi
let backend: AuthBackendPort
let count = 0
let ada: { id: string }
beforeAll(async () => {
  api = await startWorkosApi()
})
beforeEach(async () => {
  api.up()
  ada = { id: `user_${(count += 1)}` }
  backend = await createWorkosBackend(optionsFor(api))
})
afterAll(() => api.stop())

describe('signOut', () => {
  it('ends the session at WorkOS and clears the cookie', async () => {
    const { cookie, sessionId } = await api.sealSession(ada)
    const other = await api.sealSession(ada)
    expect(
      await backend.sessions.signOut(withCookie(cookie), {
        ...here,
        returnTo: 'https://app.example/bye?a=1',
      }),
    ).toEqual({
      sessionId,
      setCookies: CLEARED,
      logoutUrl: `${api.url}/user_management/sessions/logout?session_id=${sessionId}&return_to=https%3A%2F%2Fapp.example%2Fbye%3Fa%3D1`,
    })
    expect(api.isActive(sessionId)).toBe(false)
    expect(api.isActive(other.sessionId)).toBe(true)
  })

  it('takes effect immediately, although the access token has not expired', async () => {
    const { cookie, accessToken } = await api.sealSession(ada)
    await backend.sessions.signOut(withCookie(cookie), here)
    expect(await backend.authenticate(withCookie(cookie))).toEqual({
      ok: false,
      reason: 'session-revoked',
      setCookies: CLEARED,
    })
    expect(await backend.authenticate(withBearer(accessToken))).toEqual({
      ok: false,
      reason: 'session-revoked',
      setCookies: [],
    })
  })

  it('can be repeated, and then ends nothing', async () => {
    const { cookie } = await api.sealSession(ada)
    const other = await api.sealSession(ada)
    const { logoutUrl } = await backend.sessions.signOut(withCookie(cookie), here)
    const calls = { ...api.calls }
    for (const options of [here, everywhere]) {
      expect(await backend.sessions.signOut(withCookie(cookie), options)).toEqual({
        setCookies: CLEARED,
        logoutUrl,
      })
      expect(api.calls).toEqual(calls)
      const elsewhere = await createWorkosBackend(optionsFor(api))
      expect(await elsewhere.sessions.signOut(withCookie(cookie), options)).toEqual({
        setCookies: CLEARED,
        logoutUrl,
      })
      Object.assign(calls, api.calls)
    }
    expect(api.isActive(other.sessionId)).toBe(true)
  })

  it('clears the cookie without a session too', async () => {
    const { cookie } = await api.sealSession(ada)
    const { cookie: foreign } = await api.sealSession(ada, { password: 'p'.repeat(32) })
    const calls = api.calls.revoke
    for (const cookies of [[], ['garbage'], [cookie, cookie], [foreign]]) {
      const request = requestWith({ cookies })
      expect(await backend.sessions.signOut(request, here)).toEqual({ setCookies: CLEARED })
    }
    expect(api.calls.revoke).toBe(calls)
  })

  it('ends a session with an expired access token, which could be refreshed', async () => {
    const { cookie, sessionId } = await api.sealSession(ada, { expiresIn: -60 })
    const { setCookies } = await backend.sessions.signOut(withCookie(cookie), here)
    expect(setCookies).toEqual(CLEARED)
    expect(api.isActive(sessionId)).toBe(false)
  })

  it('ends the session of a bearer token', async () => {
    const { accessToken, sessionId } = await api.sealSession(ada)
    await backend.sessions.signOut(withBearer(accessToken), here)
    expect(api.isActive(sessionId)).toBe(false)
  })

  it('clears the cookie with and without its domain', async () => {
    const shared = await createWorkosBackend({ ...optionsFor(api), cookieDomain: 'example.com' })
    expect(await shared.sessions.signOut(requestWith(), here)).toEqual({
      setCookies: [`${CLEARED[0]}; Domain=example.com`, ...CLEARED],
    })
  })

  it.each([
    ['the connection breaks', () => api.down({ parts: ['sessions'] })],
    ['500', () => api.fail('revoke', 500, { message: 'Oops' })],
    ['401, a wrong key of ours', () => api.fail('revoke', 401, { message: 'Unauthorized' })],
    ['400 and the session lives on', () => api.fail('revoke', 400, { message: 'No' })],
    ['the keys cannot be had', () => api.down({ parts: ['jwks'] })],
  ])(
    'throws AUTH_PROVIDER_ERROR when the session could not be ended: %s',
    async (_how, breakIt) => {
      const { cookie, sessionId } = await api.sealSession(ada)
      breakIt()
      await expect(backend.sessions.signOut(withCookie(cookie), here)).rejects.toMatchObject({
        code: 'AUTH_PROVIDER_ERROR',
        status: 502,
        data: { providerId: 'workos' },
        setCookies: [],
      })
      api.up()
      // A failed fetch of the keys is not repeated within a second.
      const result = await vi.waitFor(() => backend.authenticate(withCookie(cookie)), BACK_AGAIN)
      expect(result).toMatchObject({ ok: true })
      await backend.sessions.signOut(withCookie(cookie), here)
      expect(api.isActive(sessionId)).toBe(false)
    },
  )

  it('lists the sessions when WorkOS refuses without a clear reason', async () => {
    const { cookie, sessionId } = await api.sealSession(ada)
    api.endSession(sessionId)
    api.fail('revoke', 422, { message: 'Nothing to do', errors: [] })
    const result = await backend.sessions.signOut(withCookie(cookie), here)
    expect(result.setCookies).toEqual(CLEARED)
    expect(result).not.toHaveProperty('sessionId')
  })

  it('everywhere ends all sessions of the user, beyond the first page, and no others', async () => {
    const own = await Promise.all(Array.from({ length: 103 }, () => api.sealSession(ada)))
    const foreign = await api.sealSession({ id: 'user_other' })
    await backend.sessions.signOut(withCookie(own[0]?.cookie ?? ''), everywhere)
    expect(own.filter(({ sessionId }) => api.isActive(sessionId))).toEqual([])
    expect(api.isActive(foreign.sessionId)).toBe(true)
  })

  it('everywhere fails and keeps the own session, so that it can be repeated', async () => {
    const { cookie, sessionId } = await api.sealSession(ada)
    await api.sealSession(ada)
    api.fail('revoke', 500, { message: 'Oops' })
    await expect(backend.sessions.signOut(withCookie(cookie), everywhere)).rejects.toMatchObject({
      code: 'AUTH_PROVIDER_ERROR',
    })
    expect(api.isActive(sessionId)).toBe(true)
  })
})

describe('listSessions', () => {
  it('lists the live sessions of a user, newest first', async () => {
    const first = await api.sealSession(ada, { userAgent: 'x'.repeat(300) })
    const second = await api.sealSession(ada)
    const ended = await api.sealSession(ada)
    api.endSession(ended.sessionId)
    await api.sealSession({ id: 'user_other' })
    const { sessions } = await backend.sessions.listSessions(ada.id)
    expect(sessions.map(({ session }) => session.id)).toEqual([second.sessionId, first.sessionId])
    expect(sessions[1]?.userAgent).toBe('x'.repeat(256))
    expect(sessions[0]).not.toHaveProperty('userAgent')
    const { session } = sessions[0] ?? {}
    expect(AuthSession.parse(session)).toEqual(session)
    expect(session).toMatchObject({ userId: ada.id, state: 'active', providerId: 'workos' })
  })

  it('is empty for an unknown user', async () => {
    expect(await backend.sessions.listSessions('user_unknown')).toEqual({ sessions: [] })
  })

  it.each([
    ['+010000-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'],
    ['-000001-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z'],
    ['never', '1970-01-01T00:00:00.000Z'],
    ['2026-01-01T02:00:00+02:00', '2026-01-01T00:00:00.000Z'],
  ])('lists a session that ends at %s', async (listedUntil, expected) => {
    await api.sealSession(ada, { listedUntil })
    const {
      sessions: [summary],
    } = await backend.sessions.listSessions(ada.id)
    expect(AuthSession.parse(summary?.session).expiresAt).toBe(expected)
  })

  it('does not call WorkOS with an invalid user id', async () => {
    await api.sealSession(ada)
    const calls = api.calls.sessions
    for (const id of ['', '..', `../users/${ada.id}`, `${ada.id}/sessions?x=`]) {
      expect(await backend.sessions.listSessions(id)).toEqual({ sessions: [] })
    }
    expect(api.calls.sessions).toBe(calls)
  })

  it('throws AUTH_PROVIDER_ERROR when WorkOS is unreachable', async () => {
    api.down()
    await expect(backend.sessions.listSessions(ada.id)).rejects.toMatchObject({
      code: 'AUTH_PROVIDER_ERROR',
    })
  })
})

describe('revokeSession', () => {
  it('ends one session of the user', async () => {
    const { cookie, sessionId } = await api.sealSession(ada)
    expect(await backend.sessions.revokeSession(ada.id, sessionId)).toBe(true)
    expect(api.isActive(sessionId)).toBe(false)
    expect(await backend.authenticate(withCookie(cookie))).toMatchObject({
      reason: 'session-revoked',
    })
  })

  it('returns false for a foreign, an ended and an unknown session', async () => {
    await api.sealSession(ada)
    const foreign = await api.sealSession({ id: 'user_other' })
    const ended = await api.sealSession(ada)
    api.endSession(ended.sessionId)
    for (const id of [foreign.sessionId, ended.sessionId, 'session_unknown', '']) {
      expect(await backend.sessions.revokeSession(ada.id, id)).toBe(false)
    }
    expect(api.isActive(foreign.sessionId)).toBe(true)
  })
})

it('an endless list of sessions is an error', async () => {
  let asked = 0
  const listSessions = () => {
    asked += 1
    return Promise.resolve({ data: [], listMetadata: { after: 'session_1' } })
  }
  const userManagement = { listSessions } as unknown as WorkosContext['userManagement']
  await expect(activeSessions({ userManagement }, 'user_1')).rejects.toMatchObject({
    code: 'AUTH_PROVIDER_ERROR',
    cause: { message: 'The list is longer than 100 pages.' },
  })
  expect(asked).toBe(100)
})

describe('revokeSessions', () => {
  it('ends all sessions except one', async () => {
    const [kept] = await Promise.all([1, 2, 3].map(() => api.sealSession(ada)))
    const except = kept?.sessionId ?? ''
    expect(await backend.sessions.revokeSessions(ada.id, { except })).toBe(2)
    expect(api.isActive(except)).toBe(true)
    expect(await backend.sessions.revokeSessions(ada.id)).toBe(1)
    expect(await backend.sessions.revokeSessions(ada.id)).toBe(0)
  })
})

const DAY = 24 * 60 * 60 * 1000

it('remembers an ended session for a day', () => {
  let now = 0
  const ended = createEndedSessions(() => now)
  ended.add('a')
  now = DAY - 1
  ended.add('b')
  expect([ended.has('a'), ended.has('b')]).toEqual([true, true])
  now = DAY
  ended.add('c')
  expect([ended.has('a'), ended.has('b'), ended.has('c')]).toEqual([false, true, true])
})

it('keeps a bounded number of sessions', () => {
  const ended = createEndedSessions()
  for (let index = 0; index <= 50_000; index += 1) ended.add(String(index))
  expect([ended.has('0'), ended.has('1'), ended.has('50000')]).toEqual([false, true, true])
})
