import * as client from 'openid-client'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type OAuth2Provider,
  type OAuth2ProviderOptions,
  startOAuth2Provider,
} from './oauth2-provider.js'

const CALLBACK = 'http://127.0.0.1:8094/api/v1/auth/callback'
const OPTIONS = { clientId: 'app', clientSecret: 's e+c', redirectUris: [CALLBACK] }

const running: OAuth2Provider[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.stop()))
})

async function start(
  options: Partial<OAuth2ProviderOptions> = {},
): Promise<{ provider: OAuth2Provider; configuration: client.Configuration }> {
  const provider = await startOAuth2Provider({ ...OPTIONS, ...options })
  running.push(provider)
  const configuration = new client.Configuration(
    {
      issuer: new URL(provider.authorizationEndpoint).origin,
      authorization_endpoint: provider.authorizationEndpoint,
      token_endpoint: provider.tokenEndpoint,
      revocation_endpoint: provider.revocationEndpoint,
    },
    OPTIONS.clientId,
    undefined,
    client.ClientSecretBasic(OPTIONS.clientSecret),
  )
  client.allowInsecureRequests(configuration)
  return { provider, configuration }
}

/** Follows the redirects up to the callback; returns every address on the way. */
async function authorize(url: URL): Promise<URL[]> {
  if (url.href.startsWith(CALLBACK)) return [url]
  const response = await fetch(url, { redirect: 'manual' })
  const next = new URL(response.headers.get('location') ?? '', url)
  return [url, ...(await authorize(next))]
}

async function authorizationUrl(
  configuration: client.Configuration,
): Promise<{ url: URL; pkceCodeVerifier: string }> {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: CALLBACK,
    scope: 'read:user',
    state: 'the-state',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  })
  return { url, pkceCodeVerifier }
}

interface SignedIn {
  tokens: client.TokenEndpointResponse
  callback: URL
  pkceCodeVerifier: string
}

async function signIn(configuration: client.Configuration): Promise<SignedIn> {
  const { url, pkceCodeVerifier } = await authorizationUrl(configuration)
  const callback = (await authorize(url)).at(-1) ?? url
  const checks = { pkceCodeVerifier, expectedState: 'the-state' }
  const tokens = await client.authorizationCodeGrant(configuration, callback, checks)
  return { tokens, callback, pkceCodeVerifier }
}

const readUser = (url: string, accessToken: string): Promise<Response> =>
  fetch(url, { headers: { authorization: `Bearer ${accessToken}` } })

describe('the plain OAuth 2.0 provider', () => {
  it('signs the chosen user in, without an id_token', async () => {
    const { provider, configuration } = await start()
    const profile = { id: 7, login: 'lin', name: null, email: null, avatar_url: null }
    provider.signInAs(profile)
    const { tokens } = await signIn(configuration)
    expect(tokens.id_token).toBeUndefined()
    const user = await readUser(provider.userInfoEndpoint, tokens.access_token)
    expect(await user.json()).toEqual(profile)
  })

  it('takes a code once, and only with its verifier', async () => {
    const { configuration } = await start()
    const { callback, pkceCodeVerifier } = await signIn(configuration)
    const checks = { pkceCodeVerifier, expectedState: 'the-state' }
    await expect(
      client.authorizationCodeGrant(configuration, callback, checks),
    ).rejects.toMatchObject({ error: 'invalid_grant' })
    const other = await authorizationUrl(configuration)
    const fresh = (await authorize(other.url)).at(-1) ?? other.url
    await expect(client.authorizationCodeGrant(configuration, fresh, checks)).rejects.toMatchObject(
      { error: 'invalid_grant' },
    )
  })

  it('refuses a request without PKCE, and an unknown redirect URI without a redirect', async () => {
    const { configuration } = await start()
    const { url } = await authorizationUrl(configuration)
    url.searchParams.set('code_challenge_method', 'plain')
    const callback = (await authorize(url)).at(-1)
    expect(callback?.searchParams.get('error')).toBe('invalid_request')
    url.searchParams.set('redirect_uri', 'http://127.0.0.1:1/')
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(400)
  })

  it('knows its client', async () => {
    const { provider } = await start()
    const body = new URLSearchParams({ client_id: 'app', client_secret: 'wrong' })
    expect((await fetch(provider.tokenEndpoint, { method: 'POST', body })).status).toBe(401)
  })

  it('revokes', async () => {
    const { provider, configuration } = await start()
    const { access_token: accessToken } = (await signIn(configuration)).tokens
    await client.tokenRevocation(configuration, accessToken)
    expect(provider.revokedTokens).toEqual([accessToken])
    expect((await readUser(provider.userInfoEndpoint, accessToken)).status).toBe(401)
  })

  it('renews when it issues refresh tokens, each of which works once', async () => {
    const { configuration } = await start({ expiresIn: 30 })
    const { refresh_token: refreshToken = '' } = (await signIn(configuration)).tokens
    await client.refreshTokenGrant(configuration, refreshToken)
    await expect(client.refreshTokenGrant(configuration, refreshToken)).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })

  it('goes over another origin when asked to', async () => {
    const { configuration } = await start({ extraHop: true })
    const { url } = await authorizationUrl(configuration)
    const origins = (await authorize(url)).map(({ origin }) => origin)
    expect(new Set(origins).size).toBe(3)
    expect(origins).toHaveLength(4)
  })

  it('answers errors with 200 when asked to', async () => {
    const { provider } = await start({ errorsAs200: true })
    const body = new URLSearchParams({
      client_id: 'app',
      client_secret: OPTIONS.clientSecret,
      grant_type: 'authorization_code',
      code: 'unknown',
    })
    const response = await fetch(provider.tokenEndpoint, { method: 'POST', body })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ error: 'invalid_grant' })
  })
})
