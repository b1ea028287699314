import { afterEach, describe, expect, it, vi } from 'vitest'
import type { JsonServerAnswer } from './testing/json-server.js'
import { signInAt } from './testing/scripted-provider.js'
import { KINDS, scriptedScene } from './testing/scripted-scene.js'

describe('token responses that deviate from RFC 6749', () => {
  const scene = scriptedScene()
  const answer = (members: Record<string, unknown>): void => {
    scene.idp.token = (honest) => ({ json: { ...honest, ...members } })
  }
  /** The tokens of the newest session as stored in Postgres. */
  const stored = async (): Promise<Record<string, unknown>> => {
    const { rows } = await scene.pool.query<Record<string, unknown>>(
      'SELECT access_token, refresh_token, id_token FROM auth_provider_tokens ORDER BY updated_at DESC LIMIT 1',
    )
    return rows[0] ?? {}
  }

  describe.each(KINDS)('of an %s provider', (kind) => {
    const tolerated: [string, Record<string, unknown>][] = [
      ['no token type', { token_type: undefined }],
      ...['token_type', 'expires_in', 'refresh_token', 'scope'].flatMap(
        (name): [string, Record<string, unknown>][] => [
          [`${name} null`, { [name]: null }],
          [`${name} ""`, { [name]: '' }],
          [`${name} " "`, { [name]: ' ' }],
        ],
      ),
      ['an upper-case token type', { token_type: 'BEARER' }],
      ['a lifetime that is a string', { expires_in: '30' }],
      ['a scope that is a list', { scope: ['openid', 'profile email'] }],
      ['a scope that is an empty list', { scope: [] }],
      ['a scope that is a list of empty items', { scope: [null, '', ' '] }],
      ['a scope that is a list with null', { scope: ['openid', null] }],
      ['a token type with a space', { token_type: 'Bearer ' }],
      [
        'every optional member null',
        { token_type: null, expires_in: null, refresh_token: null, scope: null },
      ],
    ]

    it.each(tolerated)('sign in with %s', async (_what, members) => {
      const backend = await scene.create(kind)
      answer(members)
      expect(await backend.authenticate(await signInAt(backend))).toMatchObject({
        ok: true,
        session: { subject: 'ada' },
      })
    })

    it.each([
      ...tolerated,
      ['id_token null', { id_token: null }],
      ['id_token ""', { id_token: '' }],
      ['no id_token', { id_token: undefined }],
    ] as typeof tolerated)('renew the tokens with %s', async (_what, members) => {
      const backend = await scene.create(kind)
      const request = await signInAt(backend)
      const before = await stored()
      answer(members)
      scene.renewalsDue()
      expect(await backend.authenticate(request)).toMatchObject({ ok: true })
      const after = await stored()
      expect(after.access_token).not.toBe(before.access_token)
      expect(after.refresh_token).not.toBeNull()
      expect(after.id_token === null).toBe(before.id_token === null)
    })

    it('are accepted with status 201', async () => {
      scene.idp.token = (json) => ({ status: 201, json })
      const backend = await scene.create(kind)
      const request = await signInAt(backend)
      scene.renewalsDue()
      expect(await backend.authenticate(request)).toMatchObject({ ok: true })
      expect(scene.idp.requests.at(-1)?.form.get('grant_type')).toBe('refresh_token')
    })

    it.each([
      ['an access token that is null', { access_token: null }],
      ['an access token that is empty', { access_token: '' }],
      ['another token type', { token_type: 'mac' }],
      ['a token type that is a list', { token_type: ['bearer'] }],
      ['a lifetime that is not a number', { expires_in: 'soon' }],
      ['a lifetime that is an object', { expires_in: {} }],
      ['a refresh token that is a list', { refresh_token: ['x'] }],
      ['a scope that is a list of numbers', { scope: [1] }],
      ['a scope that is an object', { scope: { openid: true } }],
    ])('are rejected with %s', async (_what, members) => {
      answer(members)
      await expect(signInAt(await scene.create(kind))).rejects.toMatchObject({
        code: 'AUTH_PROVIDER_ERROR',
      })
    })

    it.each<[string, JsonServerAnswer]>([
      ['status 200', { json: { error: 'invalid_grant' } }],
      ['status 200 and empty tokens', { json: { error: 'invalid_grant', access_token: null } }],
      ['status 401 and a challenge', unauthorized({ error: 'invalid_grant' })],
      ['a text content type', text({ error: 'invalid_grant' })],
    ])('end the session when a refresh responds invalid_grant with %s', async (_what, refused) => {
      const backend = await scene.create(kind)
      const request = await signInAt(backend)
      scene.idp.token = () => refused
      scene.renewalsDue()
      expect(await backend.authenticate(request)).toMatchObject({ ok: false })
    })
  })

  it.each([undefined, null, ''])(
    'are rejected at a sign-in at an OpenID provider if id_token is %j',
    async (id_token) => {
      answer({ id_token })
      await expect(signInAt(await scene.create('oidc'))).rejects.toMatchObject({
        code: 'AUTH_PROVIDER_ERROR',
      })
    },
  )
})

describe('an access token', () => {
  const scene = scriptedScene()
  /** Signs in and returns the renewals of a read so many seconds later. */
  const signInWith = async (lifetime: number): Promise<(seconds: number) => Promise<number>> => {
    // The library counts the lifetime by the clock of the process.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    scene.idp.token = (honest) => ({ json: { ...honest, expires_in: lifetime } })
    const backend = await scene.create('oidc')
    const request = await signInAt(backend)
    return async (seconds) => {
      const before = scene.idp.requests.length
      vi.setSystemTime(Date.now() + seconds * 1000)
      expect(await backend.authenticate(request)).toMatchObject({ ok: true })
      return scene.idp.requests.slice(before).filter(({ path }) => path === '/token').length
    }
  }

  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([
    ['a minute before it expires', 3600, 3540],
    ['after half its lifetime, when it lives for less than two minutes', 60, 30],
    ['five seconds after the last renewal, when it lives for less', 2, 5],
  ])('is renewed %s', async (_what, lifetime, dueAfter) => {
    const renewalsAfter = await signInWith(lifetime)
    expect(await renewalsAfter(dueAfter - 1)).toBe(0)
    expect(await renewalsAfter(1)).toBe(1)
    expect(await renewalsAfter(dueAfter - 1)).toBe(0)
    expect(await renewalsAfter(1)).toBe(1)
  })

  it('is not renewed when its lifetime in milliseconds is more than a number can hold', async () => {
    const renewalsAfter = await signInWith(1e308)
    expect(await renewalsAfter(0)).toBe(0)
    expect(await renewalsAfter(20 * 3600)).toBe(0)
  })
})

function unauthorized(json: object): JsonServerAnswer {
  return { status: 401, json, headers: { 'www-authenticate': 'Basic realm="x"' } }
}

function text(json: object): JsonServerAnswer {
  return { status: 400, json, headers: { 'content-type': 'text/plain' } }
}
