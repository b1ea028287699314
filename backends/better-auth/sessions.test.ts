import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toAuthnRequest } from '../request.js'
import { startTestServer, type TestServer } from './testing/server.js'
import { openBrowser, signUp, type SignedUpPerson } from './testing/sign-up.js'

describe('sessions', () => {
  let server: TestServer<[]>
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  const signInAgain = async (person: SignedUpPerson, userAgent = 'second') => {
    const browser = openBrowser({ ...server, userAgent })
    const { error } = await browser.client.signIn.email(person.credentials)
    expect(error).toBeNull()
    return browser
  }
  const isSignedIn = async (browser: Pick<SignedUpPerson, 'request'>) =>
    (await server.backend.authenticate(await browser.request())).ok
  const sessionId = async (browser: Pick<SignedUpPerson, 'request'>) => {
    const result = await server.backend.authenticate(await browser.request())
    return result.ok ? result.session.id : expect.fail(result.reason)
  }

  it('signs out only the own session, and can be repeated', async () => {
    const person = await signUp(server)
    const [id, other] = [await sessionId(person), await signInAgain(person)]
    const request = await person.request()
    const result = await server.backend.sessions.signOut(request, { everywhere: false })
    expect(result.sessionId).toBe(id)
    expect(await server.backend.authenticate(request)).toMatchObject({
      ok: false,
      reason: 'session-unknown',
    })
    expect(await isSignedIn(other)).toBe(true)
    const again = await server.backend.sessions.signOut(request, { everywhere: false })
    expect(again).not.toHaveProperty('sessionId')
    expect(again.setCookies).toEqual(result.setCookies)
    await person.takeCookies(result.setCookies)
    expect(await person.cookieHeader()).toBe('')
  })

  it('does not extend a session that it is about to end', async () => {
    let extended = 0
    const counting = await startTestServer({
      betterAuthOptions: {
        session: { updateAge: 0 },
        databaseHooks: {
          session: { update: { after: () => Promise.resolve(void (extended += 1)) } },
        },
      },
    })
    const request = await (await signUp(counting)).request()
    await counting.backend.authenticate(request)
    expect(extended).toBe(1)
    await counting.backend.sessions.signOut(request, { everywhere: false })
    expect(extended).toBe(1)
    await counting.close()
  })

  it('clears the cookie of a caller without a session', async () => {
    const result = await server.backend.sessions.signOut(toAuthnRequest({ headers: {} }), {
      everywhere: true,
    })
    expect(result).not.toHaveProperty('sessionId')
    expect(result.setCookies[0]).toMatch(/^better-auth\.session_token=; Max-Age=0; Path=\//)
  })

  it('signs out everywhere, without other users', async () => {
    const [person, stranger] = [await signUp(server), await signUp(server)]
    const other = await signInAgain(person)
    await server.backend.sessions.signOut(await person.request(), { everywhere: true })
    expect(await isSignedIn(person)).toBe(false)
    expect(await isSignedIn(other)).toBe(false)
    expect(await isSignedIn(stranger)).toBe(true)
  })

  it('does not end a session for an unsigned, forged or duplicate cookie', async () => {
    const [victim, attacker] = [await signUp(server), await signUp(server)]
    const { token } = await server.prisma.authSession.findFirstOrThrow({
      where: { userId: victim.userId },
    })
    const [name, own = ''] = (await attacker.cookieHeader()).split('=')
    const signature = decodeURIComponent(own).split('.')[1]
    for (const cookie of [
      `${name}=${token}`,
      `${name}=${encodeURIComponent(`${token}.${signature}`)}`,
      `${await victim.cookieHeader()}; ${name}=${own}`,
    ]) {
      const result = await server.backend.sessions.signOut(
        toAuthnRequest({ headers: { cookie } }),
        {
          everywhere: true,
        },
      )
      expect(result).not.toHaveProperty('sessionId')
    }
    expect(await isSignedIn(victim)).toBe(true)
    expect(await isSignedIn(attacker)).toBe(true)
  })

  it('lists the live sessions of the user, newest first, with their user agents', async () => {
    const person = await signUp({ ...server, userAgent: 'first' })
    await signUp(server)
    const other = await signInAgain(person, 'x'.repeat(300))
    const gone = await signInAgain(person)
    await server.prisma.authSession.update({
      where: { id: await sessionId(gone) },
      data: { expiresAt: new Date(Date.now() - 1000) },
    })
    const { sessions: list } = await server.backend.sessions.listSessions(person.userId)
    expect(list.map(({ session }) => session.id)).toEqual([
      await sessionId(other),
      await sessionId(person),
    ])
    expect(list.map(({ userAgent }) => userAgent)).toEqual(['x'.repeat(256), 'first'])
    expect(list.every(({ session }) => session.userId === person.userId)).toBe(true)
    expect(await server.backend.sessions.listSessions('nobody')).toEqual({ sessions: [] })
  })

  it('ends a session of the user, and returns false for foreign and unknown ones', async () => {
    const [person, stranger] = [await signUp(server), await signUp(server)]
    const id = await sessionId(person)
    const { sessions } = server.backend
    for (const foreign of [await sessionId(stranger), 'unknown', '', '\0', '%']) {
      expect(await sessions.revokeSession(person.userId, foreign), foreign).toBe(false)
    }
    expect(await sessions.revokeSession(person.userId, id)).toBe(true)
    expect(await sessions.revokeSession(person.userId, id)).toBe(false)
    expect(await isSignedIn(person)).toBe(false)
    expect(await isSignedIn(stranger)).toBe(true)
  })

  it('ends all sessions except one, however many there are', async () => {
    const [person, stranger] = [await signUp(server), await signUp(server)]
    const keep = await sessionId(person)
    const { userId } = person
    await server.prisma.authSession.createMany({
      data: Array.from({ length: 250 }, (_, index) => ({
        id: `${userId}-${index}`,
        token: `${userId}-${index}`,
        userId,
        expiresAt: new Date(Date.now() + 60_000),
      })),
    })
    const { sessions } = server.backend
    const page = await sessions.listSessions(userId)
    expect(page.sessions).toHaveLength(100)
    expect(page.cursor).toEqual(expect.any(String))
    expect(await sessions.revokeSessions(userId, { except: keep })).toBe(250)
    expect(await sessions.revokeSessions(userId, { except: keep })).toBe(0)
    expect(await isSignedIn(person)).toBe(true)
    expect(await sessions.revokeSessions(userId)).toBe(1)
    expect(await isSignedIn(person)).toBe(false)
    expect(await isSignedIn(stranger)).toBe(true)
  })

  it('signing out everywhere can be repeated after a partial failure', async () => {
    const person = await signUp(server)
    const { userId } = person
    const oldest = `${userId}-oldest`
    // Sessions end in batches of 100, newest first, so the oldest is in the second batch.
    await server.prisma.authSession.createMany({
      data: Array.from({ length: 150 }, (_, index) => ({
        id: index === 0 ? oldest : `${userId}-${index}`,
        token: `${userId}-${index}`,
        userId,
        createdAt: new Date(Date.now() - (index === 0 ? 120_000 : 60_000)),
        expiresAt: new Date(Date.now() + 60_000),
      })),
    })
    await server.pool.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not write to file' USING ERRCODE = '58030'; END $$`)
    await server.pool.query(`CREATE TRIGGER refuse BEFORE DELETE ON auth_sessions FOR EACH ROW
      WHEN (OLD.id = '${oldest}') EXECUTE FUNCTION refuse()`)
    const request = await person.request()
    const everywhere = () => server.backend.sessions.signOut(request, { everywhere: true })
    await expect(everywhere()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const { sessions: left } = await server.backend.sessions.listSessions(userId)
    expect(left.length).toBeLessThan(151)
    await server.pool.query('DROP FUNCTION refuse CASCADE')
    expect(await everywhere()).toHaveProperty('sessionId')
    expect(await server.backend.sessions.listSessions(userId)).toEqual({ sessions: [] })
  })

  it('does not report a session as ended if a hook kept it', async () => {
    const stubborn = await startTestServer({
      betterAuthOptions: {
        databaseHooks: { session: { delete: { before: () => Promise.resolve(false) } } },
      },
    })
    const person = await signUp(stubborn)
    const { sessions } = stubborn.backend
    const {
      sessions: [entry],
    } = await sessions.listSessions(person.userId)
    const request = await person.request()
    for (const call of [
      () => sessions.signOut(request, { everywhere: false }),
      () => sessions.signOut(request, { everywhere: true }),
      () => sessions.revokeSession(person.userId, entry?.session.id ?? ''),
      () => sessions.revokeSessions(person.userId),
    ]) {
      await expect(call(), String(call)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    }
    await stubborn.close()
  })

  it('does not restore a session that ends while it is being extended', async () => {
    const person = await signUp(server)
    await server.prisma.authSession.updateMany({
      where: { userId: person.userId },
      data: { expiresAt: new Date(Date.now() + 86_400_000) },
    })
    const request = await person.request()
    await Promise.all([
      ...Array.from({ length: 10 }, () => server.backend.authenticate(request)),
      server.backend.sessions.signOut(request, { everywhere: false }),
    ])
    expect((await server.backend.authenticate(request)).ok).toBe(false)
    expect(await server.backend.sessions.listSessions(person.userId)).toEqual({ sessions: [] })
  })
})
