import { describe, expect, it } from 'vitest'
import { AuthConfigurationError } from '../errors.js'
import { isPresetName, presetNames, providerFromPreset, providers } from './presets.js'

const app = {
  clientId: 'client',
  clientSecret: 'secret',
  redirectUri: 'https://app.example/api/v1/auth/callback',
}
const oidc = {
  ...app,
  kind: 'oidc',
  scopes: ['openid', 'profile', 'email'],
  additionalScopes: [],
  pkce: true,
  stepUp: true,
  authorizationParams: {},
  userInfoFields: expect.objectContaining({ subject: 'sub' }) as unknown,
}
const oauth = {
  ...app,
  kind: 'oauth',
  additionalScopes: [],
  pkce: true,
  stepUp: false,
  authorizationParams: {},
}

const expected = {
  github: {
    ...oauth,
    id: 'github',
    accountPrompt: 'select_account',
    displayName: 'GitHub',
    scopes: ['read:user', 'user:email'],
    clientAuthMethod: 'client_secret_post',
    authorizationEndpoint: 'https://github.com/login/oauth/authorize',
    tokenEndpoint: 'https://github.com/login/oauth/access_token',
    userInfoEndpoint: 'https://api.github.com/user',
    emailsEndpoint: 'https://api.github.com/user/emails',
    organizationsEndpoint: 'https://api.github.com/user/orgs',
    userInfoFields: {
      subject: 'id',
      displayName: ['name', 'login'],
      username: 'login',
      imageUrl: 'avatar_url',
    },
  },
  google: {
    ...oidc,
    id: 'google',
    accountPrompt: 'select_account',
    displayName: 'Google',
    stepUp: false,
    issuer: 'https://accounts.google.com',
    clientAuthMethod: 'client_secret_basic',
    authorizationParams: { access_type: 'offline', prompt: 'consent' },
  },
  gitlab: {
    ...oidc,
    id: 'gitlab',
    displayName: 'GitLab',
    issuer: 'https://gitlab.com',
    clientAuthMethod: 'client_secret_basic',
  },
  discord: {
    ...oauth,
    id: 'discord',
    displayName: 'Discord',
    scopes: ['identify', 'email'],
    clientAuthMethod: 'client_secret_basic',
    authorizationEndpoint: 'https://discord.com/oauth2/authorize',
    tokenEndpoint: 'https://discord.com/api/oauth2/token',
    userInfoEndpoint: 'https://discord.com/api/users/@me',
    revocationEndpoint: 'https://discord.com/api/oauth2/token/revoke',
    userInfoFields: {
      subject: 'id',
      displayName: ['global_name', 'username'],
      username: 'username',
      email: 'email',
      emailVerified: 'verified',
      imageUrl: 'https://cdn.discordapp.com/avatars/{id}/{avatar}.png',
    },
  },
  slack: {
    ...oidc,
    id: 'slack',
    displayName: 'Slack',
    stepUp: false,
    issuer: 'https://slack.com',
    clientAuthMethod: 'client_secret_post',
    pkce: false,
  },
  spotify: {
    ...oauth,
    id: 'spotify',
    displayName: 'Spotify',
    scopes: ['user-read-email'],
    clientAuthMethod: 'client_secret_basic',
    authorizationEndpoint: 'https://accounts.spotify.com/authorize',
    tokenEndpoint: 'https://accounts.spotify.com/api/token',
    userInfoEndpoint: 'https://api.spotify.com/v1/me',
    userInfoFields: {
      subject: 'id',
      displayName: ['display_name'],
      email: 'email',
      imageUrl: 'images.0.url',
    },
  },
  facebook: {
    ...oauth,
    id: 'facebook',
    displayName: 'Facebook',
    scopes: ['email', 'public_profile'],
    clientAuthMethod: 'client_secret_post',
    authorizationEndpoint: 'https://www.facebook.com/dialog/oauth',
    tokenEndpoint: 'https://graph.facebook.com/oauth/access_token',
    userInfoEndpoint: 'https://graph.facebook.com/me?fields=id,name,email,picture',
    userInfoFields: {
      subject: 'id',
      displayName: ['name'],
      email: 'email',
      imageUrl: 'picture.data.url',
    },
  },
  twitter: {
    ...oauth,
    id: 'twitter',
    displayName: 'X',
    scopes: ['users.read', 'tweet.read', 'offline.access'],
    clientAuthMethod: 'client_secret_basic',
    authorizationEndpoint: 'https://x.com/i/oauth2/authorize',
    tokenEndpoint: 'https://api.x.com/2/oauth2/token',
    userInfoEndpoint: 'https://api.x.com/2/users/me?user.fields=id,name,username,profile_image_url',
    revocationEndpoint: 'https://api.x.com/2/oauth2/revoke',
    userInfoFields: {
      subject: 'data.id',
      displayName: ['data.name', 'data.username'],
      username: 'data.username',
      email: 'data.confirmed_email',
      emailVerified: true,
      imageUrl: 'data.profile_image_url',
    },
  },
  auth0: {
    ...oidc,
    id: 'auth0',
    displayName: 'Auth0',
    issuer: 'https://tenant.example',
    clientAuthMethod: 'client_secret_post',
  },
  okta: {
    ...oidc,
    id: 'okta',
    rolesClaim: 'groups',
    displayName: 'Okta',
    issuer: 'https://tenant.example',
    clientAuthMethod: 'client_secret_basic',
  },
  awsCognito: {
    ...oidc,
    id: 'aws-cognito',
    rolesClaim: 'cognito:groups',
    displayName: 'AWS Cognito',
    stepUp: false,
    signOutParams: { logout_uri: '{return_uri}' },
    issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1Cd2Ef3',
    clientAuthMethod: 'client_secret_basic',
  },
  azureAd: {
    ...oidc,
    id: 'azure-ad',
    accountPrompt: 'select_account',
    displayName: 'Azure AD',
    stepUp: false,
    issuer: 'https://login.microsoftonline.com/common/v2.0',
    issuerTemplate: 'https://login.microsoftonline.com/{tenantid}/v2.0',
    clientAuthMethod: 'client_secret_post',
  },
  logto: {
    ...oidc,
    id: 'logto',
    displayName: 'Logto',
    issuer: 'https://tenant.example/oidc',
    clientAuthMethod: 'client_secret_basic',
  },
  clerk: {
    ...oidc,
    id: 'clerk',
    displayName: 'Clerk',
    stepUp: false,
    issuer: 'https://tenant.example',
    clientAuthMethod: 'client_secret_basic',
  },
}

const tenant = {
  domain: 'tenant.example',
  region: 'eu-central-1',
  userPoolId: 'eu-central-1_Ab1Cd2Ef3',
}

/** Where anyone can create an account. */
const PUBLIC = [
  'google',
  'github',
  'gitlab',
  'discord',
  'slack',
  'spotify',
  'facebook',
  'twitter',
  'azureAd',
]

describe('providers', () => {
  it('include fourteen presets', () => {
    expect(Object.keys(providers)).toEqual(Object.keys(expected))
  })

  it.each(Object.entries(expected))('%s has exactly these fields', (name, fields) => {
    const preset = providers[name as keyof typeof providers]
    const provider = preset({ ...app, ...tenant })
    expect(provider).toEqual({ ...fields, ...(PUBLIC.includes(name) && { isPublic: true }) })
    expect(Object.isFrozen(provider)).toBe(true)
  })

  it.each(Object.keys(expected))('%s accepts a public client and further options', (name) => {
    const provider = providers[name as keyof typeof providers]({
      ...tenant,
      clientId: 'client',
      redirectUri: app.redirectUri,
      scopes: 'openid extra',
      tokenEndpoint: 'https://proxy.example/token',
      extraAuthParams: { prompt: 'login' },
      id: 'second',
      displayName: 'Second',
    })
    expect(provider).toMatchObject({
      id: 'second',
      displayName: 'Second',
      clientAuthMethod: 'none',
      pkce: true,
      scopes: ['openid', 'extra'],
      tokenEndpoint: 'https://proxy.example/token',
    })
    expect(provider.authorizationParams.prompt).toBe('login')
  })

  it.each(['auth0', 'okta', 'logto', 'clerk', 'awsCognito'] as const)(
    '%s names the missing option without a tenant',
    (name) => {
      expect(() => providers[name](app)).toThrow(AuthConfigurationError)
      expect(() => providers[name](app)).toThrow('Set issuer, or ')
    },
  )

  it.each(['auth0', 'okta', 'logto', 'clerk', 'awsCognito', 'azureAd', 'gitlab'] as const)(
    '%s uses a given issuer unchanged',
    (name) => {
      const provider = providers[name]({ ...app, issuer: 'https://id.example/x/' })
      expect(provider.issuer).toBe('https://id.example/x/')
      expect(provider.issuerTemplate).toBeUndefined()
    },
  )

  it('accept a domain with https:// and a trailing slash', () => {
    expect(providers.okta({ ...app, domain: 'https://a.okta.com/' }).issuer).toBe(
      'https://a.okta.com',
    )
    expect(providers.logto({ ...app, domain: 'https://a.logto.app/oidc' }).issuer).toBe(
      'https://a.logto.app/oidc',
    )
  })

  it('reject an issuer for plain OAuth 2.0', () => {
    expect(() => providerFromPreset('github', { ...app, issuer: 'https://github.com' })).toThrow(
      'OAuth provider "github": issuer cannot be set',
    )
  })

  it('reject a discovery URL for plain OAuth 2.0', () => {
    const discoveryUrl = 'https://github.com/metadata'
    expect(() => providerFromPreset('github', { ...app, discoveryUrl })).toThrow(
      'OAuth provider "github": discoveryUrl cannot be set',
    )
  })

  it('accept the issuer and the discovery URL of Azure AD B2C', () => {
    const host = 'https://contoso.b2clogin.com'
    const issuer = `${host}/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0/`
    const discoveryUrl = `${host}/contoso.example/b2c_1_signin/v2.0/.well-known/openid-configuration`
    const provider = providers.azureAd({ ...app, issuer, discoveryUrl })
    expect(provider).toMatchObject({ issuer, discoveryUrl })
    expect(provider).not.toHaveProperty('issuerTemplate')
  })

  it('request the address from X if its scope is configured', () => {
    const scopes = ['users.read', 'tweet.read', 'users.email']
    expect(providers.twitter({ ...app, scopes }).userInfoEndpoint).toContain('confirmed_email')
  })

  it('request consent from Logto for offline_access', () => {
    const scopes = ['openid', 'offline_access']
    expect(providers.logto({ ...app, ...tenant, scopes }).authorizationParams).toEqual({
      prompt: 'consent',
    })
  })

  it('derive the e-mail endpoint of a GitHub Enterprise Server', () => {
    const userInfoEndpoint = 'https://github.corp.example/api/v3/user'
    expect(providers.github({ ...app, userInfoEndpoint }).emailsEndpoint).toBe(
      `${userInfoEndpoint}/emails`,
    )
  })

  it('use an exact issuer for a tenant id of Entra, and a template otherwise', () => {
    const tenantId = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
    expect(providers.azureAd({ ...app, tenantId }).issuerTemplate).toBeUndefined()
    expect(providers.azureAd({ ...app, tenantId: 'contoso.example' }).issuerTemplate).toBeDefined()
    expect(() => providers.azureAd({ ...app, tenantId: 'x/../y' })).toThrow('tenantId')
  })

  it.each([undefined, 'common', 'contoso.example', '8d2a1f30-0000-4000-8000-000000000000'])(
    'read the tenant %s from an issuer too',
    (tenantId) => {
      const byTenant = providers.azureAd({ ...app, tenantId })
      expect(providers.azureAd({ ...app, issuer: byTenant.issuer })).toEqual(byTenant)
    },
  )

  it('do not read a tenant from another issuer', () => {
    const issuer = 'https://login.microsoftonline.us/common/v2.0'
    expect(providers.azureAd({ ...app, issuer })).not.toHaveProperty('issuerTemplate')
  })

  it('reject a region or pool that would change the issuer', () => {
    expect(() =>
      providers.awsCognito({ ...app, region: 'evil.example/', userPoolId: 'x' }),
    ).toThrow('region')
  })
})

describe('providerFromPreset', () => {
  it('accepts the id and the function name', () => {
    expect(presetNames).toContain('azure-ad')
    expect(presetNames).toHaveLength(14)
    expect(providerFromPreset('azure-ad', app).id).toBe('azure-ad')
    expect(providerFromPreset('azureAd', app).id).toBe('azure-ad')
    expect(isPresetName('awsCognito')).toBe(true)
    expect(isPresetName('constructor')).toBe(false)
  })

  it('lists the known names and the variable for an unknown one', () => {
    const find = () => providerFromPreset('gogle', app)
    expect(find).toThrow(AuthConfigurationError)
    expect(find).toThrow(/NETSCRIPT_AUTH_PROVIDER_ID.*github, google, .*clerk/)
  })
})
