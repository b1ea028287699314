import type { PostgresConnection } from '@netscript/auth-database'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBetterAuthOperator } from './operator.js'
import { trailOf } from '../kv-oauth/storage/testing/audit-trail.js'
import { sweepBetterAuth } from '../../prisma/sweep.js'
import { waitsForLock } from '../../prisma/test-database.js'
import { startTestServer, type TestServer } from './testing/server.js'
import { openBrowser, signUp, type SignedUpPerson } from './testing/sign-up.js'

describe('createBetterAuthOperator', () => {
  let server: TestServer<[]>
  const operator = () => createBetterAuthOperator(server.pool)
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  const isSignedIn = async (person: Pick<SignedUpPerson, 'request'>) =>
    (await server.backend.authenticate(await person.request())).ok
  const signInAgain = async (person: SignedUpPerson) => {
    const browser = openBrowser(server)
    const { error } = await browser.client.signIn.email(person.credentials)
    return { browser, status: error?.status }
  }

  it('lists the live sessions of a user as the API returns them', async () => {
    const person = await signUp(server)
    await signInAgain(person)
    const listed = await operator().listSessions(person.userId)
    expect(listed).toEqual(await server.backend.sessions.listSessions(person.userId))
    expect(listed.sessions).toHaveLength(2)
    const first = await operator().listSessions(person.userId, { limit: 1 })
    const second = await operator().listSessions(person.userId, { limit: 1, cursor: first.cursor! })
    expect([...first.sessions, ...second.sessions]).toEqual(listed.sessions)
    expect(second).not.toHaveProperty('cursor')
    expect(await operator().listSessions('nobody')).toEqual({ sessions: [] })
    expect(await operator().listSessions('\0')).toEqual({ sessions: [] })
  })

  it('reads instants correctly with another DateStyle and time zone', async () => {
    const person = await signUp(server)
    const own = new pg.Pool({
      connectionString: server.databaseUrl,
      options: '-c DateStyle=German -c TimeZone=Asia/Kolkata',
    })
    const there = createBetterAuthOperator(own)
    expect(await there.listSessions(person.userId)).toEqual(
      await operator().listSessions(person.userId),
    )
    await there.disableUser(person.userId)
    const user = await there.getUser(person.userId)
    expect(user).toEqual(await operator().getUser(person.userId))
    for (const instant of [user?.createdAt, user?.disabledAt]) {
      expect(Math.abs(Date.parse(instant ?? '') - Date.now())).toBeLessThan(120_000)
    }
    await own.end()
  })

  it('ends one or all sessions of a user, in every process', async () => {
    const person = await signUp(server)
    const { browser } = await signInAgain(person)
    const {
      sessions: [newest],
    } = await operator().listSessions(person.userId)
    expect(await operator().revokeSession(newest?.session.id ?? '')).toBe(true)
    expect(await operator().revokeSession(newest?.session.id ?? '')).toBe(false)
    expect([await isSignedIn(person), await isSignedIn(browser)]).toEqual([true, false])
    expect(await operator().revokeSessions(person.userId)).toBe(1)
    expect(await operator().revokeSessions(person.userId)).toBe(0)
    expect(await isSignedIn(person)).toBe(false)
  })

  it('disables a user until they are enabled again', async () => {
    const [person, other] = [await signUp(server), await signUp(server)]
    expect(await operator().disableUser('nobody')).toBe(false)
    expect(await operator().disableUser(person.userId)).toBe(true)
    expect(await isSignedIn(person)).toBe(false)
    expect((await signInAgain(person)).status).toBe(403)
    expect((await operator().getUser(person.userId))?.disabledAt).toBeDefined()
    expect(await isSignedIn(other)).toBe(true)
    expect(await operator().enableUser(person.userId)).toBe(true)
    expect((await signInAgain(person)).status).toBeUndefined()
    expect(await operator().enableUser('nobody')).toBe(false)
  })

  it('leaves no session when a user is disabled during a sign-in', async () => {
    const racing: TestServer<[]> = await startTestServer({
      betterAuthOptions: {
        databaseHooks: {
          session: {
            create: {
              before: async ({ userId }) => {
                if (isRacing) await createBetterAuthOperator(racing.pool).disableUser(userId)
              },
            },
          },
        },
      },
    })
    let isRacing = false
    const person = await signUp(racing)
    isRacing = true
    const browser = openBrowser(racing)
    expect((await browser.client.signIn.email(person.credentials)).error?.status).toBe(403)
    expect(await racing.prisma.authSession.count()).toBe(0)
    await racing.close()
  })

  it('deletes a user with their accounts and sessions', async () => {
    const person = await signUp(server)
    expect(await operator().deleteUser(person.userId)).toBe(true)
    expect(await operator().deleteUser(person.userId)).toBe(false)
    expect(await isSignedIn(person)).toBe(false)
    expect(await operator().getUser(person.userId)).toBeUndefined()
    expect((await signInAgain(person)).status).toBe(401)
  })

  /** Inserts a session like better-auth, with the audit subject of an authenticated user. */
  const insertSession = (connection: PostgresConnection, id: string, userId: string) =>
    connection.query(
      `INSERT INTO auth_sessions (id, token, user_id, audit_subject, expires_at)
       VALUES ($1, $1, $2, 'ada', now() + interval '1 hour')`,
      [id, userId],
    )

  it('records the end of a session that starts while its user is deleted', async () => {
    const { userId } = await signUp(server)
    const signIn = await server.pool.connect()
    try {
      await signIn.query('BEGIN')
      await insertSession(signIn, 'begins-late', userId)
      const deleted = operator().deleteUser(userId)
      await waitsForLock(server.pool, deleted)
      await signIn.query('COMMIT')
      expect(await deleted).toBe(true)
    } finally {
      signIn.release(true)
    }
    expect(await trailOf(server.pool, 'begins-late')).toEqual([['session.revoked', 'user-deleted']])
  })

  // Two operations that lock the same sessions in a different order can deadlock.
  it.each([
    ['revoking all', 'revokeSessions'],
    ['disabling the user', 'disableUser'],
    ['deleting the user', 'deleteUser'],
  ] as const)('%s locks the sessions in the order of their ids', async (_what, method) => {
    const { userId } = await signUp(server)
    await operator().revokeSessions(userId)
    const [first, ...others] = ['a', 'b', 'c', 'd', 'e'].map((letter) => `${userId}-${letter}`)
    const other = await server.pool.connect()
    try {
      // The first id in order is neither of the oldest nor of the newest session.
      for (const id of [others[1]!, first!, others[3]!, others[0]!, others[2]!]) {
        await insertSession(other, id, userId)
      }
      await other.query('BEGIN')
      await other.query('SELECT FROM auth_sessions WHERE id = $1 FOR UPDATE', [first])
      const ended = operator()[method](userId)
      await waitsForLock(server.pool, ended)
      const free = 'SELECT FROM auth_sessions WHERE id = ANY($1) FOR UPDATE NOWAIT'
      expect((await other.query(free, [others])).rowCount).toBe(4)
      await other.query('COMMIT')
      await ended
    } finally {
      other.release(true)
    }
    expect(await server.prisma.authSession.count({ where: { userId } })).toBe(0)
  })

  it('finds users by id, e-mail address, name and provider, with pages', async () => {
    const people = [await signUp(server), await signUp(server)]
    const [person] = people as [SignedUpPerson, SignedUpPerson]
    for (const text of [person.userId, person.email.toUpperCase(), person.name]) {
      const { users } = await operator().findUsers({ text })
      expect(users.map(({ id }) => id)).toEqual([person.userId])
    }
    expect((await operator().findUsers({ text: '%' })).users).toEqual([])
    expect((await operator().findUsers({ providerId: 'github' })).users).toEqual([])
    const first = await operator().findUsers({ limit: 1, providerId: 'credential' })
    const second = await operator().findUsers({
      limit: 1,
      ...(first.cursor && { cursor: first.cursor }),
    })
    expect([...first.users, ...second.users].map(({ id }) => id)).toEqual(
      people.map(({ userId }) => userId).reverse(),
    )
    await expect(operator().findUsers({ cursor: 'x' })).rejects.toThrow(RangeError)
  })
})

describe('sessions of better-auth', () => {
  it('are swept after they expire, like verifications', async () => {
    const server = await startTestServer()
    const person = await signUp(server)
    await signUp(server)
    const past = new Date(Date.now() - 120_000)
    await server.prisma.authSession.updateMany({
      where: { userId: person.userId },
      data: { expiresAt: past },
    })
    for (const [id, expiresAt] of [
      ['old', past],
      ['new', new Date(Date.now() + 60_000)],
    ] as const) {
      await server.prisma.authVerification.create({
        data: { id, identifier: id, value: '', expiresAt },
      })
    }
    expect(await sweepBetterAuth(server.pool, 100)).toBe(2)
    expect(await sweepBetterAuth(server.pool, 100)).toBe(0)
    expect(await server.prisma.authSession.count()).toBe(1)
    expect(await server.prisma.authVerification.findMany()).toMatchObject([{ id: 'new' }])
    await server.close()
  })

  it('are limited to 100 per user; the least recently used one ends, never the new one', async () => {
    const server = await startTestServer()
    const person = await signUp(server)
    const { userId } = person
    const now = Date.now()
    await server.prisma.authSession.createMany({
      data: Array.from({ length: 250 }, (_, index) => ({
        id: `session-${index}`,
        token: `token-${index}`,
        userId,
        updatedAt: new Date(now - 1_000_000 + index * 1000),
        expiresAt: new Date(now + 3_600_000),
      })),
    })
    const ids = async () => (await server.prisma.authSession.findMany()).map(({ id }) => id)
    const browser = openBrowser(server)
    await browser.client.signIn.email(person.credentials)
    expect(await ids()).toHaveLength(152)
    expect(await ids()).not.toContain('session-99')
    expect(await ids()).toContain('session-100')
    await openBrowser(server).client.signIn.email(person.credentials)
    expect(await ids()).toHaveLength(100)
    expect((await server.backend.authenticate(await browser.request())).ok).toBe(true)
    await server.close()
  })

  it('of concurrent sign-ins reach the limit exactly', async () => {
    const AT_ONCE = 6
    const arrived: (() => void)[] = []
    const session = {
      create: {
        // No sign-in looks for sessions to end before all sessions are inserted.
        after: () =>
          new Promise<void>((resolve) => {
            arrived.push(resolve)
            if (arrived.length > AT_ONCE) for (const proceed of arrived) proceed()
            else if (arrived.length === 1) resolve()
          }),
      },
      // None ends a session before all have looked.
      delete: { before: () => new Promise<void>((resolve) => setTimeout(resolve, 300)) },
    }
    const plugin = { id: 'slow', init: () => ({ options: { databaseHooks: { session } } }) }
    const server = await startTestServer({ maxSessionsPerUser: 2, plugins: [plugin] })
    const person = await signUp(server)
    const browsers = Array.from({ length: AT_ONCE }, () => openBrowser(server))
    await Promise.all(browsers.map(({ client }) => client.signIn.email(person.credentials)))
    expect(await server.prisma.authSession.count()).toBe(2)
    await server.close()
  })
})
