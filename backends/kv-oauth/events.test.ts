import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { toAuthnRequest } from '@netscript/plugin-auth-core'
import { type AuthEvents, emit } from './events.js'
import { signInAt } from './testing/scripted-provider.js'
import { describeOnEveryStore } from './testing/scripted-scene.js'

const NAMES = ['onUserCreated', 'onSignIn', 'onSignOut'] as const
const FAILURES: [string, () => void | Promise<void>][] = [
  ['throws', () => void JSON.parse('{')],
  ['rejects', () => Promise.reject(new Error('The queue is full.'))],
]

describe('a function for an event', () => {
  afterEach(() => vi.useRealTimers())
  const logged: object[] = []
  const log = {
    ...{ debug: () => {}, info: () => {}, warn: () => {} },
    error: (fields: object) => void logged.push(fields),
  }
  const event = { userId: 'u', providerId: 'p', issuer: 'i', subject: 's' }

  it('that hangs delays the answer by one second, and is logged', async () => {
    vi.useFakeTimers()
    logged.length = 0
    let isDone = false
    const events: AuthEvents = { onUserCreated: () => new Promise(() => {}) }
    const emitted = emit({ events, log }, 'onUserCreated', event).then(() => (isDone = true))
    await vi.advanceTimersByTimeAsync(999)
    expect(isDone).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await emitted
    expect(logged).toEqual([
      expect.objectContaining({
        event: 'onUserCreated',
        err: new Error('onUserCreated did not answer within 1000 ms.'),
      }),
    ])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describeOnEveryStore('events', (scene) => {
  function record(): { events: AuthEvents; calls: [string, Record<string, unknown>][] } {
    const calls: [string, Record<string, unknown>][] = []
    const note = (name: string) => (event: object) => void calls.push([name, { ...event }])
    return { calls, events: Object.fromEntries(NAMES.map((name) => [name, note(name)])) }
  }
  const requestOf = (cookie: string) => toAuthnRequest({ method: 'POST', headers: { cookie } })

  it('are told once each, after their change is stored', async () => {
    const { events, calls } = record()
    const subject = randomUUID()
    scene.idp.claims = {
      sub: subject,
      name: 'Grace',
      email: 'grace@example.test',
      email_verified: true,
    }
    const found: unknown[] = []
    const backend = await scene.create(
      'oidc',
      {},
      {
        ...events,
        onSignIn: async (event) => {
          await events.onSignIn?.(event)
          const { rows } = await scene.pool.query('SELECT 1 FROM auth_users WHERE id = $1', [
            event.userId,
          ])
          const { sessions } = await backend.sessions.listSessions(event.userId)
          found.push([rows.length, sessions.map(({ session }) => session.id)])
        },
      },
    )
    const first = await backend.authenticate(await signInAt(backend))
    const second = await signInAt(backend)
    await backend.sessions.signOut(second, { everywhere: true })
    await backend.sessions.signOut(second, { everywhere: true })
    if (!first.ok) throw new Error('The sign-in did not succeed.')
    const { userId, id: sessionId } = first.session
    const user = {
      ...{ userId, providerId: 'oidc', issuer: scene.idp.issuer, subject },
      ...{ displayName: 'Grace', email: 'grace@example.test', emailVerified: true },
    }
    expect(calls.map(([name]) => name)).toEqual([
      ...['onUserCreated', 'onSignIn', 'onSignIn', 'onSignOut'],
    ])
    expect(calls[0]?.[1]).toEqual(user)
    expect(calls[1]?.[1]).toMatchObject({ ...user, sessionId, isFirst: true, roles: [] })
    expect(calls[2]?.[1]).toMatchObject({ ...user, isFirst: false })
    expect(calls[3]?.[1]).toMatchObject({ userId, providerId: 'oidc', everywhere: true })
    expect(found).toEqual([
      [1, [sessionId]],
      [1, expect.arrayContaining([sessionId, calls[2]?.[1].sessionId])],
    ])
  })

  it.each(NAMES.flatMap((name) => FAILURES.map(([how, fail]) => [name, how, fail] as const)))(
    'change nothing when %s %s',
    async (name, _how, fail) => {
      scene.idp.claims = { sub: randomUUID() }
      const backend = await scene.create('oidc', {}, { [name]: fail })
      const request = await signInAt(backend)
      expect(await backend.authenticate(request)).toMatchObject({ ok: true })
      const { sessionId } = await backend.sessions.signOut(request, { everywhere: false })
      expect(sessionId).toBeDefined()
      expect(scene.log).toContainEqual(
        expect.objectContaining({ event: name, message: `${name} failed.` }),
      )
    },
  )

  it('are not told of a sign-in that fails', async () => {
    const { events, calls } = record()
    const backend = await scene.create(
      'oidc',
      {},
      { ...events, admit: () => ({ allow: false, reason: 'no member' }) },
    )
    await expect(signInAt(backend)).rejects.toMatchObject({ code: 'AUTH_NOT_ADMITTED' })
    await backend.sessions.signOut(requestOf(''), { everywhere: true })
    expect(calls).toEqual([])
  })
})
