import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { inspectConfig } from '../../config/config.js'
import {
  checkConfiguration,
  checkCookies,
  checkKeys,
  checkProxy,
  checkRedirectUris,
  checkVariables,
} from './configuration.js'
import type { Check } from './finding.js'
import { nodeFinding } from './doctor.js'

const KEY = randomBytes(32).toString('base64url')
const GOOGLE = {
  NETSCRIPT_AUTH_CLIENT_ID: 'id',
  NETSCRIPT_AUTH_CLIENT_SECRET: 'secret',
  NETSCRIPT_AUTH_REDIRECT_URI: 'https://auth.example/api/v1/auth/callback',
  NETSCRIPT_AUTH_KV_OAUTH_KEY: KEY,
}
const callback = (origin: string) => ({
  NETSCRIPT_AUTH_REDIRECT_URI: `${origin}/api/v1/auth/callback`,
})

/** What a check finds, as `status CODE: message fix`. */
const run = async (check: Check, env: NodeJS.ProcessEnv, production = false): Promise<string[]> => {
  const found = await check({ env, ...inspectConfig(env, { production }) })
  for (const { status, fix } of found) expect(fix !== undefined).toBe(status !== 'ok')
  return found.map(({ status, code, message, fix }) =>
    [`${status} ${code}: ${message}`, ...(fix ? [fix] : [])].join(' '),
  )
}

type Case = [what: string, env: NodeJS.ProcessEnv, expected: RegExp[]]
const holds = async (check: Check, env: NodeJS.ProcessEnv, expected: RegExp[]): Promise<void> => {
  expect(await run(check, env)).toEqual(expected.map((one) => expect.stringMatching(one) as string))
}

describe('the configuration', () => {
  it.each<Case>([
    ['what is right', GOOGLE, [/^ok .*kv-oauth, google, https:\/\/auth\.example\./]],
    ['no provider', {}, [/^ok .*the local provider/]],
    [
      'everything that is wrong',
      { ...GOOGLE, PORT: 'x', NETSCRIPT_AUTH_KV_OAUTH_KEY: 'x' },
      [/^fail CONFIGURATION: PORT: .* Correct it\.$/, /^fail .*KEY must be 32 bytes/],
    ],
    [
      'two of one id',
      {
        ...GOOGLE,
        NETSCRIPT_AUTH_PROVIDERS: 'google,google',
        NETSCRIPT_AUTH_GOOGLE_CLIENT_ID: 'id',
        NETSCRIPT_AUTH_GOOGLE_CLIENT_SECRET: 'secret',
      },
      [/^fail .*Two providers have the id "google"\. Give/],
    ],
    [
      'a backend that is not there',
      { NETSCRIPT_AUTH_BACKEND: 'ldap' },
      [/^fail .*"ldap" is not registered\. Set NETSCRIPT_AUTH_BACKEND to one of/],
    ],
  ])('reports %s', (_what, env, expected) => holds(checkConfiguration, env, expected))
})

describe('variables', () => {
  it.each<Case>([
    ['that are all read', GOOGLE, []],
    [
      'that are misspelt',
      { ...GOOGLE, NETSCRIPT_AUTH_REDIRECT_URL: 'x', NETSCRIPT_AUTH_GITHUB_CLIENT_ID: 'x' },
      [
        /^warn VARIABLES: NETSCRIPT_AUTH_REDIRECT_URL is not read\. Did you mean NETSCRIPT_AUTH_REDIRECT_URI\?$/,
        /^warn VARIABLES: NETSCRIPT_AUTH_GITHUB_CLIENT_ID is not read: .* does not list github\. /,
      ],
    ],
  ])('%s', (_what, env, expected) => holds(checkVariables, env, expected))
})

describe('cookies', () => {
  it.each<Case>([
    ['https', GOOGLE, [/^ok COOKIES/]],
    [
      'http on this machine',
      { ...GOOGLE, ...callback('http://localhost:8094') },
      [/^warn COOKIE_SAFARI: Safari .*NETSCRIPT_AUTH_INSECURE_COOKIES=true/],
    ],
    [
      'http on this machine, made ready for Safari',
      {
        ...GOOGLE,
        ...callback('http://localhost:8094'),
        NETSCRIPT_AUTH_COOKIE_NAME: 'ns_session',
        NETSCRIPT_AUTH_INSECURE_COOKIES: 'true',
      },
      [/^warn INSECURE_SWITCH: NETSCRIPT_AUTH_INSECURE_COOKIES/, /^ok COOKIES/],
    ],
    [
      'half made ready for Safari',
      { ...GOOGLE, NETSCRIPT_AUTH_COOKIE_NAME: 'ns_session' },
      [/^fail COOKIES: .*no __Host- prefix\. Use one/],
    ],
    [
      'http elsewhere',
      { ...GOOGLE, ...callback('http://auth.example') },
      [/^fail COOKIE_SCHEME: Browsers reject the .* https in the redirect URI\.$/],
    ],
    ['no provider', {}, [/^warn COOKIE_SAFARI/]],
    ['another backend', { NETSCRIPT_AUTH_BACKEND: 'workos' }, []],
  ])('with %s', (_what, env, expected) => holds(checkCookies, env, expected))

  it('does not repeat what production rejects', async () => {
    const env = { ...GOOGLE, ...callback('http://auth.example'), DATABASE_URL: 'postgres://db/a' }
    expect(await run(checkConfiguration, env, true)).toHaveLength(1)
    expect(await run(checkCookies, env, true)).toEqual([])
  })
})

describe('the proxy', () => {
  it.each<Case>([
    ['unknown', GOOGLE, [/^warn TRUST_PROXY.* Set NETSCRIPT_AUTH_TRUST_PROXY/]],
    ['refused', { ...GOOGLE, NETSCRIPT_AUTH_TRUST_PROXY: '0' }, [/^warn TRUST_PROXY/]],
    ['known', { ...GOOGLE, NETSCRIPT_AUTH_TRUST_PROXY: '1' }, [/^ok TRUST_PROXY.* 1\.$/]],
    ['none', { ...GOOGLE, ...callback('http://localhost:8094') }, []],
  ])('is %s', (_what, env, expected) => holds(checkProxy, env, expected))
})

describe('keys', () => {
  const phrase = Buffer.from('correct horse battery staple....').toString('base64url')
  const zeros = Buffer.alloc(32).toString('base64url')
  const other = randomBytes(32).toString('base64url')
  const keys = (value: string) => ({ ...GOOGLE, NETSCRIPT_AUTH_KV_OAUTH_KEY: value })
  it.each<Case>([
    ['one', GOOGLE, [/^ok .* holds 1 key\.$/]],
    ['two', keys(`${KEY},${other}`), [/^ok .* 2 keys, of which the first signs\.$/]],
    ['one twice', keys(`${KEY},${KEY}`), [/^warn .*one key twice/]],
    ['one that is a phrase', keys(phrase), [/^warn .*Key 1 .*random/]],
    ['one that is nothing', keys(`${KEY},${zeros}`), [/^warn .*Key 2 .*random/]],
    ['none for the local provider', {}, []],
    ['a wrong one for the local provider', { NETSCRIPT_AUTH_KV_OAUTH_KEY: 'x' }, [/^fail KEYS/]],
    ['a wrong one that is known', keys('x'), []],
    ['none of WorkOS, which is known', { NETSCRIPT_AUTH_BACKEND: 'workos' }, []],
    [
      'a short password of WorkOS, which is known',
      {
        NETSCRIPT_AUTH_BACKEND: 'workos',
        WORKOS_API_KEY: 'sk_x',
        WORKOS_CLIENT_ID: 'client_x',
        WORKOS_COOKIE_PASSWORD: 'short',
      },
      [],
    ],
    ['none of better-auth, which is known', { NETSCRIPT_AUTH_BACKEND: 'better-auth' }, []],
    [
      'one of better-auth',
      { NETSCRIPT_AUTH_BACKEND: 'better-auth', BETTER_AUTH_SECRET: other },
      [/^ok KEYS/],
    ],
  ])('finds %s', (_what, env, expected) => holds(checkKeys, env, expected))

  it('accepts every random key', async () => {
    const many = Array.from({ length: 500 }, () => randomBytes(32).toString('base64url'))
    expect(await run(checkKeys, keys(many.join()))).toEqual([expect.stringMatching(/^ok /)])
  })
})

describe('redirect URIs', () => {
  it.each<Case>([
    [
      'one',
      GOOGLE,
      [/^ok .*exactly this at google: https:\/\/auth\.example\/api\/v1\/auth\/callback$/],
    ],
    [
      'a path of its own',
      {
        ...GOOGLE,
        NETSCRIPT_AUTH_REDIRECT_URI: 'https://auth.example/api/v1/auth/callback/google',
      },
      [/^ok .*: https:\/\/auth\.example\/api\/v1\/auth\/callback\/google$/],
    ],
    [
      'another port of this machine',
      { ...GOOGLE, ...callback('http://localhost:3000') },
      [/^warn REDIRECT_URI: .*port 3000 .* listens on 8094\. Set PORT/],
    ],
    ['the port', { ...GOOGLE, PORT: '3000', ...callback('http://localhost:3000') }, [/^ok /]],
    ['none', {}, []],
  ])('with %s', (_what, env, expected) => holds(checkRedirectUris, env, expected))
})

describe('the version of Node', () => {
  it.each([
    ['20.19.0', 'ok'],
    ['20.9.1', 'fail'],
    ['18.20.0', 'fail'],
    ['22.1.0', 'ok'],
  ])('%s is %s', (version, status) => {
    expect(nodeFinding(version, '>=20.19').status).toBe(status)
  })
})
