import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MeResponse } from '../auth-api.js'
import { createSessionStore } from './session-store.js'

/** Events in any order; `pick` selects one of the requests in flight. */
const step = fc.oneof(
  fc.record({ do: fc.constantFrom('refresh', 'redirectToSignOut', 'signInElsewhere' as const) }),
  fc.record({
    do: fc.constantFrom('process', 'answer', 'loseAnswer' as const),
    pick: fc.nat({ max: 5 }),
  }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

interface UnderWay {
  /** The sequence number of a request to `/me`; undefined for a sign-out. */
  question: number | undefined
  body?: object
  answer: (response: Response) => void
  lose: (error: Error) => void
}

const settle = (): Promise<void> => new Promise((done) => setImmediate(done))

/** A store and a service whose messages are delivered one step at a time. */
function createScene() {
  const underWay: UnderWay[] = []
  let questions = 0
  let isSignedIn = true
  /** The first request that was sent after the last sign-out completed. */
  let firstAfterSignOut = 0
  const shown: (number | undefined)[] = []

  const store = createSessionStore({
    fetch: (url) =>
      new Promise((answer, lose) => {
        const question = url.endsWith('/me') ? questions++ : undefined
        underWay.push({ question, answer, lose })
      }),
  })
  const processed = (request: UnderWay): object => {
    if (request.body) return request.body
    if (request.question === undefined) isSignedIn = false
    request.body =
      request.question === undefined ? { signedOut: true } : me(isSignedIn, request.question)
    return request.body
  }
  const take = (request: UnderWay): void => void underWay.splice(underWay.indexOf(request), 1)

  const act = async (taken: Step): Promise<void> => {
    const request = 'pick' in taken ? underWay[taken.pick % underWay.length] : undefined
    if (taken.do === 'refresh') void store.refresh()
    if (taken.do === 'signInElsewhere') isSignedIn = true
    if (taken.do === 'redirectToSignOut') {
      store.redirectToSignOut().then(
        () => (firstAfterSignOut = questions),
        () => {},
      )
    }
    if (request && taken.do === 'process') processed(request)
    if (request && taken.do === 'answer') {
      request.answer(Response.json(processed(request)))
      take(request)
    }
    if (request && taken.do === 'loseAnswer') {
      request.lose(new Error('lost'))
      take(request)
    }
    await settle()
    const known = store.getSnapshot()
    if (known.status !== 'signed-in') return
    const question = Number(known.session.id)
    expect(question).toBeGreaterThanOrEqual(firstAfterSignOut)
    if (shown.at(-1) !== question) shown.push(question)
  }
  return {
    act,
    async finish() {
      while (underWay.length > 0) await act({ do: 'answer', pick: 0 })
      void store.refresh()
      await settle()
      await act({ do: 'answer', pick: 0 })
      expect(store.getSnapshot().status).toBe(isSignedIn ? 'signed-in' : 'signed-out')
      expect(shown).toEqual(shown.toSorted((a, b) => Number(a) - Number(b)))
    },
  }
}

/** The session id is the number of the request, so that a snapshot shows which one it came from. */
function me(isSignedIn: boolean, question: number): MeResponse {
  if (!isSignedIn) return { authenticated: false }
  const session = {
    id: String(question),
    userId: 'u1',
    subject: 'ada',
    state: 'active' as const,
    scopes: [],
    roles: [],
    claims: {},
    issuedAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  }
  return { authenticated: true, user: { id: 'u1' }, session }
}

describe('responses in any order', () => {
  it('never show a user after a sign-out unless a later request found one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const scene = createScene()
        for (const one of steps) await scene.act(one)
        await scene.finish()
      }),
      { numRuns: 500 },
    )
  })
})
