import { createAuthClient } from 'better-auth/client'
import { multiSessionClient } from 'better-auth/client/plugins'
import { emailOTP, magicLink, multiSession } from 'better-auth/plugins'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withoutTokens } from './session-tokens.js'
import { startTestServer, type TestServer } from './testing/server.js'
import { type BetterAuthBrowser, openBrowser, signUp } from './testing/sign-up.js'

const JSON_TYPE = { 'content-type': 'application/json' }

describe('session tokens in bodies', () => {
  let server: TestServer<never[]>
  const links: string[] = []
  const codes: string[] = []
  beforeAll(async () => {
    server = await startTestServer({
      plugins: [
        multiSession(),
        magicLink({ sendMagicLink: ({ url }) => void links.push(url) }),
        emailOTP({ sendVerificationOTP: ({ otp }) => Promise.resolve(void codes.push(otp)) }),
      ] as never[],
    })
  })
  afterAll(() => server.close())

  const sessions = () => server.prisma.authSession.findMany()
  const call = async (browser: BetterAuthBrowser, path: string, body?: object) => {
    const response = await browser.fetch(`/api/auth${path}`, {
      ...(body && { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) }),
    })
    expect(response.status, path).toBe(200)
    const text = await response.text()
    for (const { token } of await sessions()) expect(text, path).not.toContain(token)
    return JSON.parse(text) as unknown
  }
  const newest = (userId: string) =>
    server.prisma.authSession.findFirstOrThrow({
      where: { userId },
      orderBy: { createdAt: 'desc' },
    })

  it('are replaced by the public id of the session in every response', async () => {
    const person = await signUp(server)
    const { email, password } = person.credentials
    const { userId } = person
    const own = await newest(userId)
    const answers: [path: string, body?: object][] = [
      ['/get-session'],
      ['/list-sessions'],
      ['/multi-session/list-device-sessions'],
    ]
    for (const [path, body] of answers) {
      expect(JSON.stringify(await call(person, path, body)), path).toContain(`"token":"${own.id}"`)
    }
    const again = openBrowser(server)
    expect(await call(again, '/sign-in/email', { email, password })).toMatchObject({
      token: (await newest(userId)).id,
    })
    const changed = await call(again, '/change-password', {
      currentPassword: password,
      newPassword: `${password}!`,
      revokeOtherSessions: true,
    })
    expect(changed).toMatchObject({ token: (await newest(userId)).id })

    const fresh = openBrowser(server)
    expect(
      await call(fresh, '/sign-up/email', { name: 'B', email: `b-${email}`, password }),
    ).toMatchObject({ token: (await sessions()).at(-1)?.id })

    const linked = openBrowser(server)
    await call(linked, '/sign-in/magic-link', { email })
    const link = new URL(links.at(-1) ?? expect.fail('no link was sent'))
    link.searchParams.delete('callbackURL')
    const verified = await call(linked, link.href.slice(`${server.origin}/api/auth`.length))
    expect(verified).toMatchObject({ token: (await newest(userId)).id })

    const coded = openBrowser(server)
    await call(coded, '/email-otp/send-verification-otp', { email, type: 'sign-in' })
    const signedIn = await call(coded, '/sign-in/email-otp', { email, otp: codes.at(-1) })
    expect(signedIn).toMatchObject({ token: (await newest(userId)).id })
  })

  it('are replaced in a response without a session object too', async () => {
    const person = await signUp(server)
    const { id, token } = await newest(person.userId)
    const sent = await person.cookieHeader()
    const text = await withoutTokens(
      server.auth,
      { list: [`x ${token} y`, 1, null] },
      { sent, set: [] },
    )
    expect(text).toBe(JSON.stringify({ list: [`x ${id} y`, 1, null] }))
    // A cookie that is not a token, or of an ended session, has no effect.
    const cookie = 'better-auth.session_token'
    for (const other of [`${cookie}=%`, `${cookie}=x.y`, `${cookie}=`, 'x=y', '']) {
      const body = { x: 'y', list: ['a'] }
      expect(await withoutTokens(server.auth, body, { sent: other, set: [other] })).toBe(
        JSON.stringify(body),
      )
    }
  })

  it('can be given as the public id to revoke a session', async () => {
    const [person, stranger] = [await signUp(server), await signUp(server)]
    const second = openBrowser(server)
    await second.client.signIn.email(person.credentials)
    const { data } = await person.client.listSessions()
    const own = (await person.client.getSession()).data?.session
    const other = data?.find(({ id }) => id !== own?.id) ?? expect.fail('no other session')
    expect(other.token).toBe(other.id)
    const foreign = await stranger.client.revokeSession({ token: other.token })
    expect(foreign.error).toBeNull()
    expect((await second.client.getSession()).data).not.toBeNull()
    expect((await person.client.revokeSession({ token: other.token })).error).toBeNull()
    expect((await second.client.getSession()).data).toBeNull()
    // The token itself, which only the server knows, still works.
    const { token } = await newest(person.userId)
    expect((await person.client.revokeSession({ token })).error).toBeNull()
    expect((await person.client.getSession()).data).toBeNull()
  })

  it('can be given as the public id to the routes of plugins', async () => {
    const [first, second] = [await signUp(server), await signUp(server)]
    const browser = openBrowser(server)
    const client = createAuthClient({
      baseURL: `${server.origin}/api/auth`,
      plugins: [multiSessionClient()],
      fetchOptions: {
        customFetchImpl: (input, init) =>
          browser.fetch(input instanceof Request ? input.url : input, init),
      },
    })
    await client.signIn.email(first.credentials)
    await client.signIn.email(second.credentials)
    const { data } = await client.multiSession.listDeviceSessions()
    const held = data?.find(({ user }) => user.id === first.userId) ?? expect.fail('not held')
    expect(held.session.token).toBe(held.session.id)
    const sessionToken = held.session.token
    expect((await client.multiSession.setActive({ sessionToken })).error).toBeNull()
    expect((await client.getSession()).data?.user.id).toBe(first.userId)
    expect((await client.multiSession.revoke({ sessionToken })).error).toBeNull()
    expect((await client.getSession()).data?.user.id).toBe(second.userId)
  })
})
