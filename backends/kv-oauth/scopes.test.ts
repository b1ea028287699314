import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import type { AuthnRequest } from '../request.js'
import { createPool } from '../storage/pool.js'
import { describeWithRedis } from '../storage/testing/describe-with-redis.js'
import { startTestRedis, type TestRedis } from '../storage/testing/redis-server.js'
import { createKvOAuthBackend, type KvOAuthBackend } from './backend.js'
import type { OAuthProviderOptions } from './provider.js'
import { providers as presets } from './presets.js'
import {
  type ScriptedProvider,
  signInAt,
  startScriptedProvider,
} from './testing/scripted-provider.js'

const KINDS = ['oidc', 'oauth'] as const
const CONFIGURED = { oidc: ['openid', 'profile', 'email'], oauth: ['user'] }

describe('the scopes of a session in Postgres', () => scopeTests(() => ''))

describeWithRedis('the scopes of a session in Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startTestRedis()
  })
  afterAll(() => redis.close())
  scopeTests(() => redis.url)
})

function scopeTests(sessionStore: () => string): void {
  let idp: ScriptedProvider
  let database: TestDatabase
  let pool: pg.Pool
  const backends: KvOAuthBackend[] = []
  const log: object[] = []
  beforeAll(async () => {
    idp = await startScriptedProvider()
    database = await createTestDatabase()
    pool = createPool(database.url)
  })
  afterEach(async () => {
    idp.reset()
    log.length = 0
    for (const backend of backends.splice(0)) await backend.close()
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
    await idp.close()
  })

  const create = async (
    kind: (typeof KINDS)[number],
    options: Partial<OAuthProviderOptions> = {},
  ): Promise<KvOAuthBackend> => {
    const note = (fields: object): void => void log.push(fields)
    const backend = await createKvOAuthBackend({
      provider: idp[kind](options),
      key: randomBytes(32).toString('base64url'),
      pool,
      sessionStore: sessionStore(),
      allowInsecureRequests: true,
      log: { info: note, warn: note, error: note },
    })
    backends.push(backend)
    return backend
  }
  /** What the token endpoint says of scopes; nothing when it is `undefined`. */
  const answer = (scope?: unknown): void => {
    idp.token = (honest) => ({ json: { ...honest, scope } })
  }
  const scopesOf = async (
    backend: KvOAuthBackend,
    request: AuthnRequest,
  ): Promise<readonly string[]> => {
    const result = await backend.authenticate(request)
    if (!result.ok) throw new Error(result.reason)
    expect(result.principal.scopes).toEqual(result.session.scopes)
    return result.session.scopes
  }

  describe.each(KINDS)('at an %s provider', (kind) => {
    const configured = CONFIGURED[kind]

    it.each([
      ['a scope that is not configured', ['orders:admin']],
      ['one beside configured scopes', [...configured, 'orders:admin']],
      ['a configured scope in capital letters', [configured[0]!.toUpperCase()]],
      ['the name of a member that every object has', ['__proto__', 'constructor']],
    ])('refuses a sign-in that requests %s', async (_what, scopes) => {
      const backend = await create(kind)
      const before = idp.requests.length
      await expect(signInAt(backend, { scopes })).rejects.toMatchObject({
        code: 'VALIDATION_ERROR',
        data: {
          formErrors: [],
          fieldErrors: { scopes: [`must be among: ${configured.join(', ')}`] },
        },
      })
      expect(idp.requests).toHaveLength(before)
      expect(log).toContainEqual(expect.objectContaining({ event: 'sign-in.scope-refused' }))
    })

    it.each([undefined, []])(
      'requests what is configured when a sign-in names %j',
      async (scopes) => {
        answer()
        const backend = await create(kind)
        const request = await signInAt(backend, { ...(scopes && { scopes }) })
        expect(await scopesOf(backend, request)).toEqual(configured)
      },
    )

    it('requests fewer scopes than are configured', async () => {
      answer()
      const scopes = ['openid', 'email']
      const backend = await create(kind, { scopes: [...scopes, 'orders:read'] })
      expect(await scopesOf(backend, await signInAt(backend, { scopes }))).toEqual(scopes)
    })

    it('grants an added scope when the token response names it', async () => {
      const scopes = [...configured, 'orders:read']
      answer(scopes.join(' '))
      const backend = await create(kind, { additionalScopes: 'orders:read orders:list' })
      expect(await scopesOf(backend, await signInAt(backend, { scopes }))).toEqual(scopes)
    })

    it.each([undefined, null, ''])(
      'grants no added scope when the token response says %j',
      async (scope) => {
        answer(scope)
        const backend = await create(kind, { additionalScopes: ['orders:read'] })
        const request = await signInAt(backend, { scopes: [...configured, 'orders:read'] })
        expect(await scopesOf(backend, request)).toEqual(configured)
      },
    )

    it('grants what the token response names and nothing that it leaves out', async () => {
      answer(configured[0])
      const backend = await create(kind, { scopes: [...configured, 'orders:read'] })
      expect(await scopesOf(backend, await signInAt(backend))).toEqual([configured[0]])
    })

    it.each([
      ['names fewer', 'orders:read', ['orders:read']],
      ['names none', undefined, [...configured, 'orders:read']],
      ['names an empty one', '', [...configured, 'orders:read']],
      [
        'names more',
        `${configured.join(' ')} orders:read orders:admin`,
        [...configured, 'orders:read'],
      ],
      ['names others', 'orders:admin', []],
      ['is a list', ['orders:read', 'orders:admin'], ['orders:read']],
    ])('keeps at most what was granted when a refresh %s', async (_what, scope, expected) => {
      answer([...configured, 'orders:read'].join(' '))
      const backend = await create(kind, { additionalScopes: ['orders:read'] })
      const request = await signInAt(backend, { scopes: [...configured, 'orders:read'] })
      answer(scope)
      expect(await scopesOf(backend, request)).toEqual(expected)
      expect(idp.requests.at(-1)?.form.get('grant_type')).toBe('refresh_token')
    })
  })

  it.each([
    ['a text', 'a  b'],
    ['a list', ['a', 'b']],
  ])('takes additional scopes as %s', (_what, additionalScopes) => {
    expect(idp.oidc({ additionalScopes }).additionalScopes).toEqual(['a', 'b'])
    const { github } = presets
    const client = { clientId: 'id', redirectUri: 'https://auth.example/api/v1/auth/callback' }
    expect(github({ ...client, additionalScopes }).additionalScopes).toEqual(['a', 'b'])
    expect(github(client).additionalScopes).toEqual([])
  })

  it('refuses additional scopes that are no scope tokens', () => {
    expect(() => idp.oidc({ additionalScopes: ['a"b'] })).toThrow(/additionalScopes must hold/)
  })
}
