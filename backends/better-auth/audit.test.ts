import type { BetterAuthPlugin } from 'better-auth'
import { createAuthMiddleware } from 'better-auth/api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from './testing/server.js'
import {
  type BetterAuthBrowser,
  openBrowser,
  signUp,
  type SignedUpPerson,
} from './testing/sign-up.js'

interface Event {
  type: string
  reason: string | null
  session: string | null
}

/** The events of a server after `after`, oldest first. */
async function eventsOf({ pool }: Pick<TestServer<[]>, 'pool'>, after = '0'): Promise<Event[]> {
  const { rows } = await pool.query<Event>(
    `SELECT type, reason, session_id AS session FROM auth_audit_events WHERE id > $1 ORDER BY id`,
    [after],
  )
  return rows
}

const post = (browser: BetterAuthBrowser, path: string, body: object = {}) =>
  browser.fetch(`/api/auth/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

describe('the audit trail of better-auth', () => {
  let server: TestServer<[]>
  beforeAll(async () => {
    server = await startTestServer({
      betterAuthOptions: { user: { deleteUser: { enabled: true } } },
    })
  })
  afterAll(() => server.close())

  const sessionOf = async (browser: BetterAuthBrowser): Promise<string> => {
    const result = await server.backend.authenticate(await browser.request())
    if (!result.ok) throw new Error(result.reason)
    return result.session.id
  }
  /** Two browsers of a user, and a function that returns the events from here on. */
  const twoSessions = async () => {
    const person = await signUp(server)
    await post(person, 'sign-out')
    const [one, two] = [openBrowser(server), openBrowser(server)]
    for (const browser of [one, two]) await browser.client.signIn.email(person.credentials)
    const names = new Map([
      [await sessionOf(one), 'one'],
      [await sessionOf(two), 'two'],
    ])
    const { rows } = await server.pool.query<{ last: string }>(
      'SELECT max(id) AS last FROM auth_audit_events',
    )
    const events = async () =>
      (await eventsOf(server, rows[0]?.last)).map(
        ({ type, reason, session }) => `${type} ${reason} ${names.get(session ?? '') ?? 'new'}`,
      )
    return { person, one, two, events }
  }

  type Route = (one: BetterAuthBrowser, other: string, person: SignedUpPerson) => Promise<Response>
  const routes: Record<string, [Route, string[]]> = {
    'POST /sign-out': [(one) => post(one, 'sign-out'), ['session.signed-out signed-out one']],
    'POST /revoke-session': [
      (one, token) => post(one, 'revoke-session', { token }),
      ['session.revoked revoked-by-owner two'],
    ],
    'POST /revoke-other-sessions': [
      (one) => post(one, 'revoke-other-sessions'),
      ['session.revoked revoked-by-owner two'],
    ],
    'POST /revoke-sessions': [
      (one) => post(one, 'revoke-sessions'),
      ['session.revoked revoked-by-owner one', 'session.revoked revoked-by-owner two'],
    ],
    'POST /change-password': [
      (one, _, { credentials }) =>
        post(one, 'change-password', {
          currentPassword: credentials.password,
          newPassword: 'another-long-password',
          revokeOtherSessions: true,
        }),
      [
        'session.revoked revoked-by-owner one',
        'session.revoked revoked-by-owner two',
        'sign-in.completed null new',
      ],
    ],
    'POST /delete-user': [
      (one, _, { credentials }) => post(one, 'delete-user', { password: credentials.password }),
      ['session.revoked user-deleted one', 'session.revoked user-deleted two'],
    ],
  }
  it.each(Object.entries(routes))(
    'records the sessions that %s ends',
    async (_, [route, expected]) => {
      const { person, one, two, events } = await twoSessions()
      expect((await route(one, await sessionOf(two), person)).status).toBe(200)
      expect((await events()).sort()).toEqual(expected)
    },
  )

  it('records neither a wrong password nor an expired session', async () => {
    const { person, one, events } = await twoSessions()
    const { error } = await openBrowser(server).client.signIn.email({
      ...person.credentials,
      password: 'wrong-password',
    })
    expect(error?.status).toBe(401)
    await server.pool.query(
      `UPDATE auth_sessions SET expires_at = now() - interval '1 second' WHERE id = $1`,
      [await sessionOf(one)],
    )
    expect((await one.client.getSession()).data).toBeNull()
    expect(await events()).toEqual([])
  })

  it('identifies a user by a stable keyed hash', async () => {
    const { person } = await twoSessions()
    const { rows } = await server.pool.query<{ subject: string }>(
      'SELECT audit_subject AS subject FROM auth_sessions WHERE user_id = $1',
      [person.userId],
    )
    const [{ subject } = { subject: '' }, ...others] = rows
    expect(subject).toMatch(/^[\w-]{43}$/)
    expect(others).toEqual([{ subject }])
  })

  it('fails a sign-in or the end of a session if the event cannot be written', async () => {
    const { person, one } = await twoSessions()
    await server.pool.query('ALTER TABLE auth_audit_events RENAME TO renamed')
    const browser = openBrowser(server)
    const { error } = await browser.client.signIn.email(person.credentials)
    const id = await sessionOf(one)
    const ended = server.backend.sessions.revokeSession(person.userId, id)
    await expect(ended).rejects.toMatchObject({ code: 'INTERNAL' })
    await server.pool.query('ALTER TABLE renamed RENAME TO auth_audit_events')
    expect(error?.status).toBe(500)
    expect((await server.backend.authenticate(await browser.request())).ok).toBe(false)
    expect(await sessionOf(one)).toBe(id)
  })
})

/**
 * Acts on a sign-in like better-auth's `twoFactor`, whose tables this schema does not have. Users with a
 * verified address have a second factor.
 */
const secondFactor = (isProven: () => boolean): BetterAuthPlugin => ({
  id: 'second-factor',
  schema: {
    user: {
      fields: {
        twoFactorEnabled: { type: 'boolean', required: false, fieldName: 'emailVerified' },
      },
    },
  },
  hooks: {
    after: [
      {
        matcher: ({ path }) => path === '/sign-in/email',
        handler: createAuthMiddleware(async ({ context }) => {
          const { newSession } = context
          if (!newSession?.user.twoFactorEnabled || isProven()) return
          await context.internalAdapter.deleteSession(newSession.session.token)
          context.setNewSession(null)
        }),
      },
    ],
  },
})

describe('the audit trail of better-auth with a second factor', () => {
  it('records a sign-in only after the second factor', async () => {
    let proven = false
    const server = await startTestServer({ plugins: [secondFactor(() => proven)] })
    const person = await signUp(server)
    await server.pool.query('UPDATE better_auth_users SET email_verified = true')
    const signInAgain = () => post(openBrowser(server), 'sign-in/email', person.credentials)
    await signInAgain()
    expect(await eventsOf(server)).toEqual([])
    proven = true
    await signInAgain()
    expect(await eventsOf(server)).toMatchObject([{ type: 'sign-in.completed', reason: null }])
    await server.close()
  })
})
