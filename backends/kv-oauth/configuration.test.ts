import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as client from 'openid-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AuthError } from '../errors.js'
import { getClientConfiguration } from './configuration.js'
import { providers } from './presets.js'
import { defineOAuthProvider, type OAuthProviderOptions } from './provider.js'
import { type JsonServer, type JsonServerAnswer, startJsonServer } from './testing/json-server.js'
import { type OidcServer, startOidcServer } from './testing/oidc-server.js'

const redirectUri = 'http://localhost:8094/api/v1/auth/callback'
const insecure = { allowInsecureRequests: true }

function oidc(issuer: string, more: Partial<OAuthProviderOptions> = {}) {
  return defineOAuthProvider({
    id: 'test',
    clientId: 'client',
    clientSecret: 'secret',
    issuer,
    redirectUri,
    ...more,
  })
}

/** The error of a rejected promise, held to what a caller may see. */
async function providerFailure(promise: Promise<unknown>): Promise<AuthError> {
  const error: unknown = await promise.then(
    () => expect.unreachable('it was accepted'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(AuthError)
  expect(error).toMatchObject({ code: 'AUTH_PROVIDER_ERROR', data: { providerId: 'test' } })
  return error as AuthError
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a real OpenID provider', () => {
  let server: OidcServer
  beforeEach(async () => {
    server = await startOidcServer({ redirectUri, claimsInIdToken: true })
  })
  afterEach(() => server.close())

  it('is discovered once, by concurrent and by later calls', async () => {
    const provider = oidc(server.issuer)
    const [first, second] = await Promise.all([
      getClientConfiguration(provider, insecure),
      getClientConfiguration(provider, { ...insecure }),
    ])
    expect(await getClientConfiguration(provider, insecure)).toBe(first)
    expect(second).toBe(first)
    expect(server.discoveries()).toBe(1)
    expect(first.serverMetadata()).toMatchObject({
      issuer: server.issuer,
      token_endpoint: `${server.issuer}/token`,
      jwks_uri: `${server.issuer}/jwks`,
    })
  })

  it('is asked again after an hour', async () => {
    const provider = oidc(server.issuer)
    const first = await getClientConfiguration(provider, insecure)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61 * 60_000 })
    const second = await getClientConfiguration(provider, insecure)
    expect(second).not.toBe(first)
    expect(await getClientConfiguration(provider, insecure)).toBe(second)
    expect(server.discoveries()).toBe(2)
  })

  it('serves on from old metadata when it is down, and is left alone for a minute', async () => {
    const provider = oidc(server.issuer)
    const first = await getClientConfiguration(provider, insecure)
    const failing = vi.fn<typeof fetch>(() => Promise.reject(new Error('down')))
    vi.stubGlobal('fetch', failing)
    try {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61 * 60_000 })
      expect(await getClientConfiguration(provider, insecure)).toBe(first)
    } finally {
      vi.unstubAllGlobals()
    }
    expect(await getClientConfiguration(provider, insecure)).toBe(first)
    vi.setSystemTime(Date.now() + 61_000)
    expect(await getClientConfiguration(provider, insecure)).not.toBe(first)
  })

  it('is not reused for stricter options', async () => {
    const provider = oidc(server.issuer)
    await getClientConfiguration(provider, insecure)
    await providerFailure(getClientConfiguration(provider, { allowInsecureRequests: false }))
  })

  it('is overridden by explicit endpoints', async () => {
    const provider = oidc(server.issuer, {
      tokenEndpoint: 'http://localhost:1/token',
      endSessionEndpoint: 'http://localhost:1/logout',
    })
    const configuration = await getClientConfiguration(provider, insecure)
    expect(configuration.serverMetadata()).toMatchObject({
      authorization_endpoint: `${server.issuer}/auth`,
      token_endpoint: 'http://localhost:1/token',
      end_session_endpoint: 'http://localhost:1/logout',
    })
    expect(client.buildEndSessionUrl(configuration).href).toMatch(/^http:\/\/localhost:1\/logout/)
  })

  it('names the switch when http is not allowed', async () => {
    const strict = { allowInsecureRequests: false }
    const error = await providerFailure(getClientConfiguration(oidc(server.issuer), strict))
    expect(error.detail).toContain('issuer of the provider uses http')
    expect(error.detail).toContain('NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS')
    expect(server.discoveries()).toBe(0)
  })
})

describe('metadata', () => {
  let server: JsonServer
  let answer: (issuer: string) => JsonServerAnswer | Promise<JsonServerAnswer>
  beforeEach(async () => {
    server = await startJsonServer(() => answer(server.origin))
  })
  afterEach(() => server.close())

  const metadata = (issuer: string, more: object = {}) => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    ...more,
  })
  const discover = (issuer: string) => getClientConfiguration(oidc(issuer), insecure)

  it('that says nothing of PKCE is accepted', async () => {
    answer = (issuer) => ({ json: metadata(issuer) })
    expect((await discover(server.origin)).serverMetadata().issuer).toBe(server.origin)
  })

  it.each([[['plain']], [[]], ['S256']])('that offers PKCE %j only is refused', async (methods) => {
    answer = (issuer) => ({ json: metadata(issuer, { code_challenge_methods_supported: methods }) })
    const error = await providerFailure(discover(server.origin))
    expect(error.detail).toBe('The provider does not support PKCE with S256.')
  })

  it.each(['https://other.example', 'ISSUER/x', 'ISSUER\u0000', ' ISSUER'])(
    'of the issuer %j is refused',
    async (found) => {
      answer = (issuer) => ({ json: metadata(found.replace('ISSUER', issuer)) })
      const error = await providerFailure(discover(server.origin))
      expect(error.detail).toContain('another issuer than the one configured')
    },
  )

  it('may end the issuer in a slash, or not, where there is no path', async () => {
    answer = (issuer) => ({ json: metadata(issuer) })
    expect((await discover(`${server.origin}/`)).serverMetadata().issuer).toBe(server.origin)
    answer = (issuer) => ({ json: metadata(`${issuer}/`) })
    expect((await discover(server.origin)).serverMetadata().issuer).toBe(`${server.origin}/`)
  })

  it('is asked for again after a failure', async () => {
    const provider = oidc(server.origin)
    answer = () => ({ status: 500, text: 'stack trace at secret.ts' })
    const error = await providerFailure(getClientConfiguration(provider, insecure))
    expect(error.detail).toBe(
      'The metadata of the provider could not be read. Try again in a moment.',
    )
    expect(error.cause).toBeInstanceOf(Error)
    answer = (issuer) => ({ json: metadata(issuer) })
    await getClientConfiguration(provider, insecure)
    expect(server.requests).toHaveLength(2)
  })

  it('over 1 MiB is refused', async () => {
    answer = (issuer) => ({ json: metadata(issuer, { padding: 'x'.repeat(1024 * 1024) }) })
    await providerFailure(discover(server.origin))
  })

  it('is not looked for behind a redirect', async () => {
    answer = () => ({ status: 302, headers: { location: '/elsewhere' } })
    await providerFailure(discover(server.origin))
    expect(server.requests).toHaveLength(1)
  })

  it('is not waited for without end', async () => {
    answer = () => new Promise(() => {})
    const error = await providerFailure(
      getClientConfiguration(oidc(server.origin), { ...insecure, timeoutSeconds: 0.05 }),
    )
    expect(error.cause).toMatchObject({ code: 'OAUTH_TIMEOUT' })
  }, 5_000)

  it('with an http endpoint is refused when http is not allowed', async () => {
    const issuer = 'https://idp.example'
    const fetch = () =>
      Promise.resolve(Response.json(metadata(issuer, { jwks_uri: 'http://idp.example/jwks' })))
    const error = await providerFailure(
      getClientConfiguration(oidc(issuer), { allowInsecureRequests: false, fetch }),
    )
    expect(error.detail).toContain('jwks_uri of the provider uses http')
  })
})

describe('Microsoft Entra ID for any tenant', () => {
  const app = { id: 'test', clientId: 'client', clientSecret: 'secret', redirectUri }
  const tid = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
  const issuerOf = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`

  /** Entra as far as a client sees it: templated metadata, keys, and one token. */
  async function entra(
    found: string,
    claims: { tid: string; iss: string },
    forged = false,
  ): Promise<typeof fetch> {
    const { privateKey, publicKey } = await generateKeyPair('RS256')
    const signingKey = forged ? (await generateKeyPair('RS256')).privateKey : privateKey
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }
    const idToken = await new SignJWT({ ...claims, nonce: 'nonce' })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .setSubject('ada')
      .setAudience('client')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(signingKey)
    return (input) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input)
      if (pathname.endsWith('/openid-configuration')) {
        const base = 'https://login.microsoftonline.com/common'
        return Promise.resolve(
          Response.json({
            issuer: found,
            authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
            token_endpoint: `${base}/oauth2/v2.0/token`,
            jwks_uri: `${base}/discovery/v2.0/keys`,
          }),
        )
      }
      return Promise.resolve(
        Response.json(
          pathname.endsWith('/keys')
            ? { keys: [jwk] }
            : { access_token: 'at', token_type: 'Bearer', expires_in: 60, id_token: idToken },
        ),
      )
    }
  }

  async function grant(tenantId: string, fetch: typeof globalThis.fetch) {
    const provider = providers.azureAd({ ...app, tenantId })
    const configuration = await getClientConfiguration(provider, {
      allowInsecureRequests: false,
      fetch,
    })
    const tokens = await client.authorizationCodeGrant(
      configuration,
      new URL(`${redirectUri}?code=c&state=s`),
      { expectedState: 's', expectedNonce: 'nonce', pkceCodeVerifier: 'v'.repeat(43) },
    )
    return tokens.claims()
  }

  it.each([
    ['common', issuerOf('{tenantid}')],
    ['organizations', issuerOf('{tenantid}')],
    ['consumers', issuerOf(tid)],
    ['contoso.example', issuerOf(tid)],
    [tid, issuerOf(tid)],
  ])('%s verifies the token of its tenant', async (tenantId, found) => {
    const claims = await grant(tenantId, await entra(found, { tid, iss: issuerOf(tid) }))
    expect(claims).toMatchObject({ sub: 'ada', iss: issuerOf(tid) })
  })

  it('refuses a token that another key has signed', async () => {
    const fetch = await entra(issuerOf('{tenantid}'), { tid, iss: issuerOf(tid) }, true)
    await expect(grant('common', fetch)).rejects.toMatchObject({ name: 'ClientError' })
  })

  it('refuses a token whose issuer is not that of its tenant', async () => {
    const other = '9188040d-6c67-4c5b-b112-36a304b66dad'
    const fetch = await entra(issuerOf('{tenantid}'), { tid, iss: issuerOf(other) })
    await expect(grant('common', fetch)).rejects.toMatchObject({
      code: 'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
    })
  })

  it.each([
    ['common', 'https://login.microsoftonline.net/{tenantid}/v2.0'],
    ['common', 'https://login.microsoftonline.com/x/v2.0'],
    [tid, issuerOf('9188040d-6c67-4c5b-b112-36a304b66dad')],
    [tid, issuerOf('{tenantid}')],
  ])('%s refuses metadata of %s', async (tenantId, found) => {
    await providerFailure(grant(tenantId, await entra(found, { tid, iss: issuerOf(tid) })))
  })
})

describe('the token endpoint of a plain OAuth 2.0 provider', () => {
  let server: JsonServer
  let answer: JsonServerAnswer
  beforeEach(async () => {
    answer = { json: { access_token: 'at', token_type: 'bearer', scope: '' } }
    server = await startJsonServer(() => answer)
  })
  afterEach(() => server.close())

  const app = { clientId: 'id-_.~+:', clientSecret: 's-_.~ +%:é!', redirectUri }
  const endpoints = () => ({
    tokenEndpoint: `${server.origin}/token`,
    userInfoEndpoint: `${server.origin}/user`,
  })
  const exchange = async (provider: Parameters<typeof getClientConfiguration>[0]) => {
    const url = new URL(provider.redirectUri)
    url.searchParams.set('code', 'c')
    url.searchParams.set('state', 's')
    return client.authorizationCodeGrant(await getClientConfiguration(provider, insecure), url, {
      expectedState: 's',
      pkceCodeVerifier: 'v'.repeat(43),
    })
  }

  it('gets the secret of GitHub in the body', async () => {
    await exchange(providers.github({ ...app, ...endpoints() }))
    const [request] = server.requests
    expect(request?.headers.authorization).toBeUndefined()
    expect(request?.headers.accept).toBe('application/json')
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      client_id: app.clientId,
      client_secret: app.clientSecret,
      grant_type: 'authorization_code',
      code: 'c',
      code_verifier: 'v'.repeat(43),
      redirect_uri: redirectUri,
    })
  })

  it('gets the secret of X in a header that need not be decoded, but can be', async () => {
    await exchange(providers.twitter({ ...app, ...endpoints() }))
    const [request] = server.requests
    const header = Buffer.from(request?.headers.authorization?.slice(6) ?? '', 'base64').toString()
    expect(header).toBe('id-_.~%2B%3A:s-_.~+%2B%25%3A%C3%A9%21')
    expect(header.split(':').map((part) => new URLSearchParams(`x=${part}`).get('x'))).toEqual([
      app.clientId,
      app.clientSecret,
    ])
    expect(request?.form.has('client_secret')).toBe(false)
  })

  it('gets the id of a public client', async () => {
    await exchange(providers.twitter({ ...app, clientSecret: undefined, ...endpoints() }))
    expect(server.requests[0]?.form.get('client_id')).toBe(app.clientId)
    expect(server.requests[0]?.headers.authorization).toBeUndefined()
  })

  it('gets the redirect URI with its query', async () => {
    const withQuery = `${redirectUri}?provider=github`
    await exchange(providers.github({ ...app, ...endpoints(), redirectUri: withQuery }))
    expect(server.requests[0]?.form.get('redirect_uri')).toBe(withQuery)
  })

  it.each([
    ['bad_verification_code', 'invalid_grant'],
    ['incorrect_client_credentials', 'incorrect_client_credentials'],
  ])('may say %s with status 200', async (said, understood) => {
    answer = { json: { error: said, error_description: 'The code is incorrect or expired.' } }
    const promise = exchange(providers.github({ ...app, ...endpoints() }))
    await expect(promise).rejects.toBeInstanceOf(client.ResponseBodyError)
    await expect(promise).rejects.toMatchObject({ error: understood, status: 400 })
  })

  it('may send an id_token that nobody can verify, which is taken out', async () => {
    answer = { json: { access_token: 'at', token_type: 'Bearer', id_token: 'e30.e30.' } }
    const provider = defineOAuthProvider({
      ...app,
      ...endpoints(),
      id: 'my-idp',
      authorizationEndpoint: `${server.origin}/authorize`,
    })
    const tokens = await exchange(provider)
    expect(tokens.id_token).toBeUndefined()
    expect(tokens.claims()).toBeUndefined()
  })

  it('has the revocation endpoint of the preset', async () => {
    const configuration = await getClientConfiguration(providers.discord(app), insecure)
    expect(configuration.serverMetadata().revocation_endpoint).toBe(
      'https://discord.com/api/oauth2/token/revoke',
    )
  })
})
