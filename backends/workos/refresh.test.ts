import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AuthBackendPort, AuthnResult } from '../port.js'
import { createWorkosBackend } from './backend.js'
import { createUserManagement } from './client.js'
import { checkOptions } from './options.js'
import { createSessionRefresher } from './refresh.js'
import { openSealedSession } from './session-cookie.js'
import { optionsFor, requestWith, withCookie } from './testing/requests.js'
import { startWorkosApi, type WorkosApi } from './testing/workos-api.js'

const ADA = { id: 'user_01ADA', firstName: 'Ada' }
const CLEARED = ['wos-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure']

let api: WorkosApi
let backend: AuthBackendPort
beforeAll(async () => {
  api = await startWorkosApi()
})
beforeEach(async () => {
  api.up()
  api.setRefreshedClaims({})
  backend = await createWorkosBackend(optionsFor(api))
})
afterAll(() => api.stop())

const newCookie = ({ setCookies }: AuthnResult): string =>
  /^wos-session=([^;]+);/.exec(setCookies[0] ?? '')?.[1] ?? ''

describe('an expired access token', () => {
  it('is refreshed, and the new cookie is set', async () => {
    const { cookie, sessionId } = await api.sealSession(ADA, { expiresIn: -60 })
    api.setRefreshedClaims({ role: 'admin', roles: ['admin'] })
    const result = await backend.authenticate(withCookie(cookie))
    expect(result).toMatchObject({
      ok: true,
      session: {
        id: sessionId,
        roles: ['admin'],
        claims: { organizationId: 'org_01TEST', authenticationMethod: 'GoogleOAuth' },
      },
      user: { displayName: 'Ada' },
    })
    expect(result.setCookies).toEqual([
      `wos-session=${newCookie(result)}; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax; Secure`,
    ])
    const calls = api.calls.authenticate
    const next = await backend.authenticate(withCookie(newCookie(result)))
    expect(next).toMatchObject({ ok: true, setCookies: [], session: { roles: ['admin'] } })
    expect(api.calls.authenticate).toBe(calls)
  })

  it('gets a cookie with the configured attributes', async () => {
    const shared = await createWorkosBackend({
      ...optionsFor(api),
      cookieDomain: 'example.com',
      cookieMaxAge: 3600,
      insecureCookies: true,
    })
    const { cookie } = await api.sealSession(ADA, { expiresIn: -60 })
    const { setCookies } = await shared.authenticate(withCookie(cookie))
    expect(setCookies).toEqual([
      expect.stringMatching(/; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax; Domain=example.com$/),
    ])
  })

  it('is refreshed once for all requests that send it, concurrent or shortly after', async () => {
    const { cookie } = await api.sealSession(ADA, { expiresIn: -60 })
    const calls = api.calls.authenticate
    const results = await Promise.all(
      Array.from({ length: 20 }, () => backend.authenticate(withCookie(cookie))),
    )
    const late = await backend.authenticate(withCookie(cookie))
    expect(new Set([...results, late].map((result) => result.ok))).toEqual(new Set([true]))
    expect(new Set([...results, late].map(newCookie)).size).toBe(1)
    expect(api.calls.authenticate).toBe(calls + 1)
  })

  it('is refreshed although its signing key has been retired', async () => {
    const { cookie } = await api.sealSession(ADA, { expiresIn: -60 })
    await api.rotateKeys()
    expect(await backend.authenticate(withCookie(cookie))).toMatchObject({ ok: true })
  })

  it('clears the cookie when WorkOS refuses to refresh', async () => {
    const { cookie, sessionId } = await api.sealSession(ADA, { expiresIn: -60 })
    api.endSession(sessionId)
    const ended = { ok: false, reason: 'session-expired', setCookies: CLEARED }
    expect(await backend.authenticate(withCookie(cookie))).toEqual(ended)
    const calls = api.calls.authenticate
    expect(await backend.authenticate(withCookie(cookie))).toEqual(ended)
    expect(api.calls.authenticate).toBe(calls)
  })

  it.each([
    ['mfa_enrollment', true],
    ['sso_required', true],
    ['invalid_client', false],
    ['server_error', false],
  ])('%s ends the session: %s', async (error, ends) => {
    const { cookie } = await api.sealSession(ADA, { expiresIn: -60 })
    api.fail('authenticate', 400, { error, error_description: 'No.' })
    const result = backend.authenticate(withCookie(cookie))
    if (ends) expect(await result).toMatchObject({ ok: false, setCookies: CLEARED })
    else await expect(result).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it.each([
    ['the connection breaks', () => api.down({ parts: ['authenticate'] })],
    ['the call times out', () => api.down({ parts: ['authenticate'], hang: true })],
    ['500', () => api.fail('authenticate', 500, { message: 'Oops' })],
    ['503 with an OAuth error', () => api.fail('authenticate', 503, { error: 'unavailable' })],
    ['429', () => api.fail('authenticate', 429, { message: 'Slow down' })],
    ['401 for a wrong API key', () => api.fail('authenticate', 401, { message: 'Unauthorized' })],
    ['404 for a wrong address', () => api.fail('authenticate', 404, { message: 'Lost' })],
    ['200 without tokens', () => api.fail('authenticate', 200, {})],
  ])(
    'fails with STORE_UNAVAILABLE instead of anonymous when WorkOS fails: %s',
    async (_how, breakIt) => {
      const impatient = await createWorkosBackend({ ...optionsFor(api), apiTimeoutMs: 750 })
      const { cookie } = await api.sealSession(ADA, { expiresIn: -60 })
      breakIt()
      await expect(impatient.authenticate(withCookie(cookie))).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        status: 503,
        setCookies: [],
      })
      api.up()
      expect(await impatient.authenticate(withCookie(cookie))).toMatchObject({ ok: true })
    },
  )

  it('sets the new cookie even when the keys are unavailable', async () => {
    const eager = await createWorkosBackend({ ...optionsFor(api), jwksCooldownMs: 0 })
    const { cookie } = await api.sealSession(ADA, { expiresIn: -60 })
    api.beforeNextRefresh(async () => {
      await api.rotateKeys()
      api.down({ parts: ['jwks'] })
    })
    const error: unknown = await eager.authenticate(withCookie(cookie)).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const sealed = newCookie(error as AuthnResult)
    api.up()
    // A failed fetch of the keys is not repeated within a second.
    const renewed = await vi.waitFor(() => eager.authenticate(withCookie(sealed)), {
      timeout: 10_000,
      interval: 50,
    })
    expect(renewed).toMatchObject({ ok: true })
  })

  it('that is refreshed to another user is refused', async () => {
    const { cookie } = await api.sealSession(ADA, { expiresIn: -60 })
    api.setRefreshedClaims({ sub: 'user_01EVE' })
    expect(await backend.authenticate(withCookie(cookie))).toMatchObject({
      ok: false,
      reason: 'credential-invalid',
    })
  })

  it('sealed with the refresh token of another user is refused', async () => {
    const eve = await api.sealSession({ id: 'user_01EVE' })
    const { cookie } = await api.sealSession(ADA, {
      expiresIn: -60,
      refreshToken: eve.refreshToken,
    })
    expect(await backend.authenticate(withCookie(cookie))).toMatchObject({
      ok: false,
      reason: 'credential-invalid',
    })
  })

  it('that is refreshed to another client is refused', async () => {
    const { cookie } = await api.sealSession(ADA, { expiresIn: -60 })
    api.setRefreshedClaims({ client_id: 'client_02' })
    expect(await backend.authenticate(withCookie(cookie))).toMatchObject({ ok: false })
  })

  it('is not refreshed when a bearer token of another session is sent with it', async () => {
    const { cookie } = await api.sealSession(ADA, { expiresIn: -60 })
    const { accessToken } = await api.sealSession(ADA)
    const calls = api.calls.authenticate
    const authorization = `Bearer ${accessToken}`
    expect(
      await backend.authenticate(requestWith({ cookies: [cookie], authorization })),
    ).toMatchObject({ ok: false, reason: 'credential-invalid', setCookies: [] })
    expect(api.calls.authenticate).toBe(calls)
  })

  it('stays expired with refresh: never, and the cookie is kept for the application', async () => {
    const never = await createWorkosBackend({ ...optionsFor(api), refresh: 'never' })
    const { cookie } = await api.sealSession(ADA, { expiresIn: -60 })
    const calls = api.calls.authenticate
    expect(await never.authenticate(withCookie(cookie))).toEqual({
      ok: false,
      reason: 'session-expired',
      setCookies: [],
    })
    expect(api.calls.authenticate).toBe(calls)
  })
})

describe('an access token about to expire', () => {
  it('is refreshed ahead of time', async () => {
    const { cookie } = await api.sealSession(ADA, { expiresIn: 5 })
    const result = await backend.authenticate(withCookie(cookie))
    expect(newCookie(result)).not.toBe('')
  })

  it('is not renewed while it is valid for longer than refreshAheadMs', async () => {
    const { cookie } = await api.sealSession(ADA, { expiresIn: 120 })
    const calls = api.calls.authenticate
    expect(await backend.authenticate(withCookie(cookie))).toMatchObject({
      ok: true,
      setCookies: [],
    })
    expect(api.calls.authenticate).toBe(calls)
  })

  it('stays valid when WorkOS is down or refuses', async () => {
    const early = await createWorkosBackend({ ...optionsFor(api), refreshAheadMs: 600_000 })
    const { cookie, sessionId } = await api.sealSession(ADA, { expiresIn: 100 })
    api.down({ parts: ['authenticate'] })
    expect(await early.authenticate(withCookie(cookie))).toMatchObject({ ok: true, setCookies: [] })
    api.up()
    api.endSession(sessionId)
    expect(await early.authenticate(withCookie(cookie))).toMatchObject({ ok: true, setCookies: [] })
  })

  it('is refreshed once, not on every request, when refreshAheadMs exceeds its lifetime', async () => {
    const early = await createWorkosBackend({ ...optionsFor(api), refreshAheadMs: 600_000 })
    const { cookie } = await api.sealSession(ADA, { expiresIn: 100 })
    const renewed = newCookie(await early.authenticate(withCookie(cookie)))
    expect(renewed).not.toBe('')
    expect(await early.authenticate(withCookie(renewed))).toMatchObject({
      ok: true,
      setCookies: [],
    })
  })

  it('is not refreshed early with refresh: never', async () => {
    const never = await createWorkosBackend({
      ...optionsFor(api),
      refresh: 'never',
      refreshAheadMs: 600_000,
    })
    const { cookie } = await api.sealSession(ADA, { expiresIn: 100 })
    expect(await never.authenticate(withCookie(cookie))).toMatchObject({ ok: true, setCookies: [] })
  })
})

describe('a session that ends during its refresh', () => {
  type End = (sessionId: string, cookie: string) => Promise<unknown>
  const ends: Readonly<Record<string, End>> = {
    'signed out': (_id, cookie) =>
      backend.sessions.signOut(withCookie(cookie), { everywhere: false }),
    'signed out everywhere, from another browser': async () => {
      const { cookie } = await api.sealSession(ADA)
      await backend.sessions.signOut(withCookie(cookie), { everywhere: true })
    },
    'revoked by its owner': (id) => backend.sessions.revokeSession(ADA.id, id),
    'revoked with all others': async () => {
      const { sessionId } = await api.sealSession(ADA)
      await backend.sessions.revokeSessions(ADA.id, { except: sessionId })
    },
  }
  const answers = {
    renewed: undefined,
    refused: { status: 400, body: { error: 'invalid_grant', error_description: 'Ended.' } },
    failed: { status: 500, body: { message: 'Oops' } },
  }
  const cases = Object.entries(ends).flatMap(([how, end]) =>
    Object.entries(answers).flatMap(([outcome, answer]) =>
      [-60, 5].map((expiresIn) => ({ how, end, outcome, answer, expiresIn })),
    ),
  )

  it.each(cases)(
    'stays ended when it was $how and the refresh is $outcome; the token expires in $expiresIn s',
    async ({ end, answer, expiresIn }) => {
      const { cookie, sessionId } = await api.sealSession(ADA, { expiresIn })
      api.beforeNextRefresh(async () => {
        await end(sessionId, cookie)
        return answer
      })
      const over = { ok: false, reason: 'session-revoked', setCookies: CLEARED }
      expect(await backend.authenticate(withCookie(cookie))).toEqual(over)
      expect(await backend.authenticate(withCookie(cookie))).toEqual(over)
    },
  )

  it('stays ended when the keys for the refreshed token are unavailable', async () => {
    const eager = await createWorkosBackend({ ...optionsFor(api), jwksCooldownMs: 0 })
    const { cookie } = await api.sealSession(ADA, { expiresIn: -60 })
    api.beforeNextRefresh(async () => {
      await eager.sessions.signOut(withCookie(cookie), { everywhere: false })
      await api.rotateKeys()
      api.down({ parts: ['jwks'] })
    })
    expect(await eager.authenticate(withCookie(cookie))).toEqual({
      ok: false,
      reason: 'session-revoked',
      setCookies: CLEARED,
    })
  })
})

describe('logs and errors', () => {
  it('contain no token, cookie or key', async () => {
    const written: unknown[] = []
    const write = (fields: object): void => void written.push(fields)
    const log = { info: write, warn: write, error: write }
    const told = await createWorkosBackend({ ...optionsFor(api), log, refreshAheadMs: 600_000 })
    const valid = await api.sealSession(ADA, { expiresIn: 100 })
    const expired = await api.sealSession(ADA, { expiresIn: -60 })
    const foreign = await api.sealSession(ADA, { claims: { client_id: 'client_02' } })
    const ask = ({ cookie }: { cookie: string }) =>
      told.authenticate(withCookie(cookie)).catch((error: unknown) => void written.push(error))
    for (const breakIt of [
      () => api.down({ parts: ['authenticate'] }),
      () => api.fail('authenticate', 500, { message: 'Oops' }),
      () => api.fail('authenticate', 400, { error: 'invalid_client' }),
      () => api.fail('authenticate', 200, {}),
    ]) {
      breakIt()
      for (const seal of [valid, expired, foreign]) await ask(seal)
      api.up()
    }
    expect(written).toHaveLength(12)
    const text = inspect(written, { depth: 20 })
    for (const seal of [valid, expired, foreign]) {
      for (const secret of [seal.cookie, seal.accessToken, seal.refreshToken]) {
        expect(text.includes(secret)).toBe(false)
      }
    }
    expect(text.includes(api.apiKey)).toBe(false)
    expect(text.includes(api.cookiePassword)).toBe(false)
  })
})

describe('createSessionRefresher', () => {
  it('shares a result for ten seconds, then calls WorkOS again', async () => {
    const settings = checkOptions(optionsFor(api))
    const userManagement = await createUserManagement(settings)
    let now = 0
    const refresher = createSessionRefresher(userManagement, settings, () => now)
    const { cookie } = await api.sealSession(ADA, { expiresIn: -60 })
    const session = await openSealedSession(userManagement, api.cookiePassword, cookie)
    if (!session) throw new Error('The seal did not open.')
    expect(await refresher.refresh(session, cookie)).toMatchObject({ status: 'renewed' })
    now = 9999
    expect(await refresher.refresh(session, cookie)).toMatchObject({ status: 'renewed' })
    now = 10_000
    expect(await refresher.refresh(session, cookie)).toEqual({
      status: 'refused',
      reason: 'invalid_grant',
    })
  })
})
