import { afterEach, describe, expect, it, vi } from 'vitest'
import { AuthConfigurationError } from '../errors.js'
import { getRequiredEnv } from './required-env.js'

const NAME = 'NETSCRIPT_AUTH_REQUIRED_ENV_TEST'

afterEach(() => vi.unstubAllEnvs())

describe('getRequiredEnv', () => {
  it('returns the value without surrounding white space', () => {
    vi.stubEnv(NAME, ' value\n')
    expect(getRequiredEnv(NAME)).toBe('value')
  })

  const unset = {
    NETSCRIPT_AUTH_CLIENT_ID: undefined,
    NETSCRIPT_AUTH_CLIENT_SECRET: undefined,
    NETSCRIPT_AUTH_REDIRECT_URI: ' ',
    NETSCRIPT_AUTH_KV_OAUTH_KEY: undefined,
    BETTER_AUTH_SECRET: undefined,
    WORKOS_API_KEY: undefined,
    WORKOS_CLIENT_ID: undefined,
    WORKOS_COOKIE_PASSWORD: undefined,
    DATABASE_URL: undefined,
  }
  it.each<[string, Record<string, string>, string]>([
    [
      'NETSCRIPT_AUTH_CLIENT_ID',
      { NETSCRIPT_AUTH_CLIENT_SECRET: 'secret' },
      'NETSCRIPT_AUTH_REDIRECT_URI, NETSCRIPT_AUTH_KV_OAUTH_KEY, DATABASE_URL',
    ],
    [
      'DATABASE_URL',
      { NETSCRIPT_AUTH_CLIENT_ID: 'id', NETSCRIPT_AUTH_REDIRECT_URI: 'https://a.example' },
      'NETSCRIPT_AUTH_CLIENT_SECRET, NETSCRIPT_AUTH_KV_OAUTH_KEY',
    ],
    ['BETTER_AUTH_SECRET', {}, 'DATABASE_URL'],
    ['WORKOS_CLIENT_ID', { WORKOS_API_KEY: 'sk' }, 'WORKOS_COOKIE_PASSWORD'],
  ])('names all missing variables of the same backend besides %s', (name, given, others) => {
    for (const [variable, value] of Object.entries({ ...unset, ...given })) {
      vi.stubEnv(variable, value)
    }
    expect(() => getRequiredEnv(name)).toThrow(`Also not set: ${others}. Set those`)
  })

  it('names no others if none is missing', () => {
    for (const [variable, value] of Object.entries(unset)) vi.stubEnv(variable, value)
    vi.stubEnv('BETTER_AUTH_SECRET', 'secret')
    for (const name of ['DATABASE_URL', NAME]) {
      expect(() => getRequiredEnv(name)).not.toThrow(/Also not set/)
    }
  })

  it.each([undefined, '', '  \t'])('names the variable when it is %j', (value) => {
    vi.stubEnv(NAME, value)
    expect(() => getRequiredEnv(NAME)).toThrow(AuthConfigurationError)
    expect(() => getRequiredEnv(NAME)).toThrow(
      `Required environment variable ${NAME} is not set. Set ${NAME} to a value`,
    )
  })
})
