import { expect, it } from 'vitest'
import { createMemoryBackend } from '../../backends/conformance/testing/memory-backend.js'
import { createMemoryStore } from '../../backends/conformance/testing/memory-store.js'
import { createLogger } from '../log.js'
import { createAuthHandler } from './fetch.js'

const ORIGIN = 'https://auth.example.com'
const handler = createAuthHandler({
  backend: createMemoryBackend(createMemoryStore(), 'x'.repeat(32)),
  origin: ORIGIN,
  rateLimit: false,
  logger: createLogger('silent'),
})

it.each<[string, BodyInit]>([
  ['bytes', new TextEncoder().encode('{}')],
  ['a string', '{}'],
  ['a blob', new Blob(['{}'])],
])('POST /signin refuses %s without a media type of JSON as 415', async (_what, body) => {
  const request = new Request(`${ORIGIN}/api/v1/auth/signin`, { method: 'POST', body })
  const response = await handler(request)
  expect(response.status).toBe(415)
  expect(await response.json()).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' })
})

it('POST /signout without a body and without JSON is rejected for its origin', async () => {
  const response = await handler(new Request(`${ORIGIN}/api/v1/auth/signout`, { method: 'POST' }))
  expect(response.status).toBe(403)
})
