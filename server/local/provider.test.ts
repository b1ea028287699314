import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import * as client from 'openid-client'
import { CookieJar } from 'tough-cookie'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { completeLogin, completeLogout } from '../e2e/support/oidc-login.js'
import { type LocalProvider, type LocalProviderOptions, startLocalProvider } from './provider.js'

const CALLBACK = 'http://localhost:8094/api/v1/auth/callback'
const LOGGED_OUT = 'http://localhost:8094/api/v1/auth/logged-out'
const OPTIONS: LocalProviderOptions = {
  clientId: 'netscript',
  clientSecret: 'a secret/+~',
  redirectUris: [CALLBACK],
  postLogoutRedirectUris: [LOGGED_OUT],
}

const discover = (issuer: string): Promise<client.Configuration> =>
  client.discovery(
    new URL(issuer),
    OPTIONS.clientId,
    undefined,
    client.ClientSecretBasic(OPTIONS.clientSecret),
    { execute: [client.allowInsecureRequests] },
  )

interface Flow {
  url: URL
  checks: client.AuthorizationCodeGrantChecks & { pkceCodeVerifier: string }
}

async function startFlow(
  configuration: client.Configuration,
  parameters: Record<string, string> = {},
): Promise<Flow> {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const checks = {
    pkceCodeVerifier,
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  }
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: CALLBACK,
    scope: 'openid profile email',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...parameters,
  })
  return { url, checks }
}

async function signIn(
  configuration: client.Configuration,
  login = 'ada',
  cookieJar = new CookieJar(),
): Promise<client.TokenEndpointResponse & client.TokenEndpointResponseHelpers> {
  const { url, checks } = await startFlow(configuration)
  const callback = await completeLogin(url, { login, cookieJar })
  return client.authorizationCodeGrant(configuration, new URL(callback), checks)
}

describe('the local provider', () => {
  let provider: LocalProvider
  let configuration: client.Configuration
  // The library speaks when it is loaded, when it is set up, and when a default is used.
  const outputs = (['log', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name))
  beforeAll(async () => {
    provider = await startLocalProvider(OPTIONS)
    configuration = await discover(provider.issuer)
  })
  afterAll(async () => {
    vi.restoreAllMocks()
    await provider.stop()
  })

  it('signs a demo account in', async () => {
    const tokens = await signIn(configuration)
    expect(tokens.claims()).toMatchObject({
      iss: provider.issuer,
      sub: 'ada',
      name: 'Ada Lovelace',
      email: 'ada@example.test',
      email_verified: true,
      locale: 'en-GB',
      picture: `${provider.issuer}/pictures/ada.svg`,
    })
    const info = await client.fetchUserInfo(configuration, tokens.access_token, 'ada')
    expect(info).toMatchObject({ name: 'Ada Lovelace', email: 'ada@example.test' })
    const picture = await fetch(info.picture ?? '')
    expect(picture.headers.get('content-type')).toContain('image/svg+xml')
    expect(await picture.text()).toContain('AL')
  })

  it('has a user without an e-mail address', async () => {
    const claims = (await signIn(configuration, 'katherine')).claims()
    expect(claims).toMatchObject({ sub: 'katherine', name: 'Katherine Johnson' })
    expect(claims).not.toHaveProperty('email')
    expect(claims).not.toHaveProperty('email_verified')
  })

  it('names itself in the response (RFC 9207)', async () => {
    const { url } = await startFlow(configuration)
    const callback = new URL(await completeLogin(url, { login: 'grace' }))
    expect(callback.searchParams.get('iss')).toBe(provider.issuer)
  })

  it.each(['at the account list', 'at the consent'])('lets users decline %s', async (where) => {
    const { url, checks } = await startFlow(configuration)
    const login = where === 'at the consent' ? { login: 'ada' } : {}
    const callback = new URL(await completeLogin(url, { ...login, deny: true }))
    await expect(
      client.authorizationCodeGrant(configuration, callback, checks),
    ).rejects.toMatchObject({ error: 'access_denied' })
  })

  it('insists on PKCE', async () => {
    const { url } = await startFlow(configuration)
    url.searchParams.delete('code_challenge')
    url.searchParams.delete('code_challenge_method')
    const callback = new URL(await completeLogin(url, { login: 'ada' }))
    expect(callback.searchParams.get('error')).toBe('invalid_request')
  })

  it('renews tokens without being asked for offline_access', async () => {
    const { refresh_token: refreshToken = '' } = await signIn(configuration)
    const renewed = await client.refreshTokenGrant(configuration, refreshToken)
    await client.fetchUserInfo(configuration, renewed.access_token, 'ada')
  })

  it('revokes a refresh token and what was issued with it', async () => {
    const { access_token: accessToken, refresh_token: refreshToken = '' } =
      await signIn(configuration)
    await client.tokenRevocation(configuration, refreshToken)
    await expect(client.refreshTokenGrant(configuration, refreshToken)).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    await expect(client.fetchUserInfo(configuration, accessToken, 'ada')).rejects.toThrow()
  })

  it('signs out at the request of the client and leads back to it', async () => {
    const cookieJar = new CookieJar()
    const tokens = await signIn(configuration, 'ada', cookieJar)
    const back = await completeLogout(
      client.buildEndSessionUrl(configuration, {
        id_token_hint: tokens.id_token ?? '',
        post_logout_redirect_uri: LOGGED_OUT,
        state: 'log-out-state',
      }),
      { cookieJar },
    )
    expect(back).toBe(`${LOGGED_OUT}?state=log-out-state`)
    const silent = await startFlow(configuration, { prompt: 'none' })
    const callback = new URL(await completeLogin(silent.url, { cookieJar }))
    expect(callback.searchParams.get('error')).toBe('login_required')
  })

  it('remembers the user in the same browser and lets them switch accounts', async () => {
    const cookieJar = new CookieJar()
    await signIn(configuration, 'ada', cookieJar)
    const { url, checks } = await startFlow(configuration, { prompt: 'consent' })
    const page = await follow(url, cookieJar)
    expect(page).toContain('Ada Lovelace')
    const link = /<a href="([^"]+)">Use another account/.exec(page)?.[1]?.replaceAll('&amp;', '&')
    const callback = await completeLogin(link ?? '', { login: 'grace', cookieJar })
    const tokens = await client.authorizationCodeGrant(configuration, new URL(callback), checks)
    expect(tokens.claims()?.sub).toBe('grace')
  })

  it('puts a hinted account first', async () => {
    const { url } = await startFlow(configuration, { login_hint: 'grace@example.test' })
    const page = await follow(url, new CookieJar())
    expect(page.indexOf('Grace')).toBeLessThan(page.indexOf('Ada'))
  })

  it('shows the step that is due when an earlier form comes again', async () => {
    const cookieJar = new CookieJar()
    const { url } = await startFlow(configuration)
    const page = await follow(url, cookieJar)
    const action = new URL(/action="([^"]+)"/.exec(page)?.[1] ?? '', provider.issuer)
    const again = await follow(action, cookieJar, new URLSearchParams({ decision: 'allow' }))
    expect(again).toContain('Choose an account')
  })

  it('says so when an interaction is unknown', async () => {
    const response = await fetch(`${provider.issuer}/interaction/unknown`)
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('This sign-in has expired')
  })

  it('explains a refused redirect URI on a page, escaped', async () => {
    const { url } = await startFlow(configuration, { redirect_uri: 'http://localhost:1/<b>"' })
    const response = await fetch(url, { headers: { accept: 'text/html' } })
    const text = await response.text()
    expect(response.status).toBe(400)
    expect(text).toContain('redirect_uri')
    expect(text).not.toContain('<b>')
  })

  it('loads nothing from elsewhere and runs no script', async () => {
    const { url } = await startFlow(configuration)
    const response = await fetch(new URL('/', url))
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    const page = await follow(url, new CookieJar())
    expect(page).not.toMatch(/<script|<style|\sstyle=|(?:src|href)="(?:https?:)?\/\//)
  })

  it('answers to its own name only', async () => {
    const { port } = new URL(provider.issuer)
    const answer = await rawRequest(Number(port), 'attacker.example')
    expect(answer).toMatch(/^HTTP\/1.1 421 /)
  })

  it('has printed nothing, not even in a whole sign-in', async () => {
    await signIn(configuration)
    for (const output of outputs) expect(output).not.toHaveBeenCalled()
  })
})

describe('starting and stopping it', () => {
  const running: LocalProvider[] = []
  const start = async (options: Partial<LocalProviderOptions> = {}): Promise<LocalProvider> => {
    const provider = await startLocalProvider({ ...OPTIONS, ...options })
    running.push(provider)
    return provider
  }
  afterEach(async () => {
    await Promise.all(running.splice(0).map((provider) => provider.stop()))
  })

  it('cuts kept-alive connections and can start again on the same port, having forgotten', async () => {
    const cookieJar = new CookieJar()
    const first = await start()
    const tokens = await signIn(await discover(first.issuer), 'ada', cookieJar)
    await first.stop()
    await expect(fetch(first.issuer)).rejects.toThrow()

    const second = await start({ port: Number(new URL(first.issuer).port) })
    expect(second.issuer).toBe(first.issuer)
    const configuration = await discover(second.issuer)
    await expect(
      client.refreshTokenGrant(configuration, tokens.refresh_token ?? ''),
    ).rejects.toMatchObject({ error: 'invalid_grant' })
    const silent = await startFlow(configuration, { prompt: 'none' })
    const callback = new URL(await completeLogin(silent.url, { cookieJar }))
    expect(callback.searchParams.get('error')).toBe('login_required')

    const logout = client.buildEndSessionUrl(configuration, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: LOGGED_OUT,
      state: 'old',
    })
    expect(await completeLogout(logout, { cookieJar })).toBe(`${LOGGED_OUT}?state=old`)
  })

  it('names the variable when the port is taken', async () => {
    const { issuer } = await start()
    const port = Number(new URL(issuer).port)
    await expect(start({ port })).rejects.toThrow(/NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT/)
  })

  it('takes accounts, an access token lifetime and changes of the configuration', async () => {
    const { issuer } = await start({
      accounts: [{ id: 'x"><b>', name: '<i>Mallory</i>', claims: { locale: 'de' } }],
      accessTokenTtlSeconds: 61,
      configure: (given) => ({
        ...given,
        features: { ...given.features, revocation: { enabled: false } },
      }),
    })
    const configuration = await discover(issuer)
    expect(configuration.serverMetadata()).not.toHaveProperty('revocation_endpoint')
    const { url } = await startFlow(configuration)
    expect(await follow(url, new CookieJar())).not.toMatch(/<i>|<b>/)
    const tokens = await signIn(configuration, 'x"><b>')
    expect(tokens.expires_in).toBe(61)
    expect(tokens.claims()).toMatchObject({ sub: 'x"><b>', locale: 'de' })
  })

  it('announces a sign-out on the back channel', async () => {
    let announced = ''
    const service = createServer((req, res) => {
      req.setEncoding('utf8').on('data', (chunk: string) => (announced += chunk))
      req.on('end', () => res.end())
    })
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = service.address() as AddressInfo
      const { issuer } = await start({ backchannelLogoutUri: `http://127.0.0.1:${port}/logout` })
      const cookieJar = new CookieJar()
      const configuration = await discover(issuer)
      const tokens = await signIn(configuration, 'ada', cookieJar)
      await completeLogout(
        client.buildEndSessionUrl(configuration, { post_logout_redirect_uri: LOGGED_OUT }),
        { cookieJar },
      )
      const token = new URLSearchParams(announced).get('logout_token') ?? ''
      const payload: unknown = JSON.parse(
        Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(),
      )
      expect(payload).toMatchObject({ iss: issuer, sub: 'ada', sid: tokens.claims()?.sid })
    } finally {
      service.closeAllConnections()
      service.close()
    }
  })
})

/** Follows redirects to the page they end at. */
async function follow(url: URL, jar: CookieJar, form?: URLSearchParams): Promise<string> {
  const response = await fetch(url, {
    redirect: 'manual',
    headers: { cookie: await jar.getCookieString(url.href) },
    ...(form && { method: 'POST', body: form }),
  })
  for (const cookie of response.headers.getSetCookie()) await jar.setCookie(cookie, url.href)
  const location = response.headers.get('location')
  return location === null ? response.text() : follow(new URL(location, url), jar)
}

function rawRequest(port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    connect(port, '127.0.0.1')
      .setEncoding('utf8')
      .on('data', (chunk) => (answer += String(chunk)))
      .on('close', () => resolve(answer))
      .on('error', reject)
      .write(`GET /.well-known/openid-configuration HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  })
}
