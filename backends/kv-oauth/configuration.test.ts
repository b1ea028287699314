import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as client from 'openid-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AuthConfigurationError, AuthError } from '../errors.js'
import { getClientConfiguration } from './configuration.js'
import { providers } from './presets.js'
import type { OAuthProvider, OAuthProviderOptions } from './provider.js'
import { defineOAuthProvider } from './define-provider.js'
import { providerKeys } from './logout-token.js'
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

/** The error of a rejected promise, checked to contain nothing internal. */
async function providerFailure(promise: Promise<unknown>): Promise<AuthError> {
  const error: unknown = await promise.then(
    () => expect.unreachable('it was accepted'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(AuthError)
  expect(error).toMatchObject({ code: 'AUTH_PROVIDER_ERROR', data: { providerId: 'test' } })
  return error as AuthError
}

/** The cause in the log, which the caller does not see. */
async function misconfigured(promise: Promise<unknown>): Promise<string> {
  const { cause, detail } = await providerFailure(promise)
  expect(cause).toBeInstanceOf(AuthConfigurationError)
  expect(detail).toBe(
    'Sign-in with this provider is not set up correctly. Tell the operator; trying again does not help.',
  )
  return (cause as Error).message
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

  it('is discovered once, for concurrent and later calls', async () => {
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

  it('is discovered again after an hour', async () => {
    const provider = oidc(server.issuer)
    const first = await getClientConfiguration(provider, insecure)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61 * 60_000 })
    const second = await getClientConfiguration(provider, insecure)
    expect(second).not.toBe(first)
    expect(await getClientConfiguration(provider, insecure)).toBe(second)
    expect(server.discoveries()).toBe(2)
  })

  it('keeps its cached metadata while it is down, and is retried after a minute', async () => {
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

  it('is discovered again for stricter options', async () => {
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

  it('reports the setting to change when http is not allowed', async () => {
    const strict = { allowInsecureRequests: false }
    const error = await misconfigured(getClientConfiguration(oidc(server.issuer), strict))
    expect(error).toContain('the issuer uses http')
    expect(error).toContain('NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS')
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

  it('without code_challenge_methods_supported is accepted', async () => {
    answer = (issuer) => ({ json: metadata(issuer) })
    expect((await discover(server.origin)).serverMetadata().issuer).toBe(server.origin)
  })

  it.each([[['plain']], [[]], ['S256']])(
    'with only the PKCE methods %j is rejected',
    async (methods) => {
      answer = (issuer) => ({
        json: metadata(issuer, { code_challenge_methods_supported: methods }),
      })
      expect(await misconfigured(discover(server.origin))).toMatch(
        /does not support PKCE with S256/,
      )
    },
  )

  it.each(['https://other.example', 'ISSUER/x', 'ISSUER\u0000', ' ISSUER'])(
    'of the issuer %j is rejected',
    async (found) => {
      answer = (issuer) => ({ json: metadata(found.replace('ISSUER', issuer)) })
      const error = await misconfigured(discover(server.origin))
      expect(error).toContain(`but the issuer configured is ${server.origin}. Set issuer (`)
    },
  )

  it('may have an issuer with or without a trailing slash if it has no path', async () => {
    answer = (issuer) => ({ json: metadata(issuer) })
    expect((await discover(`${server.origin}/`)).serverMetadata().issuer).toBe(server.origin)
    answer = (issuer) => ({ json: metadata(`${issuer}/`) })
    expect((await discover(server.origin)).serverMetadata().issuer).toBe(`${server.origin}/`)
  })

  it('is fetched again after a failure', async () => {
    const provider = oidc(server.origin)
    answer = () => ({ status: 500, text: 'stack trace at secret.ts' })
    const error = await providerFailure(getClientConfiguration(provider, insecure))
    expect(error.detail).toBe('The provider cannot be reached. Try again in a moment.')
    expect(error.cause).toMatchObject({
      cause: {
        message: `GET ${server.origin}/.well-known/openid-configuration was answered with 500.`,
      },
    })
    answer = (issuer) => ({ json: metadata(issuer) })
    await getClientConfiguration(provider, insecure)
    expect(server.requests).toHaveLength(2)
  })

  it('over 1 MiB is rejected', async () => {
    answer = (issuer) => ({ json: metadata(issuer, { padding: 'x'.repeat(1024 * 1024) }) })
    await providerFailure(discover(server.origin))
  })

  describe('behind a redirect', () => {
    const path = '/.well-known/openid-configuration'
    /** Redirects `from` to `to`, and responds to everything else with the metadata. */
    async function redirecting(redirects: Record<string, string>, status = 301) {
      await server.close()
      server = await startJsonServer(({ path }) => {
        const location = redirects[path]?.replace('ORIGIN', server.origin)
        return location === undefined
          ? { json: metadata(server.origin) }
          : { status, headers: { location } }
      })
      return discover(server.origin)
    }

    it.each([301, 302, 303, 307, 308])(
      'is read when a %i redirects to the URL with a trailing slash',
      async (status) => {
        const configuration = await redirecting({ [path]: `${path}/` }, status)
        expect(configuration.serverMetadata().issuer).toBe(server.origin)
        expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
          `GET ${path}`,
          `GET ${path}/`,
        ])
      },
    )

    it('is read after three redirects, relative or absolute, but not after four', async () => {
      const three = { [path]: '/1', '/1': 'ORIGIN/2', '/2': './3' }
      expect((await redirecting(three)).serverMetadata().issuer).toBe(server.origin)
      const error = await misconfigured(redirecting({ ...three, '/3': '/4' }))
      expect(error).toContain(`${server.origin}${path} redirects more than 3 times. Set issuer`)
      expect(server.requests).toHaveLength(4)
    })

    it('in a loop is rejected immediately', async () => {
      expect(await misconfigured(redirecting({ [path]: path }))).toContain('redirects in a circle')
      expect(server.requests).toHaveLength(1)
      await misconfigured(redirecting({ [path]: '/1', '/1': path }))
      expect(server.requests).toHaveLength(2)
    })

    it.each([
      'http://localhost:PORT',
      'https://127.0.0.1:PORT',
      'http://127.0.0.1:1',
      '//x.example',
    ])('to another origin is not followed, and is logged: %s', async (origin) => {
      const target = `${origin.replace('PORT', new URL(server.origin).port)}${path}`
      const error = await misconfigured(redirecting({ [path]: `${target}?secret` }))
      expect(error).toContain(`redirects to ${new URL(target, 'http://x').href}, which is another`)
      expect(error).toContain('discoveryUrl (NETSCRIPT_AUTH_DISCOVERY_URL)')
      expect(error).not.toContain('secret')
      expect(server.requests).toHaveLength(1)
    })

    it.each([undefined, '', 'http://'])('to nowhere is an error: Location %j', async (location) => {
      answer = () => ({ status: 302, ...(location !== undefined && { headers: { location } }) })
      await providerFailure(discover(server.origin))
    })
  })

  describe('at a discoveryUrl', () => {
    const issuer = 'https://tenant.example/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0/'
    const at = (path: string) => oidc(issuer, { discoveryUrl: server.origin + path })

    it.each([
      '/tenant/b2c_1_signin/v2.0/.well-known/openid-configuration',
      '/tenant/.well-known/openid-configuration?p=b2c_1_signin',
      '/metadata.json',
    ])('is read there: %s', async (path) => {
      answer = () => ({ json: metadata(issuer) })
      const configuration = await getClientConfiguration(at(path), insecure)
      expect(configuration.serverMetadata().issuer).toBe(issuer)
      const [request] = server.requests
      const query = [...(request?.query ?? [])].map(([name, value]) => `?${name}=${value}`).join()
      expect(`${request?.path}${query}`).toBe(path)
    })

    it.each(['https://tenant.example/other/v2.0/', 'https://evil.example'])(
      'of the issuer %s is rejected',
      async (found) => {
        answer = () => ({ json: metadata(found) })
        const error = await misconfigured(getClientConfiguration(at('/m'), insecure))
        expect(error).toContain(`names the issuer "${found}", but the issuer configured is`)
      },
    )

    it('is rejected over http when http is not allowed', async () => {
      const strict = { allowInsecureRequests: false }
      const error = await misconfigured(getClientConfiguration(at('/m'), strict))
      expect(error).toContain('the discoveryUrl uses http')
      expect(server.requests).toEqual([])
    })
  })

  it.each<[string, object, RegExp]>([
    [
      'requires pushed authorization requests',
      { require_pushed_authorization_requests: true },
      /requires pushed authorization requests \(PAR, RFC 9126\).*\. Turn the requirement off/,
    ],
    ...['authorization_endpoint', 'token_endpoint', 'jwks_uri'].map(
      (name): [string, object, RegExp] => [
        `has no ${name}`,
        { [name]: undefined },
        new RegExp(`names no ${name} in its metadata\\. Set issuer`),
      ],
    ),
    [
      'signs id_tokens with the client secret',
      { id_token_signing_alg_values_supported: ['HS256'] },
      /signs id_tokens by HS256 only \(id_token_signing_alg_values_supported\)/,
    ],
    [
      'has no authorization codes',
      { response_types_supported: ['id_token'] },
      /answers with id_token only \(response_types_supported\)/,
    ],
    [
      'answers by form alone',
      { response_modes_supported: ['form_post'] },
      /returns answers by form_post only \(response_modes_supported\)/,
    ],
    [
      'has the implicit grant alone',
      { grant_types_supported: ['implicit'] },
      /grants implicit only \(grant_types_supported\)/,
    ],
    [
      'requires signed request objects',
      { require_signed_request_object: true },
      /requires signed request objects \(JAR, RFC 9101\)/,
    ],
    [
      'authenticates clients by key only',
      { token_endpoint_auth_methods_supported: ['private_key_jwt', 'tls_client_auth'] },
      /authenticates clients by private_key_jwt, tls_client_auth only .*NETSCRIPT_AUTH_CLIENT_AUTH_METHOD/,
    ],
  ])(
    'of a provider that %s is rejected, with the reason in the log',
    async (_what, more, message) => {
      answer = (issuer) => ({ json: metadata(issuer, more) })
      expect(await misconfigured(discover(server.origin))).toMatch(message)
    },
  )

  it.each([
    { require_pushed_authorization_requests: false },
    { require_pushed_authorization_requests: 'true' },
    { token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_post'] },
    { id_token_encryption_alg_values_supported: ['RSA-OAEP'] },
  ])('with unsupported optional values is accepted: %j', async (more) => {
    answer = (issuer) => ({ json: metadata(issuer, more) })
    expect((await discover(server.origin)).serverMetadata().issuer).toBe(server.origin)
  })

  it('is fetched with a timeout', async () => {
    answer = () => new Promise(() => {})
    const error = await providerFailure(
      getClientConfiguration(oidc(server.origin), { ...insecure, timeoutSeconds: 0.05 }),
    )
    expect(error.cause).toMatchObject({ code: 'OAUTH_TIMEOUT' })
  }, 5_000)

  it('with an http endpoint is rejected when http is not allowed', async () => {
    const issuer = 'https://idp.example'
    const fetch = () =>
      Promise.resolve(Response.json(metadata(issuer, { jwks_uri: 'http://idp.example/jwks' })))
    const error = await misconfigured(
      getClientConfiguration(oidc(issuer), { allowInsecureRequests: false, fetch }),
    )
    expect(error).toContain('the jwks_uri uses http')
  })
})

describe('Microsoft Entra ID for any tenant', () => {
  const app = { id: 'test', clientId: 'client', clientSecret: 'secret', redirectUri }
  const tid = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
  const issuerOf = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`

  /** A fake of Entra ID: templated metadata, keys, and one token. */
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

  it('rejects a token signed by another key', async () => {
    const fetch = await entra(issuerOf('{tenantid}'), { tid, iss: issuerOf(tid) }, true)
    await expect(grant('common', fetch)).rejects.toMatchObject({ name: 'ClientError' })
  })

  it('rejects a token whose issuer does not match its tenant', async () => {
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
  ])('%s rejects metadata of %s', async (tenantId, found) => {
    await providerFailure(grant(tenantId, await entra(found, { tid, iss: issuerOf(tid) })))
  })
})

describe('client authentication', () => {
  let server: JsonServer
  let listed: unknown
  beforeEach(async () => {
    server = await startJsonServer(({ path }) => {
      if (path === '/token') return { status: 400, json: { error: 'invalid_grant' } }
      const { origin } = server
      return {
        json: {
          issuer: origin,
          authorization_endpoint: `${origin}/authorize`,
          token_endpoint: `${origin}/token`,
          jwks_uri: `${origin}/jwks`,
          token_endpoint_auth_methods_supported: listed,
        },
      }
    })
  })
  afterEach(() => server.close())

  /** The authentication method of a code exchange. */
  async function methodUsed(provider: OAuthProvider): Promise<string> {
    const configuration = await getClientConfiguration(provider, insecure)
    await expect(
      client.genericGrantRequest(configuration, 'authorization_code', { code: 'c' }),
    ).rejects.toMatchObject({ error: 'invalid_grant' })
    const { headers, form } = server.requests.find(({ path }) => path === '/token')!
    if (headers.authorization?.startsWith('Basic ')) return 'client_secret_basic'
    return form.has('client_secret') ? 'client_secret_post' : 'none'
  }
  const secret = { clientSecret: 'secret' }
  const auth0 = ({ issuer = '', ...options }: Partial<OAuthProviderOptions>) =>
    providers.auth0({ ...options, issuer, clientId: 'client', redirectUri })
  type Define = (options: Partial<OAuthProviderOptions>) => OAuthProvider
  const own: Define = (options) =>
    oidc(options.issuer ?? '', { clientSecret: undefined, ...options })

  it.each<[string, unknown, Define, Partial<OAuthProviderOptions>, string]>([
    ['nothing listed', undefined, own, secret, 'client_secret_basic'],
    ['an empty list', [], own, secret, 'client_secret_basic'],
    ['post alone', ['client_secret_post'], own, secret, 'client_secret_post'],
    ['post alone, as text', 'client_secret_post', own, secret, 'client_secret_post'],
    ['basic alone', ['client_secret_basic'], own, secret, 'client_secret_basic'],
    [
      'both, post first',
      ['client_secret_post', 'client_secret_basic'],
      own,
      secret,
      'client_secret_basic',
    ],
    [
      'post beside what is not supported',
      ['private_key_jwt', 'client_secret_post'],
      own,
      secret,
      'client_secret_post',
    ],
    ['public clients alone', ['none'], own, secret, 'client_secret_post'],
    ['post alone, without a secret', ['client_secret_post'], own, {}, 'none'],
    [
      'post alone, and basic configured',
      ['client_secret_post'],
      own,
      { ...secret, clientAuthMethod: 'client_secret_basic' },
      'client_secret_basic',
    ],
    [
      'only private keys, and post configured',
      ['private_key_jwt'],
      own,
      { ...secret, clientAuthMethod: 'client_secret_post' },
      'client_secret_post',
    ],
    [
      'both, and a preset that prefers post',
      ['client_secret_basic', 'client_secret_post'],
      auth0,
      secret,
      'client_secret_post',
    ],
    [
      'basic alone, and a preset that prefers post',
      ['client_secret_basic'],
      auth0,
      secret,
      'client_secret_basic',
    ],
    ['nothing, and a preset that prefers post', undefined, auth0, secret, 'client_secret_post'],
  ])('with %s uses the right method', async (_what, methods, define, options, expected) => {
    listed = methods
    expect(await methodUsed(define({ issuer: server.origin, ...options }))).toBe(expected)
  })
})

describe('a client that is refused', () => {
  let server: JsonServer
  let answer: JsonServerAnswer
  beforeEach(async () => {
    server = await startJsonServer(({ path }) => {
      const { origin } = server
      return path === '/token'
        ? answer
        : {
            json: {
              issuer: origin,
              authorization_endpoint: `${origin}/authorize`,
              token_endpoint: `${origin}/token`,
              jwks_uri: `${origin}/jwks`,
            },
          }
    })
  })
  afterEach(() => server.close())

  async function refused(options: Partial<OAuthProviderOptions>) {
    const warn = vi.fn()
    const log = { info: vi.fn(), warn, error: vi.fn() }
    const configuration = await getClientConfiguration(oidc(server.origin, options), {
      ...insecure,
      log,
    })
    const error: unknown = await client
      .refreshTokenGrant(configuration, 'refresh')
      .catch((reason: unknown) => reason)
    return { error, said: warn.mock.calls as [object, string][] }
  }
  const basic = { 'www-authenticate': 'Basic realm="idp"' }
  const answers: [string, JsonServerAnswer][] = [
    ['invalid_client', { status: 401, json: { error: 'invalid_client' } }],
    ['a challenge', { status: 401, headers: basic, json: { error: 'invalid_client' } }],
    ['invalid_client with status 400', { status: 400, json: { error: 'invalid_client' } }],
    ['invalid_client with status 200', { json: { error: 'invalid_client' } }],
    ['unauthorized_client', { status: 400, json: { error: 'unauthorized_client' } }],
    ['nothing but 401', { status: 401, text: '' }],
  ]

  it.each(answers)(
    'by %s, with a secret that Basic percent-encodes, gets a hint in the log',
    async (_, is) => {
      answer = is
      for (const options of [{ clientSecret: 'a+b/c=' }, { clientId: 'https://app.example' }]) {
        const { said } = await refused(options)
        expect(said).toEqual([
          [
            {
              event: 'provider.client-refused',
              provider: 'test',
              clientAuthMethod: 'client_secret_basic',
            },
            expect.stringMatching(/percent-encodes.*clientAuthMethod .* to client_secret_post\.$/),
          ],
        ])
        expect(JSON.stringify(said)).not.toMatch(/a\+b|app\.example/)
      }
    },
  )

  it('is not told to use client_secret_post if percent-encoding does not change its secret', async () => {
    answer = { status: 401, json: { error: 'invalid_client' } }
    for (const options of [
      { clientSecret: 'plain-._~' },
      { clientSecret: 'a+b/c=', clientAuthMethod: 'client_secret_post' as const },
      { clientSecret: undefined },
    ]) {
      const { said } = await refused(options)
      expect(said).toHaveLength(1)
      expect(said[0]?.[1]).toMatch(/^The provider refused the client, which authenticated by /)
    }
  })

  it('is distinguished from a rejected grant', async () => {
    answer = { status: 400, json: { error: 'invalid_grant' } }
    expect((await refused({ clientSecret: 'a+b/c=' })).said).toEqual([])
  })

  it('keeps the error code of the provider beside a challenge', async () => {
    answer = { status: 401, headers: basic, json: { error: 'invalid_client' } }
    expect((await refused({})).error).toMatchObject({ error: 'invalid_client', status: 401 })
  })
})

describe('a redirect', () => {
  let server: JsonServer
  beforeEach(async () => {
    server = await startJsonServer(({ path }) => {
      const { origin } = server
      return path === '/.well-known/openid-configuration'
        ? {
            json: {
              issuer: origin,
              authorization_endpoint: `${origin}/authorize`,
              token_endpoint: `${origin}/token`,
              userinfo_endpoint: `${origin}/userinfo`,
              revocation_endpoint: `${origin}/revoke`,
              jwks_uri: `${origin}/jwks`,
            },
          }
        : { status: 308, headers: { location: `${path}/?code=secret` } }
    })
  })
  afterEach(() => server.close())

  it.each<[string, (configuration: client.Configuration) => Promise<unknown>]>([
    ['/token', (configuration) => client.refreshTokenGrant(configuration, 'refresh')],
    ['/userinfo', (configuration) => client.fetchUserInfo(configuration, 'at', 'ada')],
    ['/revoke', (configuration) => client.tokenRevocation(configuration, 'at')],
    [
      '/jwks',
      async (configuration) =>
        (await providerKeys(oidc(server.origin), configuration))(
          { alg: 'RS256' },
          { payload: '', signature: '' },
        ),
    ],
  ])('of %s is not followed, and is logged', async (path, ask) => {
    const configuration = await getClientConfiguration(oidc(server.origin), insecure)
    const error: unknown = await ask(configuration).catch((reason: unknown) => reason)
    expect(server.requests.map((request) => request.path)).toEqual([
      '/.well-known/openid-configuration',
      path,
    ])
    const messages: string[] = []
    for (let cause = error; cause instanceof Error; cause = cause.cause)
      messages.push(cause.message)
    expect(messages.join('\n')).toContain(
      `${server.origin}${path} redirects to ${server.origin}${path}/, which is followed for metadata only.`,
    )
    expect(messages.join('\n')).not.toContain('secret')
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

  it('receives the secret of GitHub in the body', async () => {
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

  it('receives the secret of X in a header that is valid decoded or not', async () => {
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

  it('receives the id of a public client', async () => {
    await exchange(providers.twitter({ ...app, clientSecret: undefined, ...endpoints() }))
    expect(server.requests[0]?.form.get('client_id')).toBe(app.clientId)
    expect(server.requests[0]?.headers.authorization).toBeUndefined()
  })

  it('receives the redirect URI with its query', async () => {
    const withQuery = `${redirectUri}?provider=github`
    await exchange(providers.github({ ...app, ...endpoints(), redirectUri: withQuery }))
    expect(server.requests[0]?.form.get('redirect_uri')).toBe(withQuery)
  })

  it.each([
    ['bad_verification_code', 'invalid_grant'],
    ['incorrect_client_credentials', 'incorrect_client_credentials'],
  ])('may respond %s with status 200', async (said, understood) => {
    answer = { json: { error: said, error_description: 'The code is incorrect or expired.' } }
    const promise = exchange(providers.github({ ...app, ...endpoints() }))
    await expect(promise).rejects.toBeInstanceOf(client.ResponseBodyError)
    await expect(promise).rejects.toMatchObject({ error: understood, status: 400 })
  })

  it('may send an unverifiable id_token, which is dropped', async () => {
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
