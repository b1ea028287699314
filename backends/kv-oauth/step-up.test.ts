import { describe, expect, it } from 'vitest'
import type { AuthnRequest } from '../request.js'
import { toAuthnRequest } from '../request.js'
import type { KvOAuthBackend } from './backend.js'
import { signInAt, startSignInAt } from './testing/scripted-provider.js'
import { describeOnEveryStore, scriptedScene } from './testing/scripted-scene.js'

const anonymous = toAuthnRequest({ headers: {} })
const secondsAgo = (seconds: number): number => Math.floor(Date.now() / 1000) - seconds

async function sessionOf(backend: KvOAuthBackend, request: AuthnRequest) {
  const result = await backend.authenticate(request)
  if (!result.ok) throw new Error(result.reason)
  return result
}

describe('a sign-in with requirements', () => {
  const scene = scriptedScene()

  it.each([
    [{ prompt: 'login' }, { prompt: 'login' }],
    [{ prompt: 'select_account' }, { prompt: 'select_account' }],
    [{ maxAge: 0 }, { prompt: 'consent', max_age: '0' }],
    [{ maxAge: 300 }, { prompt: 'consent', max_age: '300' }],
    [{ acrValues: ['phr', 'mfa'] }, { prompt: 'consent', acr_values: 'phr mfa' }],
    [{ uiLocales: ['de-CH', 'de'] }, { prompt: 'consent', ui_locales: 'de-CH de' }],
    [{ acrValues: [], uiLocales: [] }, { prompt: 'consent' }],
  ] as const)('%j sends %j', async (input, parameters) => {
    const backend = await scene.create('oidc', { extraAuthParams: { prompt: 'consent' } })
    const { redirectUrl } = await backend.interactive.signIn(anonymous, { returnTo: '/', ...input })
    const sent = Object.fromEntries(new URL(redirectUrl).searchParams)
    const names = ['prompt', 'max_age', 'acr_values', 'ui_locales']
    const found = names.flatMap((name) => (name in sent ? [[name, sent[name]]] : []))
    expect(Object.fromEntries(found)).toEqual(parameters)
  })

  it.each([
    ['keeps the scopes that the user granted in addition', { maxAge: 0 }, 'openid email calendar'],
    ['requests the scopes that are given', { maxAge: 0, scopes: ['email'] }, 'openid email'],
    ['requests the default scopes without a requirement', {}, 'openid email'],
  ])('%s', async (_what, input, scope) => {
    scene.idp.token = (response) => ({
      json: { ...response, scope: 'openid email calendar profile' },
    })
    const options = { scopes: ['openid', 'email'], additionalScopes: ['calendar'] }
    const backend = await scene.create('oidc', options)
    const browser = await signInAt(backend, { scopes: ['openid', 'calendar'] })
    const { redirectUrl } = await backend.interactive.signIn(browser, { returnTo: '/', ...input })
    expect(new URL(redirectUrl).searchParams.get('scope')).toBe(scope)
  })

  it.each([
    ['plain OAuth 2.0', 'oauth', {}],
    ['one that is configured so', 'oidc', { stepUp: false }],
  ] as const)('is refused by name at %s', async (_what, kind, options) => {
    const backend = await scene.create(kind, options)
    expect(backend.providers.listProviders()).toMatchObject([{ id: kind, stepUp: false }])
    const problem = [`is not supported by the provider ${kind}`]
    for (const [input, fieldErrors] of [
      [{ maxAge: 0 }, { maxAge: problem }],
      [{ acrValues: ['mfa'] }, { maxAge: problem, acrValues: problem }],
    ] as const) {
      const started = backend.interactive.signIn(anonymous, { returnTo: '/', ...input })
      await expect(started).rejects.toMatchObject({
        code: 'VALIDATION_ERROR',
        data: { fieldErrors },
      })
    }
    const plain = { returnTo: '/', acrValues: [], prompt: 'login', uiLocales: ['de'] } as const
    await backend.interactive.signIn(anonymous, plain)
  })

  it.each([
    [{ maxAge: 0 }, { auth_time: secondsAgo(0) }],
    [{ maxAge: 300 }, { auth_time: secondsAgo(290) }],
    // Within the allowed clock skew.
    [{ maxAge: 300 }, { auth_time: secondsAgo(320) }],
    [{ maxAge: 300 }, { auth_time: secondsAgo(-20) }],
    [{ acrValues: ['phr', 'mfa'] }, { acr: 'mfa' }],
    [
      { maxAge: 60, acrValues: ['mfa'] },
      { acr: 'mfa', auth_time: secondsAgo(10) },
    ],
  ] as [object, { acr?: string; auth_time?: number }][])('%j accepts %j', async (input, claims) => {
    scene.idp.claims = claims
    const backend = await scene.create('oidc')
    expect(backend.providers.listProviders()).toMatchObject([{ stepUp: true }])
    const { session, principal } = await sessionOf(backend, await signInAt(backend, input))
    expect(Date.parse(session.authTime ?? session.issuedAt)).toBeLessThanOrEqual(Date.now())
    expect(principal.claims.acr).toBe(claims.acr)
    expect(principal.claims).not.toHaveProperty(claims.auth_time ? 'none' : 'auth_time')
  })

  it.each([
    ['auth-time-missing', { maxAge: 300 }, {}],
    ['auth-time-missing', { maxAge: 300 }, { auth_time: undefined, acr: 'mfa' }],
    // In the future.
    ['auth-time-missing', { maxAge: 300 }, { auth_time: secondsAgo(-90) }],
    ['auth-time-missing', { maxAge: 300 }, { auth_time: 1e300 }],
    ['auth-time-malformed', { maxAge: 300 }, { auth_time: String(secondsAgo(0)) }],
    ['auth-time-malformed', { maxAge: 300 }, { auth_time: -1 }],
    ['auth-time-malformed', { maxAge: 300 }, { auth_time: null }],
    ['auth-time-malformed', { acrValues: ['mfa'] }, { auth_time: [], acr: 'mfa' }],
    ['auth-time-too-old', { maxAge: 0 }, { auth_time: secondsAgo(45) }],
    ['auth-time-too-old', { maxAge: 300 }, { auth_time: secondsAgo(345) }],
    ['auth-time-too-old', { maxAge: 300 }, { auth_time: 0 }],
    ['acr-missing', { acrValues: ['mfa'] }, {}],
    ['acr-missing', { acrValues: ['mfa'] }, { acr: ['mfa'] }],
    ['acr-missing', { acrValues: ['0'] }, { acr: 0 }],
    ['acr-missing', { acrValues: ['mfa'] }, { acr: '' }],
    ['acr-not-requested', { acrValues: ['mfa'] }, { acr: 'MFA' }],
    ['acr-not-requested', { acrValues: ['mfa'] }, { acr: 'mfa pwd' }],
    [
      'acr-not-requested',
      { maxAge: 300, acrValues: ['mfa'] },
      { auth_time: secondsAgo(1), acr: '0' },
    ],
  ])('fails with %s: %j, %j', async (cause, input, claims) => {
    const subject = crypto.randomUUID()
    scene.idp.claims = { sub: subject, ...claims }
    const backend = await scene.create('oidc')
    await expect(signInAt(backend, input)).rejects.toMatchObject({
      code: 'AUTH_STEP_UP_FAILED',
      setCookies: [expect.stringContaining('Max-Age=0')],
    })
    expect(scene.log).toContainEqual(expect.objectContaining({ event: 'sign-in.failed', cause }))
    const { rows } = await scene.pool.query('SELECT id FROM auth_accounts WHERE subject = $1', [
      subject,
    ])
    expect(rows).toEqual([])
  })

  it('fails when the provider says that it cannot authenticate the user as requested', async () => {
    const backend = await scene.create('oidc')
    const refuse = async (input: object) => {
      const finish = await startSignInAt(backend, input, anonymous)
      return finish(anonymous, { error: 'unmet_authentication_requirements' })
    }
    await expect(refuse({ acrValues: ['mfa'] })).rejects.toHaveProperty(
      'code',
      'AUTH_STEP_UP_FAILED',
    )
    await expect(refuse({})).rejects.toHaveProperty('code', 'AUTH_ACCESS_DENIED')
  })

  it('counts an authentication during a slow sign-in as recent', async () => {
    const backend = await scene.create('oidc', {}, { now: () => Date.now() + behind })
    let behind = -400_000
    const finish = await startSignInAt(backend, { maxAge: 0 }, anonymous)
    behind = 0
    scene.idp.claims = { auth_time: secondsAgo(390) }
    const { session } = await sessionOf(backend, await finish(anonymous))
    expect(session.authTime).toBe(new Date(secondsAgo(390) * 1000).toISOString())
  })
})

describe('a sign-in without requirements', () => {
  const scene = scriptedScene()

  it.each([
    [
      { auth_time: 1000, acr: 'mfa' },
      { authTime: '1970-01-01T00:16:40.000Z', acr: 'mfa' },
    ],
    [{ auth_time: 1000.9 }, { authTime: '1970-01-01T00:16:40.000Z' }],
    [{ auth_time: secondsAgo(-3600) }, {}],
    [{ acr: 'a'.repeat(255) }, { acr: 'a'.repeat(255) }],
    [{ acr: 'a'.repeat(256) }, {}],
    [{ acr: 'mfa\u0000' }, {}],
    [{ acr: 1 }, {}],
    [{}, {}],
  ] as [Record<string, unknown>, { authTime?: string; acr?: string }][])(
    'stores what is usable of %j',
    async (claims, expected) => {
      scene.idp.claims = claims
      const backend = await scene.create('oidc')
      const { session, principal } = await sessionOf(backend, await signInAt(backend))
      const { authTime, acr } = session
      expect({ ...(authTime && { authTime }), ...(acr && { acr }) }).toEqual(expected)
      const seconds = expected.authTime === undefined ? undefined : 1000
      expect([principal.claims.auth_time, principal.claims.acr]).toEqual([seconds, expected.acr])
      expect(session.claims).not.toHaveProperty('auth_time')
    },
  )

  it.each(['oidc', 'oauth'] as const)(
    'takes neither from the user info of %s, nor from admit',
    async (kind) => {
      const claims = { auth_time: secondsAgo(1), acr: 'mfa' }
      scene.idp.userInfo = () => ({ json: { sub: 'ada', id: 'ada', ...claims } })
      const admit = () => ({ allow: true, claims }) as const
      const backend = await scene.create(kind, {}, { admit })
      const { session, principal } = await sessionOf(backend, await signInAt(backend))
      expect([session.authTime, session.acr]).toEqual([undefined, undefined])
      expect(Object.keys(principal.claims)).not.toContain('auth_time')
      expect(Object.keys(principal.claims)).not.toContain('acr')
    },
  )
})

describeOnEveryStore('a step-up', (scene) => {
  let ada = ''
  const recently = (sub = ada) => ({ sub, auth_time: secondsAgo(1), acr: 'mfa' })

  async function signedIn() {
    ada = crypto.randomUUID()
    scene.idp.claims = { sub: ada }
    const backend = await scene.create('oidc')
    return { backend, browser: await signInAt(backend) }
  }

  it.each([{ maxAge: 60 }, { acrValues: ['mfa'] }])(
    'with %j replaces the session of the same user',
    async (input) => {
      const { backend, browser } = await signedIn()
      const { session: before } = await sessionOf(backend, browser)
      scene.idp.claims = recently()
      const after = await signInAt(backend, input, browser)
      const { session } = await sessionOf(backend, after)
      expect(session).toMatchObject({ acr: 'mfa', authTime: expect.any(String) })
      expect(await backend.authenticate(browser)).toMatchObject({ ok: false })
      const { rows } = await scene.pool.query(
        `SELECT reason FROM auth_audit_events WHERE session_id = $1 AND type = 'session.revoked'`,
        [before.id],
      )
      expect(rows).toEqual([{ reason: 'replaced-by-sign-in' }])
    },
  )

  it('of another user changes nothing, whether that user is known or not', async () => {
    const { backend, browser } = await signedIn()
    const mine = await sessionOf(backend, browser)
    const known = crypto.randomUUID()
    scene.idp.claims = { sub: known, name: 'Known' }
    await signInAt(backend)
    for (const sub of [known, crypto.randomUUID()]) {
      const count = () =>
        scene.pool.query(
          `SELECT (SELECT count(*) FROM auth_users), (SELECT count(*) FROM auth_accounts),
             (SELECT array_agg(display_name ORDER BY id) FROM auth_users)`,
        )
      const before = (await count()).rows
      scene.idp.claims = { ...recently(sub), name: 'Changed' }
      await expect(signInAt(backend, { maxAge: 60 }, browser)).rejects.toMatchObject({
        code: 'AUTH_SESSION_CHANGED',
      })
      expect((await count()).rows).toEqual(before)
    }
    expect((await sessionOf(backend, browser)).session.id).toBe(mine.session.id)
    expect((await backend.sessions.listSessions(mine.user.id)).sessions).toHaveLength(1)
  })

  it.each<[string, (scope: Awaited<ReturnType<typeof signedIn>>) => Promise<AuthnRequest>]>([
    [
      'has been signed out',
      async ({ backend, browser }) => {
        await backend.sessions.signOut(browser, { everywhere: false })
        return browser
      },
    ],
    [
      'was ended elsewhere',
      async ({ backend, browser }) => {
        const { session } = await sessionOf(backend, browser)
        await backend.sessions.revokeSession(session.userId, session.id)
        return browser
      },
    ],
    ['was signed in again', ({ backend, browser }) => signInAt(backend, {}, browser)],
    ['lost its cookie', async () => anonymous],
    ['sends another session of the same user', ({ backend }) => signInAt(backend)],
    [
      'is now signed in as another user',
      async ({ backend, browser }) => {
        scene.idp.claims = { sub: crypto.randomUUID() }
        return signInAt(backend, {}, browser)
      },
    ],
    [
      'sends the cookie twice',
      async ({ browser }) =>
        toAuthnRequest({
          headers: { cookie: `${browser.header('cookie')}; ${browser.header('cookie')}` },
        }),
    ],
  ])('is refused in a browser that %s meanwhile', async (_what, change) => {
    const scope = await signedIn()
    const finish = await startSignInAt(scope.backend, { maxAge: 60 }, scope.browser)
    const browser = await change(scope)
    scene.idp.claims = recently()
    const { rows: before } = await scene.pool.query('SELECT count(*) FROM auth_accounts')
    await expect(finish(browser)).rejects.toMatchObject({ code: 'AUTH_SESSION_CHANGED' })
    expect((await scene.pool.query('SELECT count(*) FROM auth_accounts')).rows).toEqual(before)
  })

  it('that fails keeps the session', async () => {
    const { backend, browser } = await signedIn()
    scene.idp.claims = { sub: ada }
    await expect(signInAt(backend, { maxAge: 60 }, browser)).rejects.toMatchObject({
      code: 'AUTH_STEP_UP_FAILED',
    })
    expect((await backend.authenticate(browser)).ok).toBe(true)
  })

  it('needs a session: without one, any user may sign in', async () => {
    const { backend, browser } = await signedIn()
    await backend.sessions.signOut(browser, { everywhere: false })
    scene.idp.claims = recently(crypto.randomUUID())
    expect((await sessionOf(backend, await signInAt(backend, { maxAge: 60 }, browser))).ok).toBe(
      true,
    )
  })
})
