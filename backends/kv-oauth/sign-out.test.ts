import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { toAuthnRequest } from '../request.js'
import { createPool } from '../storage/pool.js'
import { createKvOAuthBackend } from './backend.js'
import { providers } from './presets.js'
import {
  type ScriptedProvider,
  signInAt,
  startScriptedProvider,
} from './testing/scripted-provider.js'

const LOGGED_OUT = 'http://localhost:8094/api/v1/auth/logged-out'

describe('the sign-out at the provider', () => {
  let database: TestDatabase
  let pool: pg.Pool
  let provider: ScriptedProvider
  beforeAll(async () => {
    database = await createTestDatabase()
    pool = createPool(database.url)
    provider = await startScriptedProvider()
  })
  afterAll(async () => {
    await provider.close()
    await pool.end()
    await database.drop()
  })

  const client = () => ({
    ...{ clientId: 'client', clientSecret: 'secret', issuer: provider.issuer },
    redirectUri: 'http://localhost:8094/api/v1/auth/callback',
    endSessionEndpoint: `${provider.issuer}/logout`,
  })
  const CASES = {
    'OpenID Connect': [() => provider.oidc(client()), ['id_token_hint', 'state']],
    okta: [() => providers.okta(client()), ['id_token_hint', 'state']],
    'aws-cognito': [() => providers.awsCognito(client()), []],
    'parameters of its own': [
      () =>
        provider.oidc({ ...client(), signOutParams: { back: '{return_uri}?s={state}', a: 'b' } }),
      [],
    ],
  } as const
  const EXPECTED: Record<keyof typeof CASES, Record<string, string>> = {
    'OpenID Connect': { post_logout_redirect_uri: LOGGED_OUT },
    okta: { post_logout_redirect_uri: LOGGED_OUT },
    'aws-cognito': { logout_uri: LOGGED_OUT },
    'parameters of its own': {
      back: expect.stringMatching(/logged-out\?s=[\w-]{43}$/) as string,
      a: 'b',
    },
  }

  it.each(Object.keys(CASES) as (keyof typeof CASES)[])('sends what %s takes', async (name) => {
    const [make, secrets] = CASES[name]
    const key = randomBytes(32).toString('base64url')
    const backend = await createKvOAuthBackend({
      ...{ pool, key, allowInsecureRequests: true, provider: make() },
    })
    const request = await signInAt(backend)
    const { logoutUrl = '', setCookies } = await backend.sessions.signOut(request, {
      everywhere: false,
    })
    const cookie = setCookies.map((one) => one.split(';', 1)[0]).join('; ')
    const { redirectUrl } = await backend.interactive.startLogout(
      toAuthnRequest({ headers: { cookie } }),
      new URL(logoutUrl).searchParams.get('ticket') ?? '',
    )
    const sent = Object.fromEntries(new URL(redirectUrl).searchParams)
    expect(sent).toEqual({
      client_id: 'client',
      ...EXPECTED[name],
      ...Object.fromEntries(secrets.map((secret) => [secret, expect.any(String) as string])),
    })
    await backend.close()
  })
})
