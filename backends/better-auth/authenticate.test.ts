import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthSession, AuthUser } from '../../contract/session.js'
import { toAuthnRequest } from '../request.js'
import { startTestServer, type TestServer } from './testing/server.js'
import { openBrowser, signUp } from './testing/sign-up.js'
import { requestCookies } from './authenticate.js'

const COOKIE = 'better-auth.session_token'
const DAY = 86_400_000

const withCookie = (cookie: string) => toAuthnRequest({ headers: { cookie } })

describe('authenticate', () => {
  let server: TestServer<[]>
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  const storedSession = (userId: string) =>
    server.prisma.authSession.findFirstOrThrow({ where: { userId } })

  it('authenticates a user who signed up', async () => {
    const person = await signUp(server)
    const result = await server.backend.authenticate(await person.request())
    if (!result.ok) expect.fail(result.reason)
    expect(result.user).toEqual({
      id: person.userId,
      displayName: person.name,
      email: person.email,
      emailVerified: false,
    })
    const row = await storedSession(person.userId)
    expect(result.session).toEqual({
      id: row.id,
      userId: person.userId,
      subject: person.userId,
      providerId: 'better-auth',
      state: 'active',
      scopes: [],
      roles: [],
      claims: {},
      issuedAt: row.createdAt.toISOString(),
      expiresAt: row.expiresAt.toISOString(),
      refreshedAt: row.updatedAt.toISOString(),
    })
    expect(result.principal).toEqual({
      subject: person.userId,
      scopes: [],
      roles: [],
      scheme: 'custom',
      claims: { sessionId: row.id, providerId: 'better-auth' },
    })
    expect(result.setCookies).toEqual([])
    expect(AuthSession.parse(result.session)).toEqual(result.session)
    expect(AuthUser.parse(result.user)).toEqual(result.user)
  })

  it('gives the same user in another session at the next sign-in', async () => {
    const person = await signUp(server)
    const browser = openBrowser(server)
    const { error } = await browser.client.signIn.email(person.credentials)
    expect(error).toBeNull()
    const [first, second] = [
      await server.backend.authenticate(await person.request()),
      await server.backend.authenticate(await browser.request()),
    ]
    if (!first.ok || !second.ok) expect.fail()
    expect(second.principal.subject).toBe(first.principal.subject)
    expect(second.session.id).not.toBe(first.session.id)
  })

  it('returns no token, address or user agent', async () => {
    const person = await signUp({ ...server, userAgent: 'unmistakable-agent' })
    const row = await storedSession(person.userId)
    expect(row.userAgent).toBe('unmistakable-agent')
    expect(row.ipAddress).toBe('127.0.0.1')
    const request = await person.request()
    const everything = JSON.stringify([
      await server.backend.authenticate(request),
      (await server.backend.sessions.listSessions(person.userId)).sessions.map(
        ({ session }) => session,
      ),
      await server.backend.sessions.signOut(request, { everywhere: false }),
    ])
    expect(everything).toContain(row.id)
    expect(everything).not.toContain(row.token)
    expect(everything).not.toContain('unmistakable-agent')
    expect(everything).not.toContain('127.0.0.1')
    expect(everything).not.toMatch(/ipAddress|userAgent|"token"|password/)
  })

  it('does not query the database without the cookie', async () => {
    const stranger = await startTestServer()
    await stranger.pool.end()
    for (const cookie of ['', 'other=1', '__Secure-better-auth.session_token=a.b']) {
      expect(await stranger.backend.authenticate(withCookie(cookie))).toEqual({
        ok: false,
        reason: 'credential-missing',
        setCookies: [],
      })
    }
    await stranger.close()
  })

  it('does not query the database for a cookie with an invalid signature, whichever byte is changed', async () => {
    const other = await startTestServer()
    const person = await signUp(other)
    const [, value = ''] = (await person.cookieHeader()).split(`${COOKIE}=`)
    const [token = '', signature = ''] = decodeURIComponent(value).split('.')
    await other.pool.end()
    const forged = [
      token,
      `${token}.`,
      `.${signature}`,
      `${signature}.${token}`,
      '%',
      'é',
      '\u{1f36a}',
      'a"b',
      'a\n',
    ]
    for (let at = 0; at < signature.length - 1; at += 1) {
      // 'A' and 'Q' differ in a high bit: the low bits of the last character are unused.
      const changed = signature[at] === 'A' ? 'Q' : 'A'
      const text = signature.slice(0, at) + changed + signature.slice(at + 1)
      forged.push(encodeURIComponent(`${token}.${text}`))
      forged.push(encodeURIComponent(`${token}.${signature.slice(0, at)}`))
    }
    for (let at = 0; at < token.length; at += 1) {
      const text = token.slice(0, at) + (token[at] === 'a' ? 'b' : 'a') + token.slice(at + 1)
      forged.push(encodeURIComponent(`${text}.${signature}`))
    }
    for (const cookie of forged) {
      const result = await other.backend.authenticate(withCookie(`${COOKIE}=${cookie}`))
      expect(result, cookie).toEqual({ ok: false, reason: 'credential-invalid', setCookies: [] })
    }
    // The unchanged cookie does reach the database, which is unreachable here.
    await expect(other.backend.authenticate(withCookie(`${COOKIE}=${value}`))).rejects.toThrow(
      /STORE_UNAVAILABLE/,
    )
    await other.close()
  })

  it('ignores a cookie that was sent twice', async () => {
    const [victim, attacker] = [await signUp(server), await signUp(server)]
    const [theirs, own] = [await victim.cookieHeader(), await attacker.cookieHeader()]
    for (const cookie of [`${theirs}; ${own}`, `${own}; ${theirs}`, `${own}; ${own}`]) {
      expect(await server.backend.authenticate(withCookie(cookie))).toMatchObject({
        ok: false,
        reason: 'credential-invalid',
      })
    }
  })

  it('reads credentials from cookies only', async () => {
    const person = await signUp(server)
    const { token } = await storedSession(person.userId)
    const result = await server.backend.authenticate(
      toAuthnRequest({ headers: { authorization: `Bearer ${token}` } }),
    )
    expect(result.ok).toBe(false)
  })

  it('does not accept an expired session, and clears its cookie', async () => {
    const person = await signUp(server)
    await server.prisma.authSession.updateMany({
      where: { userId: person.userId },
      data: { expiresAt: new Date(Date.now() - 1000) },
    })
    const result = await server.backend.authenticate(await person.request())
    expect(result).toMatchObject({ ok: false, reason: 'session-unknown' })
    await person.takeCookies(result.setCookies)
    expect(await person.cookieHeader()).toBe('')
  })

  it('does not accept a session of a deleted user', async () => {
    const person = await signUp(server)
    await server.prisma.betterAuthUser.delete({ where: { id: person.userId } })
    const result = await server.backend.authenticate(await person.request())
    expect(result).toMatchObject({ ok: false, reason: 'session-unknown' })
  })

  it('extends a session past its updateAge, and passes the cookie on unchanged', async () => {
    const person = await signUp(server)
    const row = await storedSession(person.userId)
    await server.prisma.authSession.update({
      where: { id: row.id },
      data: { expiresAt: new Date(Date.now() + 2 * DAY) },
    })
    const before = await person.cookieHeader()
    const result = await server.backend.authenticate(await person.request())
    if (!result.ok) expect.fail(result.reason)
    expect(result.setCookies).toHaveLength(1)
    expect(result.setCookies[0]).toMatch(
      new RegExp(`^${COOKIE}=[^;]+; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax$`),
    )
    expect(Date.parse(result.session.expiresAt)).toBeGreaterThan(Date.now() + 6 * DAY)
    await person.takeCookies(result.setCookies)
    expect(await person.cookieHeader()).toBe(before)
    const again = await server.backend.authenticate(await person.request())
    expect(again).toMatchObject({ ok: true, setCookies: [] })
  })

  it('is anonymous if the session ends while it is being extended', async () => {
    const racing: TestServer<[]> = await startTestServer({
      betterAuthOptions: {
        session: { updateAge: 0 },
        databaseHooks: {
          session: {
            update: { before: async () => void (await racing.prisma.authSession.deleteMany()) },
          },
        },
      },
    })
    const person = await signUp(racing)
    expect(await racing.backend.authenticate(await person.request())).toEqual({
      ok: false,
      reason: 'session-revoked',
      setCookies: [],
    })
    await racing.close()
  })

  it('throws STORE_UNAVAILABLE if the database is unreachable, instead of anonymous', async () => {
    const failing = await startTestServer()
    const person = await signUp(failing)
    const request = await person.request()
    await expect(failing.backend.probe()).resolves.toBeUndefined()
    await failing.pool.end()
    const { backend } = failing
    const calls = [
      () => backend.authenticate(request),
      () => backend.probe(),
      () => backend.sessions.signOut(request, { everywhere: false }),
      () => backend.sessions.signOut(request, { everywhere: true }),
      () => backend.sessions.listSessions(person.userId),
      () => backend.sessions.revokeSession(person.userId, 'id'),
      () => backend.sessions.revokeSessions(person.userId),
    ]
    for (const call of calls) {
      await expect(call(), String(call)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        setCookies: [],
      })
    }
    await failing.close()
  })
})

/** A token and a signature, percent-encoded like better-auth. */
const SIGNED = `a.%2B${'A'.repeat(42)}%3D`

describe('requestCookies', () => {
  let server: TestServer<[]>
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  const read = (cookie: string) =>
    requestCookies(server.auth, toAuthnRequest({ headers: { cookie } }))

  it('keeps the cookies of better-auth and its plugins unchanged', async () => {
    const own = `better-auth.session_token=${SIGNED}; better-auth.two_factor=c`
    const { headers, sessionCookie } = await read(`x=1; ${own}; __Host-ns_session=d; better-auth=e`)
    expect([...headers]).toEqual([['cookie', own]])
    expect(sessionCookie).toBe('present')
  })

  it.each([
    ['', 'absent', null],
    ['better-auth.other=1; better-auth.other=2', 'absent', null],
    ['better-auth.session_token=', 'unusable', null],
    [`better-auth.session_token=${SIGNED.replace('%2B', '%2b')}`, 'unusable', null],
    [`better-auth.session_token=${SIGNED.replace('AA%3D', 'AB%3D')}`, 'unusable', null],
    ['better-auth.session_token=a; better-auth.session_token=a', 'unusable', null],
    ['better-auth.session_token=é; better-auth.other=1', 'unusable', 'better-auth.other=1'],
    [
      `better-auth.session_token=${SIGNED}; better-auth.o=1; better-auth.o=2`,
      'present',
      `better-auth.session_token=${SIGNED}`,
    ],
  ])('reads %j as %s', async (cookie, sessionCookie, header) => {
    const result = await read(cookie)
    expect(result.sessionCookie).toBe(sessionCookie)
    expect(result.headers.get('cookie')).toBe(header)
  })
})
