import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { providersById } from '../../backends/kv-oauth/define-provider.js'
import { inspectConfig, readConfig } from './config.js'

const KEY = randomBytes(32).toString('base64url')
const TUTORIAL = {
  NETSCRIPT_AUTH_BACKEND: 'kv-oauth',
  NETSCRIPT_AUTH_CLIENT_ID: 'your-client-id',
  NETSCRIPT_AUTH_CLIENT_SECRET: 'your-client-secret',
  NETSCRIPT_AUTH_REDIRECT_URI: 'http://localhost:8094/api/v1/auth/callback',
  NETSCRIPT_AUTH_KV_OAUTH_KEY: KEY,
  PORT: '8094',
}
const PRODUCTION = {
  ...TUTORIAL,
  NETSCRIPT_AUTH_REDIRECT_URI: 'https://auth.example/api/v1/auth/callback',
  DATABASE_URL: 'postgres://db/auth',
}

const development = (env: NodeJS.ProcessEnv) => readConfig(env, { production: false })
const production = (env: NodeJS.ProcessEnv) => readConfig(env, { production: true })

describe('readConfig', () => {
  it('does not treat settings of the local provider as a configured provider', () => {
    const { providers } = development({
      NETSCRIPT_AUTH_PROVIDER_ID: 'google',
      NETSCRIPT_AUTH_SCOPES: 'openid',
      NETSCRIPT_AUTH_ADDITIONAL_SCOPES: 'orders:read',
      NETSCRIPT_AUTH_ROLES_CLAIM: 'groups',
    })
    expect(providers).toEqual([])
  })

  it('accepts an idle limit below the default refresh window', () => {
    const { variables } = development({ NETSCRIPT_AUTH_SESSION_IDLE_SECONDS: '60' })
    expect(variables).toMatchObject({ NETSCRIPT_AUTH_SESSION_IDLE_SECONDS: 60 })
    const shorter = development({ NETSCRIPT_AUTH_SESSION_ABSOLUTE_SECONDS: '3600' })
    expect(shorter.variables).toMatchObject({ NETSCRIPT_AUTH_SESSION_IDLE_SECONDS: 3600 })
    expect(variables.NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS).toBeUndefined()
  })

  it('needs nothing in development', () => {
    const config = development({})
    expect(config.providers).toEqual([])
    expect(config.origin).toBe('http://localhost:8094')
    expect(config.host).toBe('127.0.0.1')
    expect(config.docs).toBe(true)
  })

  it('configures Google from the variables of the tutorial', () => {
    const { providers, origin } = development(TUTORIAL)
    expect(providers).toMatchObject([
      { id: 'google', issuer: 'https://accounts.google.com', clientId: 'your-client-id' },
    ])
    expect(origin).toBe('http://localhost:8094')
  })

  it.each([
    ['github', {}, { id: 'github', kind: 'oauth' }],
    ['auth0', { NETSCRIPT_AUTH_ISSUER: 'https://me.auth0.com' }, { id: 'auth0', kind: 'oidc' }],
    [
      undefined,
      { NETSCRIPT_AUTH_ISSUER: 'https://idp.example' },
      { id: 'oidc', issuer: 'https://idp.example' },
    ],
    [
      'my-idp',
      { NETSCRIPT_AUTH_ISSUER: 'https://idp.example', NETSCRIPT_AUTH_SCOPES: 'openid email' },
      { id: 'my-idp', scopes: ['openid', 'email'] },
    ],
    [
      'google',
      { NETSCRIPT_AUTH_ROLES_CLAIM: 'https://example.com/roles' },
      { id: 'google', rolesClaim: 'https://example.com/roles' },
    ],
    [
      'google',
      { NETSCRIPT_AUTH_ADDITIONAL_SCOPES: 'orders:read, orders:list' },
      { id: 'google', additionalScopes: ['orders:read', 'orders:list'] },
    ],
    [
      'my-idp',
      {
        NETSCRIPT_AUTH_AUTHORIZATION_ENDPOINT: 'https://idp.example/authorize',
        NETSCRIPT_AUTH_TOKEN_ENDPOINT: 'https://idp.example/token',
        NETSCRIPT_AUTH_USERINFO_ENDPOINT: 'https://idp.example/me',
      },
      { id: 'my-idp', kind: 'oauth', userInfoEndpoint: 'https://idp.example/me' },
    ],
  ])('configures the provider %s', (id, over, expected) => {
    const env = { ...TUTORIAL, ...over, ...(id && { NETSCRIPT_AUTH_PROVIDER_ID: id }) }
    expect(development(env).providers).toMatchObject([expected])
  })

  const several = (over: NodeJS.ProcessEnv) => ({
    NETSCRIPT_AUTH_PROVIDERS: 'google,github',
    NETSCRIPT_AUTH_GOOGLE_CLIENT_ID: 'g',
    NETSCRIPT_AUTH_GITHUB_CLIENT_ID: 'h',
    NETSCRIPT_AUTH_KV_OAUTH_KEY: TUTORIAL.NETSCRIPT_AUTH_KV_OAUTH_KEY,
    ...over,
  })
  const CALLBACK = 'https://auth.example/api/v1/auth/callback'
  it.each([
    ['derived', [undefined, undefined], [`${CALLBACK}/google`, `${CALLBACK}/github`]],
    [
      'registered with a query',
      [`${CALLBACK}?provider=google`, undefined],
      [`${CALLBACK}?provider=google`, `${CALLBACK}/github`],
    ],
    ['of a single provider once', [CALLBACK, undefined], [CALLBACK, `${CALLBACK}/github`]],
    [
      'registered with another spelling',
      ['HTTPS://Auth.Example:443/api/v1/auth/callback/G', `${CALLBACK}/x?a=b`],
      ['HTTPS://Auth.Example:443/api/v1/auth/callback/G', `${CALLBACK}/x?a=b`],
    ],
  ])('sends redirect URIs as they are set, and derives the others: %s', (_what, own, expected) => {
    const env = several({
      NETSCRIPT_AUTH_REDIRECT_URI: CALLBACK,
      NETSCRIPT_AUTH_GOOGLE_REDIRECT_URI: own[0],
      NETSCRIPT_AUTH_GITHUB_REDIRECT_URI: own[1],
    })
    const { providers } = development(env)
    expect(providers.map(({ redirectUri }) => redirectUri)).toEqual(expected)
    const sent = [...providersById(providers).values()].map(({ redirectUri }) => redirectUri)
    expect(sent).toEqual(expected)
  })

  it('keeps the redirect URI of a list of one provider', () => {
    const env = several({
      NETSCRIPT_AUTH_PROVIDERS: 'google',
      NETSCRIPT_AUTH_REDIRECT_URI: CALLBACK,
    })
    expect(development(env).providers).toMatchObject([{ redirectUri: CALLBACK }])
  })

  it('refuses one redirect URI for two providers, and names both variables', () => {
    const env = several({
      NETSCRIPT_AUTH_GOOGLE_REDIRECT_URI: CALLBACK,
      NETSCRIPT_AUTH_GITHUB_REDIRECT_URI: CALLBACK.replace('auth.example', 'AUTH.example:443'),
    })
    expect(() => development(env)).toThrow(
      /NETSCRIPT_AUTH_GOOGLE_REDIRECT_URI and NETSCRIPT_AUTH_GITHUB_REDIRECT_URI are both .*append \/github/,
    )
  })

  it.each(['/callback', `/api/v1/auth/callback/a/b`, '/api/v1/auth/callback/', '/callback/google'])(
    'refuses a redirect URI whose path is no route: %s',
    (path) => {
      const uri = `https://auth.example${path}`
      const env = several({
        NETSCRIPT_AUTH_GOOGLE_REDIRECT_URI: uri,
        NETSCRIPT_AUTH_REDIRECT_URI: CALLBACK,
      })
      expect(() => development(env)).toThrow(
        /NETSCRIPT_AUTH_GOOGLE_REDIRECT_URI has the path .*\/<id>/,
      )
    },
  )

  it('configures several providers from prefixed variables', () => {
    const { providers } = development({
      NETSCRIPT_AUTH_PROVIDERS: 'google,github',
      NETSCRIPT_AUTH_REDIRECT_URI: TUTORIAL.NETSCRIPT_AUTH_REDIRECT_URI,
      NETSCRIPT_AUTH_KV_OAUTH_KEY: KEY,
      NETSCRIPT_AUTH_GOOGLE_CLIENT_ID: 'a',
      NETSCRIPT_AUTH_GOOGLE_CLIENT_SECRET: 'secret',
      NETSCRIPT_AUTH_GITHUB_CLIENT_ID: 'b',
      NETSCRIPT_AUTH_GITHUB_CLIENT_SECRET: 'secret',
      NETSCRIPT_AUTH_GITHUB_ADDITIONAL_SCOPES: 'repo gist',
      NETSCRIPT_AUTH_GOOGLE_ROLES_CLAIM: 'groups',
    })
    expect(
      providers.map(({ id, clientId, additionalScopes }) => [id, clientId, additionalScopes]),
    ).toEqual([
      ['google', 'a', []],
      ['github', 'b', ['repo', 'gist']],
    ])
    expect(providers.map(({ rolesClaim }) => rolesClaim)).toEqual(['groups', undefined])
  })

  it('reads whether a provider can step up', () => {
    const stepUps = (env: Record<string, string>) =>
      development(several({ NETSCRIPT_AUTH_REDIRECT_URI: CALLBACK, ...env })).providers.map(
        ({ stepUp }) => stepUp,
      )
    expect(stepUps({})).toEqual([false, false])
    expect(stepUps({ NETSCRIPT_AUTH_GOOGLE_STEP_UP: 'true' })).toEqual([true, false])
    expect(() => stepUps({ NETSCRIPT_AUTH_GOOGLE_STEP_UP: 'yes' })).toThrow(
      'NETSCRIPT_AUTH_GOOGLE_STEP_UP must be true or false.',
    )
    expect(() => stepUps({ NETSCRIPT_AUTH_GITHUB_STEP_UP: 'true' })).toThrow(/github.*stepUp/)
    const own = { ...TUTORIAL, NETSCRIPT_AUTH_PROVIDER_ID: 'my-idp' }
    const issuer = { ...own, NETSCRIPT_AUTH_ISSUER: 'https://idp.example' }
    expect(development(issuer).providers[0]?.stepUp).toBe(true)
    const off = { ...issuer, NETSCRIPT_AUTH_STEP_UP: 'false' }
    expect(development(off).providers[0]?.stepUp).toBe(false)
    expect(() => development({ ...issuer, NETSCRIPT_AUTH_STEP_UP: '1' })).toThrow(
      /NETSCRIPT_AUTH_STEP_UP: must be true or false/,
    )
  })

  it('lets the rules of a provider take the place of those for all, list by list', () => {
    const { providers } = development(
      several({
        NETSCRIPT_AUTH_REDIRECT_URI: CALLBACK,
        NETSCRIPT_AUTH_ALLOWED_EMAILS: 'a@b.example, c@d.example',
        NETSCRIPT_AUTH_ALLOWED_EMAIL_DOMAINS: 'example.com',
        NETSCRIPT_AUTH_GITHUB_ALLOWED_EMAIL_DOMAINS: '*',
        NETSCRIPT_AUTH_GITHUB_ALLOWED_ORGANIZATIONS: 'acme',
        NETSCRIPT_AUTH_GOOGLE_ALLOWED_GROUPS: 'Sales, EU team ,dev',
      }),
    )
    const emails = ['a@b.example', 'c@d.example']
    expect(providers.map(({ admission }) => admission)).toEqual([
      { emails, emailDomains: ['example.com'], groups: ['Sales', 'EU team', 'dev'] },
      { emails, emailDomains: ['*'], organizations: ['acme'] },
    ])
  })

  it.each([
    ['workos', 'NETSCRIPT_AUTH_ALLOWED_EMAILS'],
    ['better-auth', 'NETSCRIPT_AUTH_ALLOWED_EMAIL_DOMAINS'],
    ['better-auth', 'NETSCRIPT_AUTH_ALLOWED_GROUPS'],
  ])('refuses for %s the rule %s, which it would not apply', (backend, variable) => {
    expect(() =>
      development({
        NETSCRIPT_AUTH_BACKEND: backend,
        BETTER_AUTH_SECRET: 'x'.repeat(32),
        [variable]: 'example@example.com',
      }),
    ).toThrow(new RegExp(`${variable} is for kv-oauth; ${backend} does not apply it`))
  })

  it('reads the auth method and the discovery URL of one provider and of several', () => {
    const issuer = 'https://tenant.example/8eaef023/v2.0/'
    const discoveryUrl = 'https://tenant.example/x/.well-known/openid-configuration?p=policy'
    const one = development({
      ...TUTORIAL,
      NETSCRIPT_AUTH_ISSUER: issuer,
      NETSCRIPT_AUTH_DISCOVERY_URL: discoveryUrl,
      NETSCRIPT_AUTH_CLIENT_AUTH_METHOD: 'client_secret_post',
    })
    const expected = {
      ...{ issuer, discoveryUrl },
      clientAuthMethod: 'client_secret_post',
      clientAuthMethodIsExplicit: true,
    }
    expect(one.providers).toMatchObject([{ id: 'oidc', ...expected }])
    const several = development({
      NETSCRIPT_AUTH_PROVIDERS: 'azure-ad,my-idp',
      NETSCRIPT_AUTH_REDIRECT_URI: TUTORIAL.NETSCRIPT_AUTH_REDIRECT_URI,
      NETSCRIPT_AUTH_KV_OAUTH_KEY: KEY,
      NETSCRIPT_AUTH_AZURE_AD_CLIENT_ID: 'a',
      NETSCRIPT_AUTH_AZURE_AD_CLIENT_SECRET: 'secret',
      NETSCRIPT_AUTH_AZURE_AD_ISSUER: issuer,
      NETSCRIPT_AUTH_AZURE_AD_DISCOVERY_URL: discoveryUrl,
      NETSCRIPT_AUTH_AZURE_AD_CLIENT_AUTH_METHOD: 'client_secret_post',
      NETSCRIPT_AUTH_MY_IDP_CLIENT_ID: 'b',
      NETSCRIPT_AUTH_MY_IDP_ISSUER: 'https://idp.example',
    })
    expect(several.providers).toMatchObject([
      { id: 'azure-ad', ...expected },
      { id: 'my-idp', clientAuthMethod: 'none' },
    ])
    expect(several.providers[1]).not.toHaveProperty('discoveryUrl')
  })

  it.each<[string, NodeJS.ProcessEnv, RegExp]>([
    [
      'an auth method that does not exist',
      { ...TUTORIAL, NETSCRIPT_AUTH_CLIENT_AUTH_METHOD: 'basic' },
      /NETSCRIPT_AUTH_CLIENT_AUTH_METHOD: must be one of client_secret_basic, client_secret_post, none/,
    ],
    [
      'an auth method that does not exist, for one of several',
      {
        ...TUTORIAL,
        NETSCRIPT_AUTH_PROVIDERS: 'google',
        NETSCRIPT_AUTH_GOOGLE_CLIENT_ID: 'a',
        NETSCRIPT_AUTH_GOOGLE_CLIENT_AUTH_METHOD: 'private_key_jwt',
      },
      /NETSCRIPT_AUTH_GOOGLE_CLIENT_AUTH_METHOD must be one of client_secret_basic, /,
    ],
    [
      'an auth method without its secret',
      {
        ...TUTORIAL,
        NETSCRIPT_AUTH_CLIENT_SECRET: '',
        NETSCRIPT_AUTH_CLIENT_AUTH_METHOD: 'client_secret_post',
      },
      /NETSCRIPT_AUTH_CLIENT_AUTH_METHOD is client_secret_post, but NETSCRIPT_AUTH_CLIENT_SECRET is not set/,
    ],
    [
      'a discovery URL without an issuer',
      { ...TUTORIAL, NETSCRIPT_AUTH_DISCOVERY_URL: 'https://idp.example/metadata' },
      /NETSCRIPT_AUTH_ISSUER is not set/,
    ],
    [
      'a discovery URL that is none',
      {
        ...TUTORIAL,
        NETSCRIPT_AUTH_ISSUER: 'https://idp.example',
        NETSCRIPT_AUTH_DISCOVERY_URL: '/metadata',
      },
      /NETSCRIPT_AUTH_DISCOVERY_URL: must be an absolute/,
    ],
    [
      'half a provider',
      { NETSCRIPT_AUTH_CLIENT_ID: 'x' },
      /NETSCRIPT_AUTH_REDIRECT_URI is not set/,
    ],
    [
      'a secret alone',
      { NETSCRIPT_AUTH_CLIENT_SECRET: 'x' },
      /NETSCRIPT_AUTH_CLIENT_ID, NETSCRIPT_AUTH_REDIRECT_URI are not set/,
    ],
    [
      'half a provider of several',
      { NETSCRIPT_AUTH_PROVIDERS: 'google' },
      /NETSCRIPT_AUTH_GOOGLE_CLIENT_ID, NETSCRIPT_AUTH_GOOGLE_REDIRECT_URI are not set/,
    ],
    [
      'half the endpoints',
      { ...TUTORIAL, NETSCRIPT_AUTH_TOKEN_ENDPOINT: 'https://idp.example/token' },
      /NETSCRIPT_AUTH_AUTHORIZATION_ENDPOINT, NETSCRIPT_AUTH_USERINFO_ENDPOINT are not set/,
    ],
    [
      'an unknown preset',
      { ...TUTORIAL, NETSCRIPT_AUTH_PROVIDER_ID: 'goggle' },
      /NETSCRIPT_AUTH_PROVIDER_ID[^]*google|google[^]*NETSCRIPT_AUTH_PROVIDER_ID/,
    ],
    [
      'a redirect URI elsewhere',
      { ...TUTORIAL, NETSCRIPT_AUTH_REDIRECT_URI: 'http://localhost:8094/callback' },
      /NETSCRIPT_AUTH_REDIRECT_URI.*\/api\/v1\/auth\/callback/,
    ],
    ...[
      'https://auth.example/login/api/v1/auth/callback',
      'https://auth.example/api/v1/auth/callback/',
      'https://auth.example/api/v1/auth/Callback',
      'https://auth.example//api/v1/auth/callback',
      'https://auth.example/api/v1/auth/callbac%6B',
      'https://auth.example/api/v1/auth/callback/%zz',
      'https://auth.example/api/v1/auth',
      'https://auth.example/',
    ].map((uri): [string, NodeJS.ProcessEnv, RegExp] => [
      `a redirect URI that it does not answer, ${uri}`,
      { ...TUTORIAL, NETSCRIPT_AUTH_REDIRECT_URI: uri },
      /^NETSCRIPT_AUTH_REDIRECT_URI has the path .*, which this service does not answer\. Set it to .*\/api\/v1\/auth\/callback,/,
    ]),
    [
      'a redirect URI of one of several that it does not answer',
      {
        ...TUTORIAL,
        NETSCRIPT_AUTH_PROVIDERS: 'google',
        NETSCRIPT_AUTH_GOOGLE_CLIENT_ID: 'a',
        NETSCRIPT_AUTH_GOOGLE_REDIRECT_URI: 'https://auth.example/x/api/v1/auth/callback',
      },
      /^NETSCRIPT_AUTH_GOOGLE_REDIRECT_URI has the path/,
    ],
    [
      'a redirect URI of several that is one of one provider',
      {
        NETSCRIPT_AUTH_PROVIDERS: 'google,github',
        NETSCRIPT_AUTH_GOOGLE_CLIENT_ID: 'a',
        NETSCRIPT_AUTH_GITHUB_CLIENT_ID: 'a',
        NETSCRIPT_AUTH_GITHUB_CLIENT_SECRET: 'a',
        NETSCRIPT_AUTH_REDIRECT_URI: 'https://auth.example/api/v1/auth/callback/google',
      },
      /^NETSCRIPT_AUTH_REDIRECT_URI has the path \/api\/v1\/auth\/callback\/google\/google,/,
    ],
    [
      'a redirect URI with a fragment',
      { ...TUTORIAL, NETSCRIPT_AUTH_REDIRECT_URI: `${TUTORIAL.NETSCRIPT_AUTH_REDIRECT_URI}#x` },
      /^NETSCRIPT_AUTH_REDIRECT_URI has a fragment or a user name/,
    ],
    [
      'a redirect URI with an empty fragment',
      { ...TUTORIAL, NETSCRIPT_AUTH_REDIRECT_URI: `${TUTORIAL.NETSCRIPT_AUTH_REDIRECT_URI}#` },
      /^NETSCRIPT_AUTH_REDIRECT_URI has a fragment or a user name/,
    ],
    [
      'a redirect URI that is no web address',
      {
        NETSCRIPT_AUTH_PROVIDERS: 'google',
        NETSCRIPT_AUTH_GOOGLE_CLIENT_ID: 'a',
        NETSCRIPT_AUTH_GOOGLE_REDIRECT_URI: 'com.example.app:/api/v1/auth/callback',
      },
      /^NETSCRIPT_AUTH_GOOGLE_REDIRECT_URI is not an http or https URL/,
    ],
    [
      'a redirect URI with a user name',
      { ...TUTORIAL, NETSCRIPT_AUTH_REDIRECT_URI: 'https://a@auth.example/api/v1/auth/callback' },
      /^NETSCRIPT_AUTH_REDIRECT_URI has a fragment or a user name/,
    ],
    ...(['NETSCRIPT_AUTH_', 'NETSCRIPT_AUTH_MY_IDP_'] as const).flatMap((prefix) =>
      [
        'ISSUER',
        'DISCOVERY_URL',
        'AUTHORIZATION_ENDPOINT',
        'TOKEN_ENDPOINT',
        'USERINFO_ENDPOINT',
      ].map((name): [string, NodeJS.ProcessEnv, RegExp] => [
        `http in ${prefix}${name}`,
        {
          ...TUTORIAL,
          ...(prefix !== 'NETSCRIPT_AUTH_' && { NETSCRIPT_AUTH_PROVIDERS: 'google,my-idp' }),
          NETSCRIPT_AUTH_GOOGLE_CLIENT_ID: 'a',
          [`${prefix}CLIENT_ID`]: 'b',
          [`${prefix}ISSUER`]: 'https://idp.example',
          [`${prefix}${name}`]: 'HTTP://localhost:9094',
        },
        new RegExp(`^${prefix}${name} uses http\\. .*NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS=true`),
      ]),
    ),
    [
      'a path of roles that leads to a prototype',
      { ...TUTORIAL, NETSCRIPT_AUTH_ROLES_CLAIM: '__proto__.roles' },
      /NETSCRIPT_AUTH_ROLES_CLAIM: must be the name of a claim/,
    ],
    ['a port that is none', { PORT: 'eighty' }, /^PORT: must be a port number/],
    ['an origin with a path', { NETSCRIPT_AUTH_CORS_ORIGINS: 'http://localhost:3000/' }, /CORS/],
    [
      'an origin on another site',
      { ...PRODUCTION, NETSCRIPT_AUTH_CORS_ORIGINS: 'https://other.example' },
      /another site.*proxy/,
    ],
    [
      'a switch that is neither on nor off',
      { NETSCRIPT_AUTH_INSECURE_COOKIES: 'yes' },
      /NETSCRIPT_AUTH_INSECURE_COOKIES: must be true or false/,
    ],
    [
      'a refresh window as long as the idle limit',
      {
        NETSCRIPT_AUTH_SESSION_IDLE_SECONDS: '900',
        NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS: '900',
      },
      /NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS is not shorter than NETSCRIPT_AUTH_SESSION_IDLE/,
    ],
    [
      'a refresh window longer than the default idle limit',
      { NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS: '86401' },
      /NETSCRIPT_AUTH_SESSION_REFRESH_SECONDS is not shorter/,
    ],
    [
      'an idle limit over the absolute one',
      {
        NETSCRIPT_AUTH_SESSION_IDLE_SECONDS: '7200',
        NETSCRIPT_AUTH_SESSION_ABSOLUTE_SECONDS: '3600',
      },
      /NETSCRIPT_AUTH_SESSION_IDLE_SECONDS is longer/,
    ],
    [
      'a database that is none',
      { DATABASE_URL: 'mysql://x' },
      /DATABASE_URL: must begin with postgres/,
    ],
  ])('refuses %s', (_name, env, message) => {
    expect(() => development(env)).toThrow(message)
  })

  it('accepts an http provider when the switch allows it', () => {
    const env = {
      ...TUTORIAL,
      NETSCRIPT_AUTH_ISSUER: 'http://localhost:9094',
      NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'true',
    }
    expect(development(env).providers).toMatchObject([{ issuer: 'http://localhost:9094' }])
  })

  it.each<[string, NodeJS.ProcessEnv, RegExp[]]>([
    ['nothing is odd', TUTORIAL, []],
    ['nothing is set', {}, []],
    [
      'a redirect URI on this machine has another port than the service',
      { ...TUTORIAL, PORT: '3000' },
      [/^The redirect URI of google leads to port 8094 of this machine, .* listens on 3000\./],
    ],
    [
      'a redirect URI on this machine has no port',
      { ...TUTORIAL, NETSCRIPT_AUTH_REDIRECT_URI: 'http://[::1]/api/v1/auth/callback' },
      [/leads to port 80 /],
    ],
    [
      'a redirect URI on this machine has https',
      { ...TUTORIAL, NETSCRIPT_AUTH_REDIRECT_URI: 'https://127.0.0.1/api/v1/auth/callback' },
      [/leads to port 443 /],
    ],
    ['the service takes any port', { ...TUTORIAL, PORT: '0' }, []],
    ['a proxy is on another machine', { ...PRODUCTION, PORT: '3000' }, []],
    [
      'a variable is misspelt',
      { ...TUTORIAL, NETSCRIPT_AUTH_CORS_ORIGIN: 'https://app.example' },
      [/^NETSCRIPT_AUTH_CORS_ORIGIN is not read\. Did you mean NETSCRIPT_AUTH_CORS_ORIGINS\?$/],
    ],
  ])('warns when %s', (_name, env, expected) => {
    expect(development(env).warnings).toEqual(
      expected.map((one) => expect.stringMatching(one) as string),
    )
  })

  it('names every variable that is wrong', () => {
    expect(() => development({ PORT: 'x', DATABASE_URL: 'y' })).toThrow(/PORT[^]*DATABASE_URL/)
  })

  // Schemeful same-site: the scheme and the registrable domain, private suffixes included.
  it.each([
    ['a sub-domain', 'https://auth.example.com', 'https://app.auth.example.com', true],
    ['a sibling', 'https://auth.example.com', 'https://app.example.com', true],
    ['the parent', 'https://auth.example.com', 'https://example.com', true],
    ['another port', 'https://auth.example.com', 'https://auth.example.com:8443', true],
    [
      'a sibling below a public suffix',
      'https://auth.example.co.uk',
      'https://example.co.uk',
      true,
    ],
    ['another domain', 'https://auth.example.com', 'https://auth.example.org', false],
    ['another domain below a public suffix', 'https://a.co.uk', 'https://b.co.uk', false],
    ['another tenant of a host', 'https://a.github.io', 'https://b.github.io', false],
    ['another app of a platform', 'https://a.vercel.app', 'https://b.vercel.app', false],
    ['another bucket', 'https://a.s3.amazonaws.com', 'https://b.s3.amazonaws.com', false],
    ['a name that only ends alike', 'https://example.com', 'https://evilexample.com', false],
    ['a name that only begins alike', 'https://example.com', 'https://example.com.evil.org', false],
    ['another address', 'https://192.0.2.1', 'https://192.0.2.2', false],
    ['another scheme', 'https://auth.example.com', 'http://auth.example.com', false],
  ])('compares sites: %s', (_name, own, other, isSameSite) => {
    const env = {
      ...PRODUCTION,
      NETSCRIPT_AUTH_REDIRECT_URI: `${own}/api/v1/auth/callback`,
      NETSCRIPT_AUTH_CORS_ORIGINS: other,
    }
    if (isSameSite) {
      expect(production(env).variables.NETSCRIPT_AUTH_CORS_ORIGINS).toEqual([other])
    } else {
      expect(() => production(env)).toThrow(/another site/)
    }
  })

  it.each<[string, NodeJS.ProcessEnv, RegExp]>([
    ['a database', { ...PRODUCTION, DATABASE_URL: '' }, /DATABASE_URL is not set/],
    [
      'a provider',
      { DATABASE_URL: PRODUCTION.DATABASE_URL },
      /No provider.*NETSCRIPT_AUTH_CLIENT_ID/,
    ],
    [
      'https',
      { ...PRODUCTION, NETSCRIPT_AUTH_REDIRECT_URI: 'http://auth.example/api/v1/auth/callback' },
      /Use https/,
    ],
  ])('needs %s in production', (_name, env, message) => {
    expect(() => production(env)).toThrow(message)
    expect(() => development({ ...env, NODE_ENV: 'production' })).toThrow(message)
  })

  it('has safe defaults in production', () => {
    expect(production(PRODUCTION)).toMatchObject({ docs: false, host: '0.0.0.0' })
  })

  it('keeps the metrics off the public port', () => {
    const at = (port: string) => () =>
      development({ PORT: '8094', NETSCRIPT_AUTH_METRICS_PORT: port })
    expect(at('8094')).toThrow(/NETSCRIPT_AUTH_METRICS_PORT is 8094, which is PORT/)
    expect(at('9464')).not.toThrow()
    expect(development({}).variables.NETSCRIPT_AUTH_METRICS_PORT).toBeUndefined()
  })
})

describe('inspectConfig', () => {
  const messages = (env: NodeJS.ProcessEnv, isProduction = false) =>
    inspectConfig(env, { production: isProduction }).problems.map(({ message }) => message)

  it('finds no problem in a valid configuration', () => {
    expect(messages(TUTORIAL)).toEqual([])
    expect(messages(PRODUCTION, true)).toEqual([])
  })

  it('finds every problem, in every part', () => {
    const found = messages(
      {
        PORT: 'x',
        NETSCRIPT_AUTH_PROVIDERS: 'google,github,gitlab',
        NETSCRIPT_AUTH_REDIRECT_URI: TUTORIAL.NETSCRIPT_AUTH_REDIRECT_URI,
        NETSCRIPT_AUTH_GOOGLE_CLIENT_SECRET: 'x',
        NETSCRIPT_AUTH_GITHUB_CLIENT_ID: 'x',
        NETSCRIPT_AUTH_KV_OAUTH_KEY: 'short',
        NETSCRIPT_AUTH_SESSION_IDLE_SECONDS: '604801',
      },
      true,
    )
    expect(found).toEqual([
      expect.stringMatching(/^PORT: must be a port number/),
      expect.stringMatching(/^NETSCRIPT_AUTH_GOOGLE_CLIENT_ID is not set/),
      expect.stringMatching(/^NETSCRIPT_AUTH_GITLAB_CLIENT_ID is not set/),
      expect.stringMatching(/^NETSCRIPT_AUTH_KV_OAUTH_KEY must be 32 bytes/),
      expect.stringMatching(/^NETSCRIPT_AUTH_SESSION_IDLE_SECONDS is longer/),
      expect.stringMatching(/^DATABASE_URL is not set/),
    ])
  })

  it.each<[string, NodeJS.ProcessEnv, boolean, RegExp[]]>([
    [
      'kv-oauth in production',
      {},
      true,
      [/^NETSCRIPT_AUTH_KV_OAUTH_KEY is not set/, /^DATABASE_URL is not/, /^No provider is/],
    ],
    [
      'a provider',
      { NETSCRIPT_AUTH_CLIENT_SECRET: 's' },
      false,
      [
        /^NETSCRIPT_AUTH_CLIENT_ID, NETSCRIPT_AUTH_REDIRECT_URI are not set/,
        /^NETSCRIPT_AUTH_KV_OAUTH_KEY is not set/,
      ],
    ],
    [
      'a provider without OpenID Connect',
      { ...TUTORIAL, NETSCRIPT_AUTH_TOKEN_ENDPOINT: 'https://id.example/token' },
      false,
      [/^NETSCRIPT_AUTH_AUTHORIZATION_ENDPOINT, NETSCRIPT_AUTH_USERINFO_ENDPOINT are not set/],
    ],
    [
      'a provider with a discovery URL',
      {
        ...TUTORIAL,
        NETSCRIPT_AUTH_DISCOVERY_URL: 'https://id.example/d',
        NETSCRIPT_AUTH_PROVIDER_ID: 'own',
      },
      false,
      [/^NETSCRIPT_AUTH_ISSUER is not set/],
    ],
    [
      'workos in production',
      { NETSCRIPT_AUTH_BACKEND: 'workos', NETSCRIPT_AUTH_TOKEN_AUDIENCES: 'https://a.example' },
      true,
      [
        /^WORKOS_API_KEY is not set\. The dashboard/,
        /^WORKOS_CLIENT_ID is not set/,
        /^WORKOS_COOKIE_PASSWORD is not set/,
        /^DATABASE_URL is not set/,
        /^NETSCRIPT_AUTH_ORIGIN is not set/,
      ],
    ],
    [
      'workos in development',
      {
        NETSCRIPT_AUTH_BACKEND: 'workos',
        WORKOS_CLIENT_ID: 'client_x',
        WORKOS_COOKIE_PASSWORD: 'x',
      },
      false,
      [/^WORKOS_API_KEY is not set/, /^WORKOS_COOKIE_PASSWORD must have at least 32/],
    ],
    [
      'better-auth in production',
      { NETSCRIPT_AUTH_BACKEND: 'better-auth' },
      true,
      [
        /^BETTER_AUTH_SECRET is not set\. Run: netscript auth secret generate better-auth/,
        /^DATABASE_URL is not set/,
        /^NETSCRIPT_AUTH_ORIGIN is not set/,
      ],
    ],
    [
      'better-auth in development',
      { NETSCRIPT_AUTH_BACKEND: 'better-auth', BETTER_AUTH_SECRET: 'short', PORT: 'x' },
      false,
      [/^PORT: must be/, /^BETTER_AUTH_SECRET must have at least 32/],
    ],
  ])('names every missing setting at once: %s', (_name, env, isProduction, expected) => {
    expect(messages(env, isProduction)).toEqual(
      expected.map((one) => expect.stringMatching(one) as string),
    )
  })

  it('does not report what only follows from another problem', () => {
    const found = messages(
      { ...PRODUCTION, DATABASE_URL: 'mysql://x', NETSCRIPT_AUTH_REDIRECT_URI: '/' },
      true,
    )
    expect(found).toEqual([
      expect.stringMatching(/^DATABASE_URL: must begin/),
      expect.stringMatching(/^NETSCRIPT_AUTH_REDIRECT_URI: must be an absolute/),
    ])
  })

  it('still reads the valid variables', () => {
    const { config } = inspectConfig({ ...PRODUCTION, PORT: 'x' }, { production: true })
    expect(config).toMatchObject({ origin: 'https://auth.example', variables: { PORT: 8094 } })
    expect(config.providers).toHaveLength(1)
  })
})
