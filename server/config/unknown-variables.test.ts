import { describe, expect, it } from 'vitest'
import { PROVIDER_VARIABLES, variablePrefix } from './providers.js'
import { unknownVariables } from './unknown-variables.js'
import { VARIABLES } from './variables.js'

const about = (name: string, providers: string[] = []): string[] =>
  unknownVariables({ [name]: 'x' }, providers)

describe('unknownVariables', () => {
  it.each([
    ['NETSCRIPT_AUTH_CLEINT_ID', 'NETSCRIPT_AUTH_CLIENT_ID'],
    ['NETSCRIPT_AUTH_CLIENTID', 'NETSCRIPT_AUTH_CLIENT_ID'],
    ['NETSCRIPT_AUTH_REDIRECT_URL', 'NETSCRIPT_AUTH_REDIRECT_URI'],
    ['NETSCRIPT_AUTH_CORS_ORIGIN', 'NETSCRIPT_AUTH_CORS_ORIGINS'],
    ['NETSCRIPT_AUTH_TRUSTED_PROXIES', 'NETSCRIPT_AUTH_TRUST_PROXY'],
    ['NETSCRIPT_AUTH_SESSION_IDLE', 'NETSCRIPT_AUTH_SESSION_IDLE_SECONDS'],
    ['NETSCRIPT_AUTH_OAUTH_KEY', 'NETSCRIPT_AUTH_KV_OAUTH_KEY'],
    ['NETSCRIPT_AUTH_KV_OAUTH_KEYS', 'NETSCRIPT_AUTH_KV_OAUTH_KEY'],
    ['NETSCRIPT_AUHT_CLIENT_ID', 'NETSCRIPT_AUTH_CLIENT_ID'],
    ['NETSCIRPT_AUTH_ISSUER', 'NETSCRIPT_AUTH_ISSUER'],
    ['NETSCRIPTAUTH_ISSUER', 'NETSCRIPT_AUTH_ISSUER'],
    ['NETSCRIPT-AUTH-ISSUER', 'NETSCRIPT_AUTH_ISSUER'],
    ['NETSCRIPT_ISSUER', 'NETSCRIPT_AUTH_ISSUER'],
    ['netscript_auth_issuer', 'NETSCRIPT_AUTH_ISSUER'],
    ['NETSCRIPT_AUTH_INSECURE_COOKIE', 'NETSCRIPT_AUTH_INSECURE_COOKIES'],
  ])('names the nearest variable for %s', (name, meant) => {
    expect(about(name)).toEqual([`${name} is not read. Did you mean ${meant}?`])
  })

  it.each(PROVIDER_VARIABLES)('knows NETSCRIPT_AUTH_<ID>_%s of a listed provider', (setting) => {
    const right = `${variablePrefix('my-idp')}${setting}`
    expect(about(right, ['google', 'my-idp'])).toEqual([])
    const misspelt = [
      right.replace('MY_IDP', 'MY_IPD'),
      right.replace('MY_IDP', 'MYIDP'),
      `${right.slice(0, -2)}${right.slice(-1)}`,
      `${right}S`,
    ]
    for (const name of misspelt) {
      expect(about(name, ['google', 'my-idp']), name).toEqual([
        `${name} is not read. Did you mean ${right}?`,
      ])
    }
  })

  it('names the id that NETSCRIPT_AUTH_PROVIDERS does not list', () => {
    for (const providers of [[], ['gitlab']]) {
      expect(about('NETSCRIPT_AUTH_GITHUB_CLIENT_ID', providers)).toEqual([
        'NETSCRIPT_AUTH_GITHUB_CLIENT_ID is not read: NETSCRIPT_AUTH_PROVIDERS does not list github.',
      ])
    }
    expect(about('NETSCRIPT_AUTH_OUR_IDP_ISSUER')).toEqual([
      'NETSCRIPT_AUTH_OUR_IDP_ISSUER is not read: NETSCRIPT_AUTH_PROVIDERS does not list our-idp.',
    ])
  })

  it.each(PROVIDER_VARIABLES.filter((name) => name !== 'REDIRECT_URI'))(
    'reports that %s without an id is ignored when a list of providers is set',
    (setting) => {
      const name = `NETSCRIPT_AUTH_${setting}`
      expect(about(name)).toEqual([])
      expect(about(name, ['google', 'github'])).toEqual([
        `${name} is not read, since NETSCRIPT_AUTH_PROVIDERS is set. Write NETSCRIPT_AUTH_GOOGLE_${setting}.`,
      ])
    },
  )

  it('knows the variables that a list of providers shares and replaces', () => {
    expect(about('NETSCRIPT_AUTH_REDIRECT_URI', ['google'])).toEqual([])
    expect(about('NETSCRIPT_AUTH_PROVIDER_ID')).toEqual([])
    expect(about('NETSCRIPT_AUTH_PROVIDER_ID', ['google'])).toEqual([
      'NETSCRIPT_AUTH_PROVIDER_ID is not read, since NETSCRIPT_AUTH_PROVIDERS is set. Remove it.',
    ])
  })

  it('says so when no name is similar', () => {
    expect(about('NETSCRIPT_AUTH_FAVOURITE_COLOUR')).toEqual([
      'NETSCRIPT_AUTH_FAVOURITE_COLOUR is not read: there is no such variable.',
    ])
  })

  it.each(['PORT', 'DATABASE_URL', 'BETTER_AUTH_SECRET', 'WORKOS_API_KEY', 'OTEL_SERVICE_NAME'])(
    'knows that %s has no prefix',
    (name) => {
      expect(about(`NETSCRIPT_AUTH_${name}`)).toEqual([
        `NETSCRIPT_AUTH_${name} is not read. Did you mean ${name}?`,
      ])
    },
  )

  it.each(['\ufeffDATABASE_URL', 'DATABASE_URL ', '\ufeffNETSCRIPT_AUTH_CLIENT_ID', ' PORT'])(
    'shows the invisible character in %j',
    (name) => {
      const [warning, ...others] = about(name)
      expect(others).toEqual([])
      expect(warning).toContain(`has an invisible character. Write ${name.trim()}.`)
      expect(warning).toMatch(/^[\x20-\x7e]+$/)
    },
  )

  it('ignores variables that are read and those of other programs', () => {
    const names = [
      ...Object.keys(VARIABLES),
      ...[
        'NETSCRIPT_DEBUG',
        'NETSCRIPT_CACHE_URL',
        'NETSCRIPT_TOKEN',
        'DATABASE_URI',
        'POST',
        'PORTS',
      ],
      ...[
        'PATH',
        'HOST',
        'CLIENT_ID',
        'AUTH_CLIENT_ID',
        'NEXT_AUTH_ISSUER',
        'npm_config_port',
        'port',
      ],
    ]
    expect(unknownVariables(Object.fromEntries(names.map((name) => [name, 'x'])), [])).toEqual([])
  })

  it('treats an empty variable as not set, and shows no value', () => {
    const env = { NETSCRIPT_AUTH_CLIENT_SECERT: ' ', NETSCRIPT_AUTH_CLIENT_SECRT: 'hunter2' }
    expect(unknownVariables(env, [])).toEqual([
      'NETSCRIPT_AUTH_CLIENT_SECRT is not read. Did you mean NETSCRIPT_AUTH_CLIENT_SECRET?',
    ])
  })
})
