import { randomBytes } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { silentMetrics } from './metrics.js'
import { toAuthnRequest } from '../request.js'
import { createPool } from '../../prisma/pool.js'
import { createKvOAuthBackend, type KvOAuthBackend } from './backend.js'
import {
  type ScriptedProvider,
  signInAt,
  startScriptedProvider,
} from './testing/scripted-provider.js'

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
