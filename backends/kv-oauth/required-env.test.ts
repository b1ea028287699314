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

  it('names the other usual variables that are not set either, so that one run is enough', () => {
    const usual = {
      NETSCRIPT_AUTH_CLIENT_ID: undefined,
      NETSCRIPT_AUTH_CLIENT_SECRET: 'secret',
      NETSCRIPT_AUTH_REDIRECT_URI: ' ',
      NETSCRIPT_AUTH_KV_OAUTH_KEY: undefined,
      DATABASE_URL: undefined,
    }
    for (const [name, value] of Object.entries(usual)) vi.stubEnv(name, value)
    expect(() => getRequiredEnv('NETSCRIPT_AUTH_CLIENT_ID')).toThrow(
      'Also not set: NETSCRIPT_AUTH_REDIRECT_URI, NETSCRIPT_AUTH_KV_OAUTH_KEY, DATABASE_URL.',
    )
    vi.stubEnv(NAME, undefined)
    expect(() => getRequiredEnv(NAME)).not.toThrow(/Also not set/)
  })

  it.each([undefined, '', '  \t'])('names the variable when it is %j', (value) => {
    vi.stubEnv(NAME, value)
    expect(() => getRequiredEnv(NAME)).toThrow(AuthConfigurationError)
    expect(() => getRequiredEnv(NAME)).toThrow(
      `Required environment variable ${NAME} is not set. Set ${NAME} to a value`,
    )
  })
})
