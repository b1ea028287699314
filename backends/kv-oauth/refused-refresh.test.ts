import { randomUUID } from 'node:crypto'
import { beforeEach, expect, it } from 'vitest'
import type { AuthnRequest } from '../request.js'
import type { KvOAuthBackend } from './backend.js'
import type { JsonServerAnswer } from './testing/json-server.js'
import { RENEWAL_DUE_MS, signInAt } from './testing/scripted-provider.js'
import { describeOnEveryStore, KINDS } from './testing/scripted-scene.js'

const MINUTE = 60_000
const EMPTY: JsonServerAnswer = { status: 400, text: '', headers: { 'content-type': 'text/plain' } }

describeOnEveryStore('a refresh that is refused without an OAuth error', (scene) => {
  let clock = 0
  beforeEach(() => {
    clock = Date.now()
  })
  /** A backend with a provider at which no other test has refreshed tokens. */
  const create = (kind: (typeof KINDS)[number] = 'oidc', id = `p-${randomUUID()}`) =>
    scene.create(kind, { id }, { now: () => clock })

  /** A session whose refreshes get `answer`; refreshes of other sessions succeed. */
  const refused = async (backend: KvOAuthBackend) => {
    let refreshToken: unknown
    scene.idp.token = (json) => {
      refreshToken = json.refresh_token
      return { json }
    }
    const request = await signInAt(backend)
    clock += RENEWAL_DUE_MS
    const state: { answer: JsonServerAnswer | undefined; asked: number } = {
      answer: EMPTY,
      asked: 0,
    }
    scene.idp.token = (json, form) => {
      if (form.get('refresh_token') !== refreshToken) return { json }
      state.asked += 1
      if (state.answer) return state.answer
      refreshToken = json.refresh_token
      return { json }
    }
    return {
      state,
      /** Reads the session later; true if it is live. */
      readAfter: async (minutes: number): Promise<boolean> => {
        clock += minutes * MINUTE
        return (await backend.authenticate(request)).ok
      },
    }
  }
  /** Another session at the provider, whose tokens are refreshed now. */
  const refreshAnother = async (backend: KvOAuthBackend): Promise<void> => {
    const another: AuthnRequest = await signInAt(backend)
    clock += RENEWAL_DUE_MS
    expect((await backend.authenticate(another)).ok).toBe(true)
    expect(scene.idp.requests.at(-1)?.form.get('grant_type')).toBe('refresh_token')
  }

  const answers: [string, JsonServerAnswer][] = [
    ['400 and nothing', EMPTY],
    ['401 and nothing', { ...EMPTY, status: 401 }],
    ['401 and a challenge', { ...EMPTY, status: 401, headers: { 'www-authenticate': 'Basic' } }],
    [
      '400 and a page',
      { status: 400, text: '<h1>Bad Request</h1>', headers: { 'content-type': 'text/html' } },
    ],
    ['400 and an empty object', { status: 400, json: {} }],
    ['400 and an empty error', { status: 400, json: { error: '' } }],
    ['400 and an error that is no text', { status: 400, json: { error: { code: 1 } } }],
    [
      '400 and the page of a framework',
      { status: 400, json: { status: 400, error: 'Bad Request' } },
    ],
    ['401 and a sentence', { status: 401, json: { error: 'Unauthorized' } }],
    ['400 and a list', { status: 400, json: ['invalid_grant'] }],
  ]
  it.each(KINDS.flatMap((kind) => answers.map(([what, answer]) => [kind, what, answer] as const)))(
    'ends the session of an %s provider after three in ten minutes while others are refreshed: %s',
    async (kind, _what, answer) => {
      const backend = await create(kind)
      const { state, readAfter } = await refused(backend)
      state.answer = answer
      expect(await readAfter(0)).toBe(true)
      expect(await readAfter(5)).toBe(true)
      await refreshAnother(backend)
      expect(await readAfter(5)).toBe(false)
      expect(state.asked).toBe(3)
      expect(scene.log).toContainEqual(
        expect.objectContaining({ event: 'session.ended', reason: 'refresh-refused' }),
      )
    },
  )

  it('ends the session if another process refreshed other sessions', async () => {
    const id = `p-${randomUUID()}`
    const [backend, other] = [await create('oidc', id), await create('oidc', id)]
    const { readAfter } = await refused(backend)
    expect(await readAfter(0)).toBe(true)
    await refreshAnother(other)
    expect(await readAfter(5)).toBe(true)
    expect(await readAfter(5)).toBe(false)
  })

  it('keeps the session without tokens if the provider refreshes no other', async () => {
    const backend = await create()
    const { state, readAfter } = await refused(backend)
    await refreshAnother(await create('oidc', 'another-provider'))
    for (const minutes of [0, 5, 5]) expect(await readAfter(minutes)).toBe(true)
    expect(state.asked).toBe(3)
    expect(scene.log).toContainEqual(
      expect.objectContaining({ message: 'The session goes on without tokens of the provider.' }),
    )
    // It is not refreshed again, also not while others are.
    await refreshAnother(backend)
    for (const minutes of [30, 300]) expect(await readAfter(minutes)).toBe(true)
    expect(state.asked).toBe(3)
  })

  it('ends no session before ten minutes, and backs off meanwhile', async () => {
    const backend = await create()
    const { state, readAfter } = await refused(backend)
    await readAfter(0)
    await refreshAnother(backend)
    for (let second = 0; second < 599; second += 1) expect(await readAfter(1 / 60)).toBe(true)
    expect(state.asked).toBe(5)
    expect(await readAfter(0.02)).toBe(true)
    expect(await readAfter(10)).toBe(false)
    expect(state.asked).toBe(6)
  })

  it('ends a session only after three refusals', async () => {
    const backend = await create()
    const { state, readAfter } = await refused(backend)
    expect(await readAfter(0)).toBe(true)
    await refreshAnother(backend)
    expect(await readAfter(20)).toBe(true)
    expect(state.asked).toBe(2)
    expect(await readAfter(20)).toBe(false)
  })

  it.each<[string, JsonServerAnswer | undefined]>([
    ['a success', undefined],
    ['an OAuth error', { status: 401, json: { error: 'invalid_client' } }],
  ])('restarts the count after %s', async (_what, between) => {
    const backend = await create()
    const { state, readAfter } = await refused(backend)
    await readAfter(0)
    await readAfter(5)
    state.answer = between
    await readAfter(5)
    state.answer = EMPTY
    await refreshAnother(backend)
    expect(await readAfter(15)).toBe(true)
    expect(await readAfter(15)).toBe(true)
    expect(state.asked).toBe(5)
    expect(await readAfter(15)).toBe(false)
  })

  it.each<[string, JsonServerAnswer]>([
    ['an OAuth error', { status: 400, json: { error: 'invalid_request' } }],
    [
      'an OAuth error with a challenge',
      { status: 401, json: { error: 'invalid_client' }, headers: { 'www-authenticate': 'Basic' } },
    ],
    ['403 and nothing', { ...EMPTY, status: 403 }],
    ['404 and nothing', { ...EMPTY, status: 404 }],
    ['500 and nothing', { ...EMPTY, status: 500 }],
    ['a redirect', { ...EMPTY, status: 302, headers: { location: '/elsewhere' } }],
  ])('does not include %s, which ends no session', async (_what, answer) => {
    const backend = await create()
    const { state, readAfter } = await refused(backend)
    state.answer = answer
    await refreshAnother(backend)
    for (const minutes of [0, 16, 16, 16, 16]) expect(await readAfter(minutes)).toBe(true)
    expect(state.asked).toBeGreaterThan(0)
  })

  it('does not include another failure of the provider, which is retried at least every 15 minutes', async () => {
    const backend = await create()
    const { state, readAfter } = await refused(backend)
    state.answer = { status: 401, json: { error: 'invalid_client' } }
    await readAfter(0)
    for (let asked = 2; asked <= 10; asked += 1) {
      expect(await readAfter(15)).toBe(true)
      expect(state.asked).toBe(asked)
    }
  })

  it('does not include a 400 of the keys, which ends no session', async () => {
    const backend = await create()
    const { state, readAfter } = await refused(backend)
    state.answer = undefined
    scene.idp.jwks = () => EMPTY
    await refreshAnother(backend).catch(() => undefined)
    for (const minutes of [0, 16, 16, 16, 16]) expect(await readAfter(minutes)).toBe(true)
  })
})
