import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { presetNames, providerFromPreset } from '../../../backends/kv-oauth/presets.js'
import { readConfig } from '../../config/config.js'
import { type GivenProvider, keepsSecret, providerVariables } from './provider-variables.js'
import { registrationHint } from './provider.js'

const KEY = { NETSCRIPT_AUTH_KV_OAUTH_KEY: randomBytes(32).toString('base64url') }
const CALLBACK = 'http://localhost:8094/api/v1/auth/callback'
const CLIENT = { clientId: 'id', clientSecret: 'secret' }

type Env = Record<string, string>
const set = (name: string, given: GivenProvider, current: Env = {}): Env => ({
  ...current,
  ...providerVariables(name, given, current).variables,
})
const read = (env: Env) => readConfig({ ...KEY, ...env }, { production: false }).providers

/** Options that each preset needs beyond a client, on the command line and in the library. */
const TENANTS: Record<
  string,
  [given: GivenProvider, options: Partial<Parameters<typeof providerFromPreset>[1]>]
> = {
  auth0: [{ domain: 'me.eu.auth0.com' }, { domain: 'me.eu.auth0.com' }],
  okta: [{ domain: 'me.okta.com' }, { domain: 'me.okta.com' }],
  logto: [{ domain: 'me.logto.app' }, { domain: 'me.logto.app' }],
  clerk: [{ domain: 'me.clerk.dev' }, { domain: 'me.clerk.dev' }],
  'aws-cognito': [
    { region: 'eu-west-1', userPool: 'eu-west-1_x' },
    { region: 'eu-west-1', userPoolId: 'eu-west-1_x' },
  ],
  'azure-ad': [{ tenant: 'contoso.example' }, { tenantId: 'contoso.example' }],
}

describe('providerVariables', () => {
  it.each(presetNames)('configures the same provider as the preset %s', (name) => {
    const [given, options] = TENANTS[name] ?? [{}, {}]
    const expected = providerFromPreset(name, { ...CLIENT, redirectUri: CALLBACK, ...options })
    expect(read(set(name, { ...CLIENT, ...given }))).toEqual([expected])
    expect(registrationHint(name)).not.toBe(registrationHint('my-idp'))
    expect(registrationHint(name).length).toBeLessThanOrEqual(80)
  })

  it('configures a custom provider from an issuer', () => {
    const env = set('my-idp', { ...CLIENT, issuer: 'https://idp.example', scopes: 'openid email' })
    expect(read(env)).toMatchObject([
      { id: 'my-idp', issuer: 'https://idp.example', scopes: ['openid', 'email'] },
    ])
  })

  it('accepts the function name of a preset as well', () => {
    expect(providerVariables('azureAd', CLIENT, {}).id).toBe('azure-ad')
  })

  it('keeps settings that are not given, and none of another provider', () => {
    const first = set('auth0', { ...CLIENT, domain: 'me.auth0.com', scopes: 'openid email' })
    const again = set('auth0', { redirectUri: 'https://a.example/api/v1/auth/callback' }, first)
    expect(read(again)).toMatchObject([
      {
        clientId: 'id',
        clientSecret: 'secret',
        issuer: 'https://me.auth0.com',
        scopes: ['openid', 'email'],
        redirectUri: 'https://a.example/api/v1/auth/callback',
      },
    ])
    const google = read(set('google', { clientId: 'other', clientSecret: 's' }, again))
    expect(google).toMatchObject([{ id: 'google', issuer: 'https://accounts.google.com' }])
    expect(google[0]?.scopes).toContain('profile')
  })

  it('keeps the secret for the same client only', () => {
    const env = set('google', CLIENT)
    expect(keepsSecret('google', { scopes: 'openid' }, env)).toBe(true)
    expect(keepsSecret('google', { clientId: 'other' }, env)).toBe(false)
    expect(keepsSecret('github', {}, env)).toBe(false)
    expect(set('google', { clientId: 'other' }, env).NETSCRIPT_AUTH_CLIENT_SECRET).toBe('')
    expect(set('google', { publicClient: true }, env).NETSCRIPT_AUTH_CLIENT_SECRET).toBe('')
  })

  it('accepts the auth method and the discovery URL, and keeps them for the same issuer', () => {
    const given = {
      issuer: 'https://idp.example',
      discoveryUrl: 'https://idp.example/tenant/metadata',
      clientAuthMethod: 'client_secret_post',
    }
    const env = set('my-idp', { ...CLIENT, ...given })
    expect(read(env)).toMatchObject([given])
    expect(read(set('my-idp', { scopes: 'openid' }, env))).toMatchObject([given])
    const [moved] = read(set('my-idp', { issuer: 'https://other.example' }, env))
    expect(moved).not.toHaveProperty('discoveryUrl')
    const [open] = read(set('my-idp', { publicClient: true }, env))
    expect(open).toMatchObject({ clientAuthMethod: 'none' })
    const two = set('github', { ...CLIENT, add: true }, env)
    expect(read(two)[0]).toMatchObject(given)
  })

  it('redirects users to the port of the service', () => {
    expect(set('google', CLIENT, { PORT: '3000' }).NETSCRIPT_AUTH_REDIRECT_URI).toBe(
      'http://localhost:3000/api/v1/auth/callback',
    )
  })

  it('adds a second and a third provider, and changes one of them', () => {
    const one = set('google', { ...CLIENT, additionalScopes: 'orders:read', rolesClaim: 'groups' })
    const two = set('my-idp', { ...CLIENT, issuer: 'https://idp.example', add: true }, one)
    const three = set('github', { clientId: 'gh', clientSecret: 'gh', add: true }, two)
    expect(read(three).map(({ id, clientId }) => [id, clientId])).toEqual([
      ['google', 'id'],
      ['my-idp', 'id'],
      ['github', 'gh'],
    ])
    expect(three.NETSCRIPT_AUTH_CLIENT_SECRET).toBe('')
    const changed = set('google', { scopes: 'openid' }, three)
    expect(read(changed).map(({ scopes }) => scopes.length)).toEqual([1, 3, 2])
    expect(read(changed)[0]).toMatchObject({
      clientSecret: 'secret',
      additionalScopes: ['orders:read'],
      rolesClaim: 'groups',
    })
    expect(three.NETSCRIPT_AUTH_ADDITIONAL_SCOPES).toBe('')
  })

  it('keeps the own redirect URI of one of several providers', () => {
    const own = 'NETSCRIPT_AUTH_GITHUB_REDIRECT_URI'
    const two = {
      ...set('github', { ...CLIENT, add: true }, set('google', CLIENT)),
      [own]: CALLBACK,
    }
    expect(set('github', { scopes: 'x' }, two)[own]).toBe(CALLBACK)
    const moved = set('github', { redirectUri: `${CALLBACK}?x` }, two)
    expect([moved[own], moved.NETSCRIPT_AUTH_REDIRECT_URI]).toEqual([`${CALLBACK}?x`, CALLBACK])
  })

  it('keeps the registered redirect URI of the first when a second is added', () => {
    const one = set('google', { ...CLIENT, redirectUri: 'https://a.example/api/v1/auth/callback' })
    const two = set('azure-ad', { ...CLIENT, add: true }, one)
    const given = 'https://a.example/api/v1/auth/callback?provider=github'
    const three = set('github', { ...CLIENT, redirectUri: given, add: true }, two)
    expect(read(three).map(({ redirectUri }) => redirectUri)).toEqual([
      'https://a.example/api/v1/auth/callback',
      'https://a.example/api/v1/auth/callback/azure-ad',
      given,
    ])
  })

  it.each<[string, string, GivenProvider, RegExp]>([
    ['no client id', 'google', {}, /client id of google is missing\. Add --client-id\./],
    ['an unknown preset', 'goggle', CLIENT, /no preset "goggle"\. Use .*google.*--issuer/],
    ['no domain', 'auth0', CLIENT, /auth0 .* missing\. Add --domain, or --issuer\./],
    ['half a pool', 'aws-cognito', { ...CLIENT, region: 'x' }, /Add --region and --user-pool, or/],
    ['a domain for Google', 'google', { ...CLIENT, domain: 'x' }, /--domain is not for google/],
    [
      'both a domain and an issuer',
      'okta',
      { ...CLIENT, domain: 'x', issuer: 'https://x' },
      /Leave out --domain/,
    ],
    ['a tenant with a path', 'azure-ad', { ...CLIENT, tenant: 'x/y' }, /tenantId may have/],
  ])('refuses %s', (_what, name, given, message) => {
    expect(() => providerVariables(name, given, {})).toThrow(message)
  })

  it('does not replace several by one', () => {
    const two = set('github', { ...CLIENT, add: true }, set('google', CLIENT))
    expect(() => providerVariables('gitlab', CLIENT, two)).toThrow(/google and github .*--add/)
  })
})
