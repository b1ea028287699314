import { randomBytes } from 'node:crypto'
import { beforeEach, expect, it } from 'vitest'
import { parseKeyring } from '../keyring.js'
import type { AuthnRequest } from '../request.js'
import type { KvOAuthBackend, KvOAuthBackendOptions } from './backend.js'
import type { ProviderTokens, ProviderTokenStore, TokenSession } from './session-store.js'
import { openStores } from './storage/stores.js'
import type { JsonServerAnswer } from './testing/json-server.js'
import { signInAt } from './testing/scripted-provider.js'
import { describeOnEveryStore } from './testing/scripted-scene.js'

const SECOND = 1_000
const INVALID_GRANT: JsonServerAnswer = { status: 400, json: { error: 'invalid_grant' } }
const DOWN: JsonServerAnswer = { status: 400, json: { error: 'temporarily_unavailable' } }
const KEY = randomBytes(32).toString('base64url')

describeOnEveryStore('getProviderToken', (scene) => {
  let clock = 0
  /** Refreshes that the provider has answered, by refresh token. */
  let refreshes: string[] = []
  /** The answer to a refresh; the default renews. */
  let onRefresh: (
    json: Readonly<Record<string, unknown>>,
  ) => JsonServerAnswer | Promise<JsonServerAnswer>
  beforeEach(() => {
    clock = Date.now()
    refreshes = []
    onRefresh = (json) => ({ json })
    scene.idp.token = (json, form) => {
      if (form.get('grant_type') !== 'refresh_token') return { json: { ...json, ...first } }
      refreshes.push(form.get('refresh_token') ?? '')
      return onRefresh(json)
    }
    first = {}
  })
  /** Members of the token response of the sign-in. */
  let first: Record<string, unknown> = {}

  const create = (options: Partial<KvOAuthBackendOptions> = {}): Promise<KvOAuthBackend> => {
    const linked = scene.idp.oauth({ id: 'linked', scopes: ['user'], additionalScopes: ['repo'] })
    return scene.create('oidc', undefined, {
      key: KEY,
      now: () => clock,
      providers: [scene.idp.oidc({ additionalScopes: ['calendar'] }), linked],
      ...options,
    })
  }
  interface SignedIn {
    backend: KvOAuthBackend
    session: TokenSession
    request: AuthnRequest
  }
  const signedIn = async (options: Partial<KvOAuthBackendOptions> = {}): Promise<SignedIn> => {
    const backend = await create(options)
    const request = await signInAt(backend)
    const result = await backend.authenticate(request)
    if (!result.ok) throw new Error('not signed in')
    const { id, providerId = '' } = result.session
    return { backend, session: { id, providerId }, request }
  }
  /** Uses the token store of the scene directly. */
  const withTokens = async <T>(use: (tokens: ProviderTokenStore) => Promise<T>): Promise<T> => {
    const stores = await openStores({ pool: scene.pool, sessionStore: scene.sessionStore })
    try {
      return await use(stores.tokens(parseKeyring(KEY)))
    } finally {
      await stores.close()
    }
  }
  const link = (session: TokenSession, over: Partial<ProviderTokens> = {}): Promise<void> =>
    withTokens((tokens) =>
      tokens.save(session, 'linked', {
        accessToken: 'linked access',
        refreshToken: 'linked refresh',
        expiresAt: clock + 3600 * SECOND,
        scopes: ['user'],
        ...over,
      }),
    )

  it('returns the token of the sign-in, without asking the provider', async () => {
    first = { access_token: 'first', scope: 'openid email' }
    const { backend, session } = await signedIn()
    expect(await backend.getProviderToken(session)).toEqual({
      accessToken: 'first',
      providerId: 'oidc',
      scopes: ['openid', 'email'],
      expiresAt: expect.stringMatching(/Z$/),
    })
    expect(await backend.getProviderToken(session, { scopes: ['email'] })).toMatchObject({
      accessToken: 'first',
    })
    expect(refreshes).toEqual([])
  })

  it('returns a token without an expiry if the provider names none', async () => {
    first = { access_token: 'endless', expires_in: undefined }
    const { backend, session } = await signedIn()
    clock += 60 * 60 * SECOND
    const token = await backend.getProviderToken(session)
    expect(token).toMatchObject({ accessToken: 'endless' })
    expect(token).not.toHaveProperty('expiresAt')
  })

  it.each(['oidc', 'linked'])('renews a token of %s that is about to expire, once', async (of) => {
    const { backend, session } = await signedIn()
    await link(session, { expiresAt: clock + 30 * SECOND })
    clock += 29 * SECOND
    onRefresh = (json) => ({ json: { ...json, access_token: 'renewed', expires_in: 3600 } })
    const ask = () => backend.getProviderToken(session, { providerId: of })
    expect(await ask()).toMatchObject({ accessToken: 'renewed', providerId: of })
    expect(await ask()).toMatchObject({ accessToken: 'renewed' })
    expect(refreshes).toHaveLength(1)
  })

  it.each(['oidc', 'linked'])(
    'lets one of many callers in two processes renew an expired token of %s; the others wait for it',
    async (of) => {
      const { backend, session } = await signedIn()
      const other = await create()
      await link(session, { expiresAt: clock + 30 * SECOND })
      clock += 31 * SECOND
      onRefresh = async (json) => {
        await new Promise((resolve) => setTimeout(resolve, 300))
        return { json: { ...json, access_token: `renewed ${refreshes.length}`, expires_in: 3600 } }
      }
      const callers = Array.from({ length: 20 }, (_, at) =>
        (at % 2 ? backend : other).getProviderToken(session, { providerId: of }),
      )
      const tokens = await Promise.all(callers)
      expect(new Set(tokens.map(({ accessToken }) => accessToken))).toEqual(new Set(['renewed 1']))
      expect(refreshes).toHaveLength(1)
    },
  )

  it.each(['oidc', 'linked'])(
    'gives others the valid token of %s while one renews it',
    async (of) => {
      first = { access_token: 'linked access' }
      const { backend, session } = await signedIn()
      await link(session, { expiresAt: clock + 30 * SECOND })
      clock += 20 * SECOND
      let isAnswered = false
      onRefresh = async (json) => {
        await new Promise((resolve) => setTimeout(resolve, 1_000))
        isAnswered = true
        return { json }
      }
      const ask = () => backend.getProviderToken(session, { providerId: of })
      const renewing = ask()
      while (refreshes.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
      expect(await ask()).toMatchObject({ accessToken: 'linked access' })
      expect(isAnswered).toBe(false)
      expect(await renewing).not.toMatchObject({ accessToken: 'linked access' })
    },
  )

  it.each(['oidc', 'linked'])(
    'never returns an expired token of %s: the provider is unavailable',
    async (of) => {
      const { backend, session } = await signedIn()
      await link(session, { expiresAt: clock + 30 * SECOND })
      const ask = () => backend.getProviderToken(session, { providerId: of })
      onRefresh = () => DOWN
      clock += 20 * SECOND
      expect(await ask()).toMatchObject({ providerId: of })
      clock += 41 * SECOND
      await expect(ask()).rejects.toMatchObject({
        code: 'AUTH_PROVIDER_ERROR',
        data: { providerId: of },
      })
      onRefresh = (json) => ({ json: { ...json, access_token: 'renewed' } })
      clock += 31 * SECOND
      expect(await ask()).toMatchObject({ accessToken: 'renewed' })
      expect(JSON.stringify(scene.log)).not.toContain('linked access')
    },
  )

  it('asks an unavailable provider at most every 30 seconds, however long it has been', async () => {
    const { backend, session } = await signedIn()
    onRefresh = () => DOWN
    clock += 31 * SECOND
    for (let attempt = 0; attempt < 6; attempt += 1) {
      for (let call = 0; call < 3; call += 1) {
        await expect(backend.getProviderToken(session)).rejects.toMatchObject({
          code: 'AUTH_PROVIDER_ERROR',
        })
      }
      expect(refreshes).toHaveLength(attempt + 1)
      clock += 31 * SECOND
    }
  })

  it('ends the session when the provider says that the grant of the sign-in has ended', async () => {
    const { backend, session, request } = await signedIn()
    onRefresh = () => INVALID_GRANT
    clock += 31 * SECOND
    await expect(backend.getProviderToken(session)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(await backend.authenticate(request)).toMatchObject({ ok: false })
  })

  it.each([
    ['has ended', INVALID_GRANT],
    ['is of another user', undefined],
  ])('keeps the session when the grant of a linked account %s', async (_what, answer) => {
    const { backend, session, request } = await signedIn()
    const idToken = `x.${Buffer.from('{"sub":"grace"}').toString('base64url')}.x`
    await link(session, { expiresAt: clock, idToken })
    if (answer) onRefresh = () => answer
    const asked = backend.getProviderToken(session, { providerId: 'linked' })
    if (answer) {
      await expect(asked).rejects.toMatchObject({
        code: 'PROVIDER_TOKEN_UNAVAILABLE',
        data: {
          providerId: 'linked',
          missingScopes: [],
          signin: { providerId: 'linked', scopes: ['user'], link: true },
        },
      })
      await expect(
        backend.getProviderToken(session, { providerId: 'linked' }),
      ).rejects.toMatchObject({ code: 'PROVIDER_TOKEN_UNAVAILABLE' })
      expect(refreshes).toHaveLength(1)
    } else {
      await asked
    }
    expect(await backend.authenticate(request)).toMatchObject({ ok: true })
  })

  it.each([
    [
      'oidc',
      ['calendar'],
      { providerId: 'oidc', scopes: ['openid', 'profile', 'email', 'calendar'] },
    ],
    ['linked', ['repo', 'user'], { providerId: 'linked', scopes: ['user', 'repo'], link: true }],
  ])('names the sign-in that grants missing scopes at %s', async (of, scopes, signin) => {
    const { backend, session } = await signedIn()
    const ask = () => backend.getProviderToken(session, { providerId: of, scopes })
    const isLinked = of === 'linked'
    if (isLinked) {
      await expect(ask()).rejects.toMatchObject({ data: { missingScopes: scopes } })
      await link(session)
    }
    await expect(ask()).rejects.toMatchObject({
      code: 'PROVIDER_TOKEN_UNAVAILABLE',
      data: { providerId: of, missingScopes: [scopes[0]], signin },
    })
  })

  it('refuses a scope that no sign-in may request, and an unknown provider', async () => {
    const { backend, session } = await signedIn()
    for (const options of [{ scopes: ['admin'] }, { providerId: 'other' }]) {
      await expect(backend.getProviderToken(session, options)).rejects.toMatchObject({
        code: 'VALIDATION_ERROR',
      })
    }
  })

  it('has no token without a refresh token once the access token has expired', async () => {
    first = { refresh_token: undefined }
    const { backend, session } = await signedIn()
    expect(await backend.getProviderToken(session)).toBeDefined()
    clock += 31 * SECOND
    await expect(backend.getProviderToken(session)).rejects.toMatchObject({
      code: 'PROVIDER_TOKEN_UNAVAILABLE',
      data: { missingScopes: [] },
    })
  })

  it.each(['oidc', 'linked'])(
    'has no token of %s for a session that is revoked while it is renewed',
    async (of) => {
      const { backend, session, request } = await signedIn()
      await link(session, { expiresAt: clock + 30 * SECOND })
      clock += 31 * SECOND
      onRefresh = async (json) => {
        await backend.sessions.signOut(request, { everywhere: false })
        return { json }
      }
      const ask = () => backend.getProviderToken(session, { providerId: of })
      await expect(ask()).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
      await expect(ask()).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
      expect(await withTokens((tokens) => tokens.read(session, of))).toBeUndefined()
    },
  )

  it.each(['unknown', "'; --", ''])('has no token for the session id %j', async (id) => {
    const { backend } = await signedIn()
    await expect(backend.getProviderToken({ id })).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  it('renews after a process died that held the lease, and keeps the session if its tokens are lost', async () => {
    const { backend, session, request } = await signedIn()
    await withTokens((tokens) => tokens.lease(session, 'oidc', -1))
    clock += 31 * SECOND
    onRefresh = (json) => ({ json: { ...json, access_token: 'renewed' } })
    expect(await backend.getProviderToken(session)).toMatchObject({ accessToken: 'renewed' })

    await withTokens((tokens) => tokens.lease(session, 'oidc', -1))
    clock += 31 * SECOND
    onRefresh = () => INVALID_GRANT
    for (let call = 0; call < 2; call += 1) {
      await expect(backend.getProviderToken(session)).rejects.toMatchObject({
        code: 'PROVIDER_TOKEN_UNAVAILABLE',
      })
    }
    expect(refreshes).toHaveLength(2)
    expect(await backend.authenticate(request)).toMatchObject({ ok: true })
  })

  it('waits for a lease that another process holds, then says that the provider did not renew', async () => {
    const { backend, session } = await signedIn()
    await link(session, { expiresAt: clock })
    await withTokens((tokens) => tokens.lease(session, 'linked', 60 * SECOND))
    await expect(backend.getProviderToken(session, { providerId: 'linked' })).rejects.toMatchObject(
      { code: 'AUTH_PROVIDER_ERROR' },
    )
    expect(refreshes).toEqual([])
  }, 30_000)

  it('judges tokens that an earlier version stored by the next refresh of the session', async () => {
    const { backend, session } = await signedIn()
    const old = { accessToken: 'old', refreshToken: 'old refresh' }
    await withTokens((tokens) => tokens.replace(session, 'oidc', old))
    expect(await backend.getProviderToken(session)).toMatchObject({ accessToken: 'old' })
    clock += 20 * SECOND
    onRefresh = (json) => ({ json: { ...json, access_token: 'renewed' } })
    expect(await backend.getProviderToken(session)).toMatchObject({ accessToken: 'renewed' })
    expect(refreshes).toEqual(['old refresh'])
  })

  it('renews a token whose stored expiry is that of a token before, which an earlier version renewed', async () => {
    const { backend, session } = await signedIn()
    const stale = {
      accessToken: 'new',
      refreshToken: 'new refresh',
      expiresAt: clock - 1,
      scopes: [],
    }
    await withTokens((tokens) => tokens.replace(session, 'oidc', stale))
    onRefresh = (json) => ({ json: { ...json, access_token: 'renewed' } })
    expect(await backend.getProviderToken(session)).toMatchObject({ accessToken: 'renewed' })
  })

  it('gives up on a provider that issues expired tokens', async () => {
    const { backend, session } = await signedIn()
    clock += 31 * SECOND
    onRefresh = (json) => ({ json: { ...json, expires_in: 0 } })
    await expect(backend.getProviderToken(session)).rejects.toMatchObject({
      code: 'AUTH_PROVIDER_ERROR',
    })
    expect(refreshes).toHaveLength(1)
  })

  it('returns tokens of linked accounts that a sign-out revokes at their provider', async () => {
    const revoked: string[] = []
    const { backend, session, request } = await signedIn({
      providers: [
        scene.idp.oidc(),
        scene.idp.oauth({ id: 'linked', revocationEndpoint: `${scene.idp.issuer}/revoke` }),
      ],
    })
    await link(session)
    const before = scene.idp.requests.length
    await backend.sessions.signOut(request, { everywhere: false })
    for (const { path, form } of scene.idp.requests.slice(before)) {
      if (path === '/revoke') revoked.push(form.get('token') ?? '')
    }
    expect(revoked).toEqual(['linked refresh'])
  })
})
