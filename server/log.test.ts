import { expect, it } from 'vitest'
import { serializeError } from './log.js'

it('shows what a provider answered, wherever it is among the causes, and no other field', () => {
  const said = Object.assign(new Error('The server responded with an error.'), {
    error: 'invalid_client',
    error_description: 'Wrong\u0000 secret GOCSPX-a1b2c3d4e5f6g7h8 of ada@example.test',
    cause: { access_token: 'secret' },
  })
  const logged = serializeError(new Error('The tokens were not renewed.', { cause: said }))
  expect(logged?.cause).toMatchObject({
    providerError: 'invalid_client',
    providerErrorDescription: 'Wrong secret … of …',
  })
  expect(JSON.stringify(logged)).not.toMatch(/GOCSPX|example\.test|access_token/)
})
