import { describe, expect, it } from 'vitest'
import { AuthConfigurationError } from '../errors.js'
import type { OAuthProviderOptions } from './provider.js'
import { defineOAuthProvider } from './define-provider.js'

const endpoints = {
  authorizationEndpoint: 'https://idp.example/authorize',
  tokenEndpoint: 'https://idp.example/token',
  userInfoEndpoint: 'https://idp.example/userinfo',
}
const base = {
  id: 'my-idp',
  clientId: 'client',
  clientSecret: 'secret',
  redirectUri: 'https://app.example/api/v1/auth/callback',
}
const oidc = { ...base, issuer: 'https://idp.example' }

describe('defineOAuthProvider', () => {
  it('defines a plain OAuth 2.0 provider from its endpoints', () => {
    const provider = defineOAuthProvider({
      ...base,
      ...endpoints,
      scopes: ['openid', 'profile', 'email'],
    })
    expect(provider).toEqual({
      ...base,
      ...endpoints,
      displayName: 'My Idp',
      kind: 'oauth',
      scopes: ['openid', 'profile', 'email'],
      additionalScopes: [],
      clientAuthMethod: 'client_secret_basic',
      pkce: true,
      stepUp: false,
      authorizationParams: {},
      userInfoFields: {
        subject: 'sub',
        displayName: ['name', 'preferred_username', 'username'],
        username: 'preferred_username',
        email: 'email',
        emailVerified: 'email_verified',
        imageUrl: 'picture',
      },
    })
  })

  it('defines an OpenID Connect provider from its issuer', () => {
    const { clientSecret: _, ...publicClient } = oidc
    expect(defineOAuthProvider(publicClient)).toMatchObject({
      kind: 'oidc',
      issuer: 'https://idp.example',
      scopes: ['openid', 'profile', 'email'],
      clientAuthMethod: 'none',
      stepUp: true,
    })
  })

  it('freezes deeply and copies what it was given', () => {
    const extraAuthParams = { audience: 'api' }
    const scopes = ['openid']
    const provider = defineOAuthProvider({ ...oidc, scopes, extraAuthParams })
    extraAuthParams.audience = 'other'
    scopes.push('admin')
    expect(provider.authorizationParams).toEqual({ audience: 'api' })
    expect(provider.scopes).toEqual(['openid'])
    for (const part of [
      provider,
      provider.scopes,
      provider.authorizationParams,
      provider.userInfoFields,
    ]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('reads scopes from a string and removes duplicates', () => {
    expect(defineOAuthProvider({ ...oidc, scopes: ' openid  email openid' }).scopes).toEqual([
      'openid',
      'email',
    ])
  })

  it('reads the subject from id if the scopes do not include openid', () => {
    const provider = defineOAuthProvider({ ...base, ...endpoints, scopes: 'user' })
    expect(provider.userInfoFields.subject).toBe('id')
  })

  it('requests consent for offline_access unless a prompt is set', () => {
    const scopes = 'openid offline_access'
    expect(defineOAuthProvider({ ...oidc, scopes }).authorizationParams).toEqual({
      prompt: 'consent',
    })
    expect(
      defineOAuthProvider({ ...oidc, scopes, extraAuthParams: { prompt: 'login' } })
        .authorizationParams,
    ).toEqual({ prompt: 'login' })
    expect(defineOAuthProvider({ ...base, ...endpoints, scopes }).authorizationParams).toEqual({})
  })

  it('accepts http, which the backend may reject', () => {
    expect(defineOAuthProvider({ ...oidc, issuer: 'http://localhost:9094' }).issuer).toBe(
      'http://localhost:9094',
    )
  })

  const refused: [string, string, Partial<OAuthProviderOptions>][] = [
    ['an id with capitals', 'id', { id: 'My-Idp' }],
    ['an id that begins with a hyphen', 'id', { id: '-idp' }],
    ['an id of 65 characters', 'id', { id: 'x'.repeat(65) }],
    ['a blank clientId', 'clientId', { clientId: ' ' }],
    ['a blank clientSecret', 'clientSecret', { clientSecret: ' ' }],
    ['a blank redirectUri', 'redirectUri', { redirectUri: '' }],
    ['a relative redirectUri', 'redirectUri', { redirectUri: '/callback' }],
    ['a redirectUri with a fragment', 'redirectUri', { redirectUri: 'https://app.example/#x' }],
    ['an issuer of another scheme', 'issuer', { issuer: 'ftp://idp.example' }],
    ['an issuer with a query', 'issuer', { issuer: 'https://idp.example?x=1' }],
    ['an issuer with a password', 'issuer', { issuer: 'https://a:b@idp.example' }],
    ['a tokenEndpoint that is no URL', 'tokenEndpoint', { tokenEndpoint: 'idp.example/token' }],
    ['an issuer without openid', 'scopes', { scopes: ['email'] }],
    ['a scope with a quote', 'scopes', { scopes: ['openid', 'a"b'] }],
    [
      'an auth method without a secret',
      'clientSecret',
      { clientSecret: undefined, clientAuthMethod: 'client_secret_post' },
    ],
    [
      'an auth method that is not supported',
      'clientAuthMethod',
      { clientAuthMethod: 'private_key_jwt' as 'none' },
    ],
    ['a discoveryUrl that is no URL', 'discoveryUrl', { discoveryUrl: '/metadata.json' }],
    ['no PKCE for a public client', 'pkce', { pkce: false, clientAuthMethod: 'none' }],
  ]
  it.each(refused)('rejects %s', (_, option, change) => {
    const define = () => defineOAuthProvider({ ...oidc, ...change })
    expect(define).toThrow(AuthConfigurationError)
    expect(define).toThrow(`OAuth provider "${change.id ?? 'my-idp'}": ${option} `)
  })

  it('records whether the auth method was set, because metadata overrides only the default', () => {
    const method = { clientAuthMethod: 'client_secret_basic' } as const
    expect(defineOAuthProvider({ ...oidc, ...method })).toMatchObject({
      ...method,
      clientAuthMethodIsExplicit: true,
    })
    expect(defineOAuthProvider(oidc)).toMatchObject(method)
    expect(defineOAuthProvider(oidc)).not.toHaveProperty('clientAuthMethodIsExplicit')
  })

  it('accepts a discoveryUrl only together with an issuer', () => {
    const discoveryUrl = 'https://idp.example/tenant/metadata?p=policy'
    expect(defineOAuthProvider({ ...oidc, discoveryUrl })).toMatchObject({ discoveryUrl })
    expect(() => defineOAuthProvider({ ...base, ...endpoints, discoveryUrl })).toThrow(
      'OAuth provider "my-idp": issuer is missing. Set it to the issuer that',
    )
  })

  it.each(Object.keys(endpoints))('requires %s without an issuer', (name) => {
    const define = () => defineOAuthProvider({ ...base, ...endpoints, [name]: undefined })
    expect(define).toThrow(`OAuth provider "my-idp": ${name} is missing.`)
  })

  it('requires an issuer to turn PKCE off or step-up on', () => {
    expect(() => defineOAuthProvider({ ...base, ...endpoints, pkce: false })).toThrow('pkce')
    expect(() => defineOAuthProvider({ ...base, ...endpoints, stepUp: true })).toThrow('stepUp')
  })

  it.each([
    'client_id',
    'redirect_uri',
    'response_type',
    'response_mode',
    'scope',
    'state',
    'nonce',
    'code_challenge',
    'code_challenge_method',
    'request',
    'request_uri',
  ])('rejects %s in extraAuthParams', (name) => {
    const define = () => defineOAuthProvider({ ...oidc, extraAuthParams: { [name]: 'x' } })
    expect(define).toThrow(`extraAuthParams cannot set ${name}`)
  })

  it('never includes the secret in a message', () => {
    try {
      defineOAuthProvider({ ...oidc, clientSecret: 'hunter2', redirectUri: 'nonsense' })
      expect.unreachable()
    } catch (error) {
      expect(String(error)).not.toContain('hunter2')
    }
  })
})
