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

  it.each([undefined, '', '  \t'])('names the variable when it is %j', (value) => {
    vi.stubEnv(NAME, value)
    expect(() => getRequiredEnv(NAME)).toThrow(AuthConfigurationError)
    expect(() => getRequiredEnv(NAME)).toThrow(
      `Required environment variable ${NAME} is not set. Set ${NAME} to a value`,
    )
  })
})
