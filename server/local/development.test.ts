import { describe, expect, it } from 'vitest'
import { createLogger } from '../log.js'
import { startDevelopment } from './development.js'

describe('the local provider', () => {
  it.each([
    { NETSCRIPT_AUTH_ORIGIN: 'https://app.example' },
    { NETSCRIPT_AUTH_ORIGIN: 'http://localhost.example' },
    { NETSCRIPT_AUTH_HOST: '0.0.0.0' },
  ])('serves this machine only: %j', async (env) => {
    const [[name = '', value = '']] = Object.entries(env) as [[string, string]]
    const starting = startDevelopment({
      env,
      logger: () => createLogger('silent'),
      onProgress: () => {},
    })
    await expect(starting).rejects.toThrow(
      `${name} is ${value}, but the local provider serves this machine only.`,
    )
  })
})
