import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createAuthClient } from '@netscript/auth-client'
import { createTokenAuthenticator } from '@netscript/auth-guard'
import { createTestAuth } from './index.js'
import { authHandlers } from './msw.js'

const server = setupServer()
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
afterEach(() => server.resetHandlers())
afterAll(() => server.close())

// The global fetch, on a host that does not exist.
const client = createAuthClient({ baseUrl: 'http://app.invalid' })

describe('authHandlers', () => {
  it('answer a page as the user, until another one is chosen', async () => {
    const auth = await createTestAuth()
    for (const name of ['Ada', 'Grace']) {
      server.use(...authHandlers(await auth.signInAs({ name })))
      expect(await client.me()).toMatchObject({ user: { displayName: name } })
    }
  })

  it('keep the sign-in and the sign-out of a page in their browser alone', async () => {
    const auth = await createTestAuth()
    auth.answerSignIns({ name: 'Grace' })
    const browser = auth.browser()
    server.use(...authHandlers(browser))
    expect(await client.me()).toEqual({ authenticated: false })
    const { redirectUrl } = await client.signin({ redirectTo: '/orders' })
    expect(await browser.open(redirectUrl)).toBe(`${auth.origin}/orders`)
    expect(await client.me()).toMatchObject({ user: { displayName: 'Grace' } })
    server.use(...authHandlers(auth.browser()))
    expect(await client.me()).toEqual({ authenticated: false })
    server.use(...authHandlers(browser))
    await client.signout()
    expect(await client.me()).toEqual({ authenticated: false })
  })

  it('answer problems, queries and requests without a body as the engine does', async () => {
    const auth = await createTestAuth()
    const ada = await auth.signInAs()
    server.use(...authHandlers(ada))
    await expect(client.signin({ redirectTo: 'https://evil.example/' })).rejects.toMatchObject({
      code: 'RETURN_TO_NOT_ALLOWED',
    })
    await auth.signInAs()
    expect((await client.sessions({ limit: 1 })).sessions).toHaveLength(1)
    expect(await client.revokeOtherSessions()).toEqual({ revoked: 1 })
  })

  it('serve the keys that verify tokens', async () => {
    const ada = await (await createTestAuth()).signInAs({ id: 'u1' })
    server.use(...authHandlers(ada))
    const audience = 'https://orders.example'
    const guard = createTokenAuthenticator({ issuer: 'http://localhost:3000', audience })
    const headers = { authorization: `Bearer ${await ada.token({ audience })}` }
    expect(await guard.authenticate({ headers })).toMatchObject({ principal: { subject: 'u1' } })
  })
})
