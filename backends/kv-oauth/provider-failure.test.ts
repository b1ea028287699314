import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AuthError, providerError } from '../errors.js'
import { failureOf } from './provider-failure.js'
import type { OAuthProviderOptions } from './provider.js'
import type { JsonServerAnswer } from './testing/json-server.js'
import { type Kind, scriptedScene } from './testing/scripted-scene.js'
import {
  type ScriptedProvider,
  signInAt,
  startScriptedProvider,
} from './testing/scripted-provider.js'
import { randomBytes } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { silentMetrics } from './telemetry.js'
import { toAuthnRequest } from '../request.js'
import { createPool } from '../../prisma/pool.js'
import { createKvOAuthBackend, type KvOAuthBackend } from './backend.js'

type Script = (idp: ScriptedProvider) => void
type Fields = Record<string, unknown>

const claims =
  (given: Fields): Script =>
  (idp) =>
    void Object.assign(idp.claims, given)
const answer =
  (given: JsonServerAnswer): Script =>
  (idp) => {
    idp.token = () => given
  }
const withIdToken =
  (change: (idToken: string) => unknown): Script =>
  (idp) => {
    idp.token = (response) => ({
      json: { ...response, id_token: change(String(response.id_token)) },
    })
  }
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const withHeader = (header: object): Script =>
  withIdToken((token) => [encoded(header), ...token.split('.').slice(1)].join('.'))

const NOW = Math.floor(Date.now() / 1000)

/** A faulty response, the cause in the log, and further fields of the log line. */
const AT_THE_TOKEN_ENDPOINT: [what: string, script: Script, cause: string, fields?: Fields][] = [
  ['leaves the nonce out', claims({ nonce: undefined }), 'id-token-nonce-missing'],
  ['sends another nonce', claims({ nonce: 'other' }), 'id-token-nonce'],
  ['leaves the subject out', claims({ sub: undefined }), 'id-token-sub-missing'],
  ['leaves the expiry out', claims({ exp: undefined }), 'id-token-exp-missing'],
  ['names another audience', claims({ aud: 'other' }), 'id-token-aud'],
  ['names another issuer', claims({ iss: 'https://other.example' }), 'id-token-iss'],
  ['names another party', claims({ azp: 'other' }), 'id-token-azp'],
  ['names two audiences', claims({ aud: ['client', 'b'], azp: 'b' }), 'id-token-azp'],
  ['sends an expired id_token', claims({ exp: NOW - 600 }), 'id-token-exp'],
  ['sends an id_token that is not valid yet', claims({ nbf: NOW + 600 }), 'id-token-nbf'],
  ['sends an id_token of the future', claims({ iat: NOW + 600 }), 'id-token-iat'],
  ['sends a number as the subject', claims({ sub: 7 }), 'id-token-malformed'],
  ['sends an empty subject', claims({ sub: '' }), 'subject-unusable'],
  ['encrypts the id_token', withIdToken(() => 'a.b.c.d.e'), 'id-token-encrypted'],
  ['sends no id_token', withIdToken(() => undefined), 'id-token-missing'],
  ['sends an id_token that is no JWT', withIdToken(() => 'text'), 'id-token-malformed'],
  ['sends an id_token with a broken header', withIdToken(() => 'a.b.c'), 'id-token-malformed'],
  ['does not sign the id_token', withHeader({ alg: 'none' }), 'id-token-algorithm'],
  ['signs the id_token by another algorithm', withHeader({ alg: 'HS256' }), 'id-token-algorithm'],
  [
    'signs with a key that it does not publish',
    withHeader({ alg: 'RS256', kid: 'other' }),
    'id-token-key',
  ],
  [
    'changes the id_token after signing it',
    withHeader({ alg: 'RS256', kid: 'key', typ: 'JWT' }),
    'id-token-signature',
  ],
  [
    'does not serve its keys',
    (idp) => {
      idp.jwks = () => ({ status: 500, json: {} })
    },
    'unexpected-status',
    { providerStatus: 500 },
  ],
  [
    'serves invalid keys',
    (idp) => {
      idp.jwks = () => ({ json: {} })
    },
    'keys-malformed',
  ],
  [
    'does not accept the secret',
    answer({ status: 401, json: { error: 'invalid_client', error_description: 'Bad secret' } }),
    'client-refused',
    {
      providerStatus: 401,
      providerError: 'invalid_client',
      providerErrorDescription: 'Bad secret',
    },
  ],
  [
    'does not accept the secret (400)',
    answer({ status: 400, json: { error: 'unauthorized_client' } }),
    'client-refused',
    { providerStatus: 400, providerError: 'unauthorized_client' },
  ],
  [
    'does not accept the secret (200)',
    answer({ json: { error: 'incorrect_client_credentials' } }),
    'client-refused',
    { providerError: 'incorrect_client_credentials' },
  ],
  [
    'does not accept the secret and says no more',
    answer({ status: 401, text: '' }),
    'client-refused',
    { providerStatus: 401, providerError: undefined },
  ],
  [
    'does not know the code',
    answer({ status: 400, json: { error: 'invalid_grant' } }),
    'provider-error',
    { providerStatus: 400, providerError: 'invalid_grant' },
  ],
  [
    'refuses and says no more',
    answer({ status: 400, text: '' }),
    'unexpected-status',
    { providerStatus: 400, providerError: undefined },
  ],
  [
    'fails with an error code',
    answer({
      status: 500,
      json: { error: 'server_error', error_description: 'No database\u0007 today' },
    }),
    'provider-error',
    {
      providerStatus: 500,
      providerError: 'server_error',
      providerErrorDescription: 'No database today',
    },
  ],
  [
    'is overloaded and challenges',
    answer({
      status: 503,
      headers: { 'www-authenticate': 'Basic realm="x"' },
      json: { error: 'temporarily_unavailable' },
    }),
    'provider-error',
    { providerStatus: 503, providerError: 'temporarily_unavailable' },
  ],
  [
    'fails with a page',
    answer({ status: 502, headers: { 'content-type': 'text/html' }, text: '<h1>Bad gateway' }),
    'unexpected-status',
    { providerStatus: 502, providerError: undefined },
  ],
  [
    'answers with a page',
    answer({ headers: { 'content-type': 'text/html' }, text: '<h1>Sign in' }),
    'not-json',
  ],
  ['answers with broken JSON', answer({ text: '{"access_token"' }), 'not-json'],
  ['sends no access token', answer({ json: {} }), 'token-response-malformed'],
  [
    'sends an odd token type',
    answer({ json: { access_token: 'a', token_type: 'mac' } }),
    'token-response-malformed',
  ],
  [
    'redirects the token request',
    answer({ status: 307, headers: { location: '/elsewhere' }, text: '' }),
    'redirected',
  ],
  [
    'returns another user in the user info',
    (idp) => {
      idp.claims = {}
      idp.userInfo = () => ({ json: { sub: 'eve' } })
    },
    'user-info-sub',
  ],
]

describe('the log line of a failed exchange', () => {
  const scene = scriptedScene()
  const failures = () => scene.log.filter(({ event }) => event === 'sign-in.failed')

  async function signInFails(kind: Kind, script: Script): Promise<Fields> {
    const backend = await scene.create(kind)
    script(scene.idp)
    await expect(signInAt(backend)).rejects.toMatchObject({ code: 'AUTH_PROVIDER_ERROR' })
    const [line, ...others] = failures()
    expect(others).toEqual([])
    return line ?? {}
  }

  it.each(AT_THE_TOKEN_ENDPOINT)(
    'of a sign-in has the cause when the provider %s',
    async (_what, script, cause, fields = {}) => {
      const line = await signInFails('oidc', script)
      expect(line).toEqual({ ...line, reason: 'AUTH_PROVIDER_ERROR', cause, ...fields })
    },
  )

  it.each<[string, Script, string, Fields?]>([
    [
      'fails to return the user info',
      (idp) => {
        idp.userInfo = () => ({ status: 500, json: { error: 'server_error' } })
      },
      'unexpected-status',
      { providerStatus: 500 },
    ],
    [
      'does not accept its own access token',
      (idp) => {
        idp.userInfo = () => ({
          status: 401,
          headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
          json: {},
        })
      },
      'unexpected-status',
      { providerStatus: 401 },
    ],
    [
      'returns a user info without an id',
      (idp) => {
        idp.userInfo = () => ({ json: { name: 'Ada' } })
      },
      'subject-unusable',
    ],
    [
      'fails at the token endpoint',
      answer({ status: 500, json: { error: 'server_error' } }),
      'provider-error',
      { providerStatus: 500, providerError: 'server_error' },
    ],
  ])(
    'of a sign-in has the cause when a plain OAuth provider %s',
    async (_what, script, cause, fields = {}) => {
      const line = await signInFails('oauth', script)
      expect(line).toEqual({ ...line, reason: 'AUTH_PROVIDER_ERROR', cause, ...fields })
    },
  )

  it.each<[string, Script, string, Fields?]>([
    [
      'fails with an error code',
      answer({ status: 503, json: { error: 'temporarily_unavailable' } }),
      'provider-error',
      { providerStatus: 503, providerError: 'temporarily_unavailable' },
    ],
    [
      'does not accept the secret',
      answer({ status: 401, json: { error: 'invalid_client' } }),
      'client-refused',
      { providerStatus: 401, providerError: 'invalid_client' },
    ],
    [
      'refuses and says no more',
      answer({ status: 400, text: '' }),
      'unexpected-status',
      { providerStatus: 400, providerError: undefined },
    ],
    ['encrypts the id_token', withIdToken(() => 'a.b.c.d.e'), 'id-token-encrypted'],
    ['names another audience', claims({ aud: 'other' }), 'id-token-aud'],
  ])(
    'of a token refresh has the cause when the provider %s',
    async (_what, script, cause, fields = {}) => {
      const backend = await scene.create('oidc')
      const request = await signInAt(backend)
      script(scene.idp)
      scene.renewalsDue()
      expect(await backend.authenticate(request)).toHaveProperty('session')
      const line = scene.log.find(({ message }) => /renew the tokens/.test(String(message)))
      expect(line).toEqual({ ...line, cause, ...fields })
    },
  )

  const CLOSED = 'http://127.0.0.1:1'
  it.each<[string, Partial<OAuthProviderOptions>]>([
    ['the token endpoint', { tokenEndpoint: `${CLOSED}/token` }],
    ['the metadata', { discoveryUrl: `${CLOSED}/metadata` }],
  ])('of a sign-in has the cause if %s is unreachable', async (_what, options) => {
    const backend = await scene.create('oidc', options)
    await expect(signInAt(backend)).rejects.toMatchObject({ code: 'AUTH_PROVIDER_ERROR' })
    expect(failures()).toMatchObject([
      { provider: 'oidc', reason: 'AUTH_PROVIDER_ERROR', cause: 'unreachable' },
    ])
  })
})

describe('failureOf', () => {
  const fetchFailed = (code: string): Error =>
    new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) })

  it.each([
    ['a refused connection', fetchFailed('ECONNREFUSED'), 'unreachable'],
    ['an unknown name', fetchFailed('ENOTFOUND'), 'unreachable'],
    ['a certificate', fetchFailed('SELF_SIGNED_CERT_IN_CHAIN'), 'certificate'],
    ['a slow network', fetchFailed('ETIMEDOUT'), 'timeout'],
    ['a timeout', Object.assign(new Error('x'), { code: 'OAUTH_TIMEOUT' }), 'timeout'],
    ['anything else', new Error('x'), 'other'],
  ])('recognizes %s', (_what, cause, expected) => {
    expect(failureOf(providerError('oidc', 'It failed.', { cause }))).toEqual({ cause: expected })
  })

  it('returns undefined for failures of this service', () => {
    const cause = fetchFailed('ECONNREFUSED')
    expect(failureOf(new AuthError('STORE_UNAVAILABLE', 'No.', { cause }))).toBeUndefined()
  })
})

describe('the refusal of a provider', () => {
  let database: TestDatabase
  let pool: PostgresPool
  let provider: ScriptedProvider
  let backend: KvOAuthBackend
  let log: Record<string, unknown>[]
  let counted: string[]

  beforeAll(async () => {
    database = await createTestDatabase()
    pool = createPool(database.url)
    provider = await startScriptedProvider()
    const note = (fields: object): void => void log.push({ ...fields })
    backend = await createKvOAuthBackend({
      ...{ pool, key: randomBytes(32).toString('base64url'), allowInsecureRequests: true },
      providers: [
        provider.oidc(),
        provider.oauth({ redirectUri: 'http://localhost:8094/api/v1/auth/callback/oauth' }),
      ],
      log: { info: note, warn: note, error: note },
      metrics: {
        ...silentMetrics,
        providerRefused: (id, error) => void counted.push(`${id} ${error}`),
      },
    })
  })
  beforeEach(() => {
    ;[log, counted] = [[], []]
    provider.reset()
  })
  afterAll(async () => {
    await backend.close()
    await provider.close()
    await pool.end()
    await database.drop()
  })

  /** A callback with these parameters instead of a code. */
  async function comeBack(parameters: Record<string, string>, providerId = 'oidc') {
    const { interactive } = backend
    const started = await interactive.signIn(toAuthnRequest({ headers: {} }), {
      ...{ providerId, returnTo: 'http://localhost:8094/' },
    })
    const target = new URL(started.redirectUrl).searchParams.get('redirect_uri') ?? ''
    const cookie = started.setCookies.map((one) => one.split(';', 1)[0]).join('; ')
    return interactive
      .handleCallback(
        toAuthnRequest({ url: new URL(target).pathname, headers: { cookie } }),
        new URLSearchParams({ state: started.state, ...parameters }),
      )
      .then(
        () => expect.fail('The sign-in was completed.'),
        (error: unknown) => error,
      )
  }
  const failures = () => log.filter(({ event }) => event === 'sign-in.failed')
  const audited = async () => {
    const { rows } = await pool.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM auth_audit_events',
    )
    return rows[0]?.count
  }

  const DECLINED = [
    ['access_denied', 'access_denied'],
    ['user_cancelled_login', 'access_denied'],
    ['user_cancelled_authorize', 'access_denied'],
    ['user_canceled', 'access_denied'],
    ['user_denied', 'access_denied'],
    ['consent_declined', 'access_denied'],
    ['ACCESS_DENIED', 'access_denied'],
    ['Cancelled', 'access_denied'],
    ['user-cancelled', 'access_denied'],
    ['user_rejected', 'access_denied'],
    ['authorization_refused', 'access_denied'],
    ['user_abort', 'access_denied'],
    ['interaction_required', 'interaction_required'],
    ['login_required', 'login_required'],
    ['consent_required', 'consent_required'],
    ['account_selection_required', 'account_selection_required'],
    ['unmet_authentication_requirements', 'other'],
  ] as const
  it.each(DECLINED)('%s at the callback is AUTH_ACCESS_DENIED', async (error, label) => {
    for (const id of ['oidc', 'oauth']) {
      expect(await comeBack({ error }, id)).toMatchObject({ code: 'AUTH_ACCESS_DENIED' })
    }
    const expected = error === 'unmet_authentication_requirements' ? 'access_denied' : label
    expect(counted).toEqual([`oidc ${expected}`, `oauth ${expected}`])
  })

  const OPERATOR = /Trying again does not help/
  const RETRY = /Start it again in a moment/
  it.each([
    ['invalid_scope', OPERATOR, 'invalid_scope'],
    ['invalid_request', OPERATOR, 'invalid_request'],
    ['unauthorized_client', OPERATOR, 'unauthorized_client'],
    ['unsupported_response_type', OPERATOR, 'unsupported_response_type'],
    ['server_error', RETRY, 'server_error'],
    ['temporarily_unavailable', RETRY, 'temporarily_unavailable'],
    ['something_else', RETRY, 'other'],
    ['ACCESS <script>', RETRY, 'other'],
  ])(
    '%s at the callback is a failure whose message says who can fix it',
    async (error, text, label) => {
      const before = await audited()
      const description = 'No such scope:\r\n\u0000 orders'
      const failure = await comeBack({ error, error_description: description })
      expect(failure).toMatchObject({
        code: 'AUTH_PROVIDER_ERROR',
        detail: expect.stringMatching(text) as string,
      })
      expect(counted).toEqual([`oidc ${label}`])
      expect(failures()).toMatchObject([
        { providerError: error, providerErrorDescription: 'No such scope: orders' },
      ])
      expect(await audited()).toBe(before)
    },
  )

  it('is ignored with another issuer, and accepted with the right one', async () => {
    const error = 'access_denied'
    expect(await comeBack({ error, iss: provider.issuer })).toMatchObject({
      code: 'AUTH_ACCESS_DENIED',
    })
    expect(await comeBack({ error, iss: 'https://other.example' })).toMatchObject({
      code: 'AUTH_PROVIDER_ERROR',
    })
  })

  it('does not call the provider', async () => {
    const before = provider.requests.filter(({ path }) => path !== '/').length
    await comeBack({ error: 'access_denied' })
    const asked = provider.requests.slice(before).map(({ path }) => path)
    expect(asked).not.toContain('/token')
  })

  it.each([
    [400, 'invalid_client', OPERATOR, 'invalid_client'],
    [401, 'invalid_client', OPERATOR, 'invalid_client'],
    [400, 'unauthorized_client', OPERATOR, 'unauthorized_client'],
    [400, 'invalid_grant', /Start the sign-in again/, 'invalid_grant'],
    [400, 'temporarily_unavailable', /Start the sign-in again/, 'temporarily_unavailable'],
    [400, 'odd_one', /Start the sign-in again/, 'other'],
  ])(
    '%i %s at the token endpoint is in the log and the metric',
    async (status, error, text, label) => {
      const secret = 'SplxlOBeZQQYbYS6WxSbIA'
      provider.token = () => ({
        status,
        json: { error, error_description: `Wrong\u0007 secret ${secret} ${'x '.repeat(2000)}` },
      })
      for (const providerId of ['oidc', 'oauth']) {
        await expect(signInAt(backend, { providerId })).rejects.toMatchObject({
          code: 'AUTH_PROVIDER_ERROR',
          detail: expect.stringMatching(text) as string,
        })
      }
      expect(counted).toEqual([`oidc ${label}`, `oauth ${label}`])
      for (const line of failures()) {
        expect(line).toMatchObject({ providerError: error })
        expect(line.providerErrorDescription).toMatch(/^Wrong secret … x/)
        expect(String(line.providerErrorDescription).length).toBeLessThanOrEqual(256)
      }
      expect(JSON.stringify(log)).not.toContain(secret)
    },
  )
})
