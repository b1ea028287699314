import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthConfigurationError } from '../errors.js'
import { betterAuthBackendFromEnv } from './backend.js'
import { startTestServer, type TestServer } from './testing/server.js'
import { signUp } from './testing/sign-up.js'

describe('betterAuthBackendFromEnv', () => {
  let server: TestServer<[]>
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  const fromEnv = (env: NodeJS.ProcessEnv) =>
    betterAuthBackendFromEnv(env, { pool: server.pool, baseUrl: server.origin })

  it('accepts sessions of another process with the same secret', async () => {
    const backend = await fromEnv({ BETTER_AUTH_SECRET: server.secret })
    const person = await signUp(server)
    expect(await backend.authenticate(await person.request())).toMatchObject({
      ok: true,
      principal: { subject: person.userId },
    })
    await backend.probe()
    await backend.close()
    // The pool belongs to the caller.
    expect((await server.pool.query('SELECT 1')).rowCount).toBe(1)
  })

  it('does not accept sessions signed with another secret', async () => {
    const backend = await fromEnv({ BETTER_AUTH_SECRET: 'another-secret-of-enough-characters' })
    const person = await signUp(server)
    expect(await backend.authenticate(await person.request())).toMatchObject({
      ok: false,
      reason: 'credential-invalid',
    })
    await backend.close()
  })

  it.each([
    [undefined, /BETTER_AUTH_SECRET is not set\. Make one with/],
    ['   ', /BETTER_AUTH_SECRET is not set\. Make one with/],
    ['too-short-to-be-a-secret', /BETTER_AUTH_SECRET must have at least 32 characters\. Make one/],
  ])('rejects the secret %j with the fix', async (secret, message) => {
    const failure = await fromEnv({ BETTER_AUTH_SECRET: secret }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(AuthConfigurationError)
    expect((failure as Error).message).toMatch(message)
    expect((failure as Error).message).not.toContain('too-short')
  })
})
