import { randomBytes } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { toAuthnRequest } from '../request.js'
import { createPool } from '../../prisma/pool.js'
import { createKvOAuthBackend } from './backend.js'
import { presetNames, providerFromPreset, providers } from './presets.js'
import type { OAuthProvider, OAuthProviderOptions } from './provider.js'
import {
  type ScriptedProvider,
  signInAt,
  startScriptedProvider,
} from './testing/scripted-provider.js'

const LOGGED_OUT = 'http://localhost:8094/api/v1/auth/logged-out'

describe('the sign-out at the provider', () => {
  let database: TestDatabase
  let pool: PostgresPool
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
    ...{ clientId: 'client', clientSecret: 'secret' },
    redirectUri: 'http://localhost:8094/api/v1/auth/callback',
    endSessionEndpoint: `${provider.issuer}/logout`,
  })
  const openId = () => ({ ...client(), issuer: provider.issuer })
  const plain = () => ({
    ...client(),
    authorizationEndpoint: `${provider.issuer}/authorize`,
    tokenEndpoint: `${provider.issuer}/token`,
    userInfoEndpoint: `${provider.issuer}/userinfo`,
  })
  /** The parameters of OpenID Connect RP-Initiated Logout 1.0 section 2. */
  const STANDARD = {
    id_token_hint: expect.stringMatching(/^ey/) as string,
    post_logout_redirect_uri: LOGGED_OUT,
    state: expect.stringMatching(/^[\w-]{43}$/) as string,
  }
  /** The parameters of each preset; `undefined` without an id_token, so no sign-out at the provider. */
  const OF_PRESETS: Record<string, Record<string, string> | undefined> = {
    ...{ google: STANDARD, gitlab: STANDARD, slack: STANDARD, auth0: STANDARD, okta: STANDARD },
    ...{ 'azure-ad': STANDARD, logto: STANDARD, clerk: STANDARD },
    'aws-cognito': { logout_uri: LOGGED_OUT },
    ...{ github: undefined, discord: undefined, spotify: undefined, facebook: undefined },
    twitter: undefined,
  }

  /** The query of the request to the end_session_endpoint; `undefined` when there is none. */
  async function sentBy(oauthProvider: OAuthProvider): Promise<object | undefined> {
    const key = randomBytes(32).toString('base64url')
    const backend = await createKvOAuthBackend({
      ...{ pool, key, allowInsecureRequests: true, provider: oauthProvider },
    })
    try {
      const request = await signInAt(backend)
      const { logoutUrl, setCookies } = await backend.sessions.signOut(request, {
        everywhere: false,
      })
      if (logoutUrl === undefined) return undefined
      const cookie = setCookies.map((one) => one.split(';', 1)[0]).join('; ')
      const { redirectUrl } = await backend.interactive.startLogout(
        toAuthnRequest({ headers: { cookie } }),
        new URL(logoutUrl).searchParams.get('ticket') ?? '',
      )
      const { origin, pathname, searchParams } = new URL(redirectUrl)
      expect(origin + pathname).toBe(`${provider.issuer}/logout`)
      return Object.fromEntries(searchParams)
    } finally {
      await backend.close()
    }
  }

  it.each(presetNames)('sends the parameters of the preset %s', async (name) => {
    provider.userInfo = () => ({ json: { sub: 'ada', id: 'ada', data: { id: 'ada' } } })
    const expected = OF_PRESETS[name]
    const options = expected ? openId() : plain()
    expect(name in OF_PRESETS).toBe(true)
    expect(await sentBy(providerFromPreset(name, options))).toEqual(
      expected && { client_id: 'client', ...expected },
    )
  })

  it.each<[string, Partial<OAuthProviderOptions>, object]>([
    ['any OpenID provider', {}, STANDARD],
    [
      'a provider with parameters of its own',
      { signOutParams: { back: '{return_uri}?s={state}', a: 'b' } },
      { back: expect.stringMatching(/logged-out\?s=[\w-]{43}$/) as string, a: 'b' },
    ],
    [
      'a preset with other parameters',
      { signOutParams: { returnTo: '{return_uri}' } },
      { returnTo: LOGGED_OUT },
    ],
  ])('sends the parameters of %s', async (name, options, expected) => {
    const made = name.includes('preset')
      ? providers.auth0({ ...openId(), ...options })
      : provider.oidc({ ...openId(), ...options })
    expect(await sentBy(made)).toEqual({ client_id: 'client', ...expected })
  })
})
