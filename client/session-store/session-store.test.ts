import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AuthSession, MeResponse } from '../auth-api.js'
import { AuthClientError } from '../error.js'
import { createSessionStore, type SessionStoreOptions } from './session-store.js'

const HOUR = 3_600_000
const ANONYMOUS: MeResponse = { authenticated: false }

/** Ada, in a session that lives for `lifeMs`. */
function ada(over: Partial<AuthSession> = {}, lifeMs = HOUR): MeResponse {
  const instant = (ms: number): string => new Date(Date.now() + ms).toISOString()
  const session: AuthSession = {
    id: 'first',
    userId: 'u1',
    subject: 'ada',
    state: 'active',
    scopes: [],
    roles: [],
    claims: {},
    issuedAt: instant(0),
    expiresAt: instant(lifeMs),
    ...over,
  }
  return { authenticated: true, user: { id: 'u1', displayName: 'Ada' }, session }
}

/** The parts of window and document that the store uses. */
const page = {
  window: new EventTarget(),
  document: Object.assign(new EventTarget(), { visibilityState: 'visible' }),
  focus: () => page.window.dispatchEvent(new Event('focus')),
  show(state: 'visible' | 'hidden') {
    page.document.visibilityState = state
    page.document.dispatchEvent(new Event('visibilitychange'))
  },
}

/** The service: its next response, and its number of requests. */
const service = {
  me: ANONYMOUS as MeResponse | (() => Response),
  signout: (): Response => Response.json({ signedOut: true }),
  asked: 0,
  async fetch(url: string): Promise<Response> {
    if (url.endsWith('/signout')) {
      service.me = ANONYMOUS
      return service.signout()
    }
    service.asked += 1
    return typeof service.me === 'function' ? service.me() : Response.json(service.me)
  },
}
const away = (headers: Record<string, string> = {}, status = 503) =>
  new Response('', { status, headers })

const stops: (() => void)[] = []
/** The store of a tab, and every status that it showed. */
function tab(options: SessionStoreOptions = {}) {
  const store = createSessionStore({ fetch: (url) => service.fetch(url), ...options })
  const shown: string[] = []
  const open = () => {
    const stop = store.subscribe(() => shown.push(store.getSnapshot().status))
    stops.push(stop)
    return stop
  }
  return { store, shown, open }
}

const turn = setImmediate
/** Lets messages between tabs and the responses to them arrive; fake timers do not control these. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await new Promise((next) => turn(next))
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
  vi.stubGlobal('window', page.window)
  vi.stubGlobal('document', page.document)
  vi.spyOn(Math, 'random').mockReturnValue(0)
  page.document.visibilityState = 'visible'
  Object.assign(service, {
    me: ANONYMOUS,
    signout: () => Response.json({ signedOut: true }),
    asked: 0,
  })
})
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('the snapshot', () => {
  it('is loading, then the state that the service returns', async () => {
    service.me = ada()
    const { store, shown, open } = tab()
    expect(store.getSnapshot()).toEqual({ status: 'loading' })
    open()
    await settle()
    expect(shown).toEqual(['signed-in'])
    expect(store.getSnapshot()).toMatchObject({ user: { displayName: 'Ada' } })
    expect(store.getServerSnapshot()).toEqual({ status: 'loading' })
  })

  it('is the same object while nothing changes, and keeps unchanged parts', async () => {
    service.me = ada()
    const { store, shown, open } = tab()
    open()
    await settle()
    const before = store.getSnapshot()
    expect(await store.refresh()).toBe(before)
    service.me = ada({ refreshedAt: new Date().toISOString() })
    const after = await store.refresh()
    if (before.status !== 'signed-in' || after.status !== 'signed-in') expect.unreachable()
    expect(after.session).not.toBe(before.session)
    expect(after.user).toBe(before.user)
    service.me = ANONYMOUS
    expect(await store.refresh()).toBe(await store.refresh())
    expect(shown).toEqual(['signed-in', 'signed-in', 'signed-out'])
  })

  it('is the initial state that the server rendered with, without a request', async () => {
    const { store, shown, open } = tab({ initial: ada() })
    expect(store.getServerSnapshot()).toMatchObject({ status: 'signed-in' })
    expect(store.getSnapshot()).toBe(store.getServerSnapshot())
    open()
    await pass(HOUR - 1)
    expect([service.asked, shown]).toEqual([0, []])
    await pass(1_001)
    expect([service.asked, shown]).toEqual([1, ['signed-out']])
  })

  it.each<[string, () => SessionStoreOptions, number]>([
    ['has ended', () => ({ initial: ada({}, -1) }), 0],
    ['is old', () => ({ initial: ada() }), 5_001],
  ])('is refreshed when the initial state %s', async (_name, options, age) => {
    const { open } = tab(options())
    await pass(age)
    open()
    await settle()
    expect(service.asked).toBe(1)
  })

  it('works without window, document and BroadcastChannel', async () => {
    for (const name of ['window', 'document', 'BroadcastChannel']) vi.stubGlobal(name, undefined)
    const { store, shown, open } = tab()
    open()
    await settle()
    await store.redirectToSignOut()
    expect(shown).toEqual(['signed-out'])
  })

  it('reaches every listener, even if one of them throws', async () => {
    const { store, shown, open } = tab()
    const thrown: unknown[] = []
    vi.stubGlobal('queueMicrotask', (report: () => void) => {
      try {
        report()
      } catch (error) {
        thrown.push(error)
      }
    })
    stops.push(
      store.subscribe(() => {
        throw new Error('a listener')
      }),
    )
    open()
    await settle()
    expect(shown).toEqual(['signed-out'])
    expect(thrown).toEqual([new Error('a listener')])
  })
})

describe('a refresh', () => {
  it('is shared by concurrent callers; later callers share the next one', async () => {
    const { store, open } = tab()
    open()
    open()
    await Promise.all([store.refresh(), store.refresh()])
    expect(service.asked).toBe(1)
    const first = store.refresh()
    await Promise.resolve()
    service.me = ada()
    const later = [store.refresh(), store.refresh()]
    await Promise.all([first, ...later])
    expect(service.asked).toBe(3)
    expect((await later[0])?.status).toBe('signed-in')
  })

  it('happens when the user returns to the page, at most once in minIntervalMs', async () => {
    const { open } = tab({ minIntervalMs: 2_000 })
    open()
    await settle()
    for (let times = 0; times < 10; times += 1) page.focus()
    page.show('visible')
    page.window.dispatchEvent(new Event('online'))
    page.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
    await settle()
    expect(service.asked).toBe(1)
    await pass(2_000)
    expect(service.asked).toBe(2)
    await pass(HOUR)
    expect(service.asked).toBe(2)
    for (const event of ['focus', 'online', 'pageshow']) {
      page.window.dispatchEvent(Object.assign(new Event(event), { persisted: true }))
      await pass(2_001)
    }
    page.show('hidden')
    page.window.dispatchEvent(new Event('pageshow'))
    await pass(2_001)
    expect(service.asked).toBe(5)
    page.show('visible')
    await pass(0)
    expect(service.asked).toBe(6)
  })

  it('happens once when the session expires, also if the clock of the service differs', async () => {
    service.me = ada({}, 10_000)
    const { open } = tab()
    open()
    await pass(10_999)
    expect(service.asked).toBe(1)
    await pass(1)
    expect(service.asked).toBe(2)
    await pass(59_999)
    expect(service.asked).toBe(2)
    await pass(1)
    expect(service.asked).toBe(3)
    page.show('hidden')
    await pass(HOUR)
    expect(service.asked).toBe(4)
  })

  it('is scheduled within the longest delay of a timer', async () => {
    service.me = ada({}, 2 ** 32)
    const { open } = tab()
    open()
    await pass(2 ** 31 - 2)
    expect(service.asked).toBe(1)
    await pass(1)
    expect(service.asked).toBe(2)
  })

  it('is not scheduled without subscribers, and happens for the next subscriber', async () => {
    service.me = ada()
    const { open } = tab()
    const [first, second] = [open(), open()]
    await settle()
    first()
    first()
    expect(vi.getTimerCount()).toBe(1)
    second()
    expect(vi.getTimerCount()).toBe(0)
    await pass(HOUR)
    page.focus()
    await settle()
    expect(service.asked).toBe(1)
    open()
    await settle()
    expect(service.asked).toBe(2)
  })

  it('is not repeated when the user returns while a request is in flight', async () => {
    let answer = (_: Response): void => {}
    const { open } = tab({
      fetch: () => ((service.asked += 1), new Promise((resolve) => (answer = resolve))),
    })
    open()
    await pass(6_000)
    page.focus()
    answer(Response.json(ANONYMOUS))
    await settle()
    expect(service.asked).toBe(1)
  })

  it('waits for minIntervalMs when a new subscriber follows soon after the last one left', async () => {
    const { open } = tab()
    open()
    await pass(1_000)
    stops.pop()?.()
    open()
    await pass(3_999)
    expect(service.asked).toBe(1)
    await pass(1)
    expect(service.asked).toBe(2)
  })

  it('happens once when an effect is run, cleaned up and run again (React strict mode)', async () => {
    const { open } = tab()
    open()()
    open()
    await pass(10_000)
    expect(service.asked).toBe(1)
  })
})

describe('an outage', () => {
  it('keeps the known state, is shown once, and its error is cleared by the next success', async () => {
    for (const me of [ada(), ANONYMOUS]) {
      service.me = me
      const { store, shown, open } = tab()
      const close = open()
      await settle()
      const { status } = store.getSnapshot()
      service.me = () => away()
      await store.refresh()
      await pass(200_000)
      expect(store.getSnapshot()).toMatchObject({ status, error: { status: 503 } })
      service.me = () => away({}, 404)
      expect(await store.refresh()).toMatchObject({ status, error: { status: 404 } })
      expect(shown).toEqual([status, status, status])
      service.me = me
      expect(await store.refresh()).not.toHaveProperty('error')
      close()
    }
  })

  it('is shown as unavailable, not signed out, when no state is known', async () => {
    service.me = () => away()
    const { shown, open } = tab()
    open()
    await pass(1_000)
    expect(shown).toEqual(['unavailable'])
    service.me = ANONYMOUS
    await pass(2_000)
    expect(shown).toEqual(['unavailable', 'signed-out'])
  })

  /** The times of the requests, in seconds. */
  async function questions(seconds: number): Promise<number[]> {
    const times: number[] = []
    const start = Date.now()
    const answer = service.me as () => Response
    service.me = () => (times.push(Math.round(Date.now() - start) / 1_000), answer())
    tab().open()
    await pass(seconds * 1_000)
    return times
  }

  it('is retried with back-off up to a minute', async () => {
    service.me = () => away()
    expect(await questions(250)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243])
  })

  it('restarts the back-off at one second after a success', async () => {
    service.me = () => away()
    await questions(7)
    service.me = ANONYMOUS
    await pass(13_000)
    service.me = () => away()
    page.focus()
    await settle()
    const before = service.asked
    await pass(1_000)
    expect(service.asked).toBe(before + 1)
  })

  it('does not cancel the refresh at the end of the session when an error is not retried', async () => {
    service.me = ada()
    const { store, open } = tab()
    open()
    await settle()
    service.me = () => away({}, 403)
    await store.refresh()
    service.me = ANONYMOUS
    await pass(HOUR + 1_000)
    expect(store.getSnapshot().status).toBe('signed-out')
  })

  it('is retried up to 50% earlier by jitter', async () => {
    vi.mocked(Math.random).mockReturnValue(0.999)
    service.me = () => away()
    expect((await questions(4)).map(Math.round)).toEqual([0, 1, 2, 4])
  })

  it('respects Retry-After, also when the user returns', async () => {
    service.me = () => away({ 'retry-after': '30' })
    const asking = questions(0)
    await asking
    await pass(10_000)
    page.focus()
    await pass(19_999)
    expect(service.asked).toBe(1)
    await pass(1)
    expect(service.asked).toBe(2)
  })

  it('is retried at once when the network returns', async () => {
    service.me = () => away()
    await questions(70)
    const before = service.asked
    page.window.dispatchEvent(new Event('online'))
    await settle()
    expect(service.asked).toBe(before + 1)
  })

  it('is not retried while the page is hidden', async () => {
    service.me = () => away()
    await questions(0)
    page.show('hidden')
    await pass(HOUR)
    page.window.dispatchEvent(new Event('online'))
    await settle()
    expect(service.asked).toBe(1)
    service.me = ANONYMOUS
    page.show('visible')
    await settle()
    expect(service.asked).toBe(2)
  })

  it.each([
    [404, 1],
    [403, 1],
    [429, 3],
    [408, 3],
    [500, 3],
  ])('with status %i leads to %i requests in three seconds', async (status, times) => {
    service.me = () => away({}, status)
    expect(await questions(3)).toHaveLength(times)
  })

  it('is NETWORK_ERROR; a client that throws anything else is UNEXPECTED_RESPONSE', async () => {
    const { store } = tab({
      fetch: () => Promise.reject(new TypeError('no network')),
    })
    expect(await store.refresh()).toMatchObject({ error: { code: 'NETWORK_ERROR' } })
    const broken = Object.assign(tab().store.client, {
      me() {
        throw new Error('!')
      },
    })
    const failing = createSessionStore({ client: broken })
    for (let times = 0; times < 2; times += 1) {
      expect(await failing.refresh()).toMatchObject({
        status: 'unavailable',
        error: { code: 'UNEXPECTED_RESPONSE', cause: new Error('!') },
      })
    }
  })
})

describe('tabs', () => {
  /** Open tabs that have loaded their state. */
  async function openTabs(count: number, options: SessionStoreOptions = {}) {
    const tabs = Array.from({ length: count }, () => tab(options))
    for (const { open } of tabs) open()
    await settle()
    return tabs.map(({ store, shown }) => ({ store, shown }))
  }

  it('learn of a sign-out, and do not echo it', async () => {
    service.me = ada()
    const [one, two, three] = await openTabs(3)
    expect(service.asked).toBe(3)
    await one?.store.redirectToSignOut()
    await settle()
    expect(vi.getTimerCount()).toBe(0)
    for (const { shown } of [one!, two!, three!]) expect(shown).toEqual(['signed-in', 'signed-out'])
    expect(service.asked).toBe(5)
  })

  it('learn of a session that another tab found', async () => {
    service.me = ada()
    const [one, two] = await openTabs(2)
    service.me = ada({ id: 'second' })
    await one?.store.refresh()
    await settle()
    expect(two?.store.getSnapshot()).toMatchObject({ session: { id: 'second' } })
    expect(service.asked).toBe(4)
  })

  it('are not notified when only expiresAt changes', async () => {
    service.me = ada()
    const [one] = await openTabs(2)
    expect(service.asked).toBe(2)
    service.me = ada({ expiresAt: new Date(Date.now() + 2 * HOUR).toISOString() })
    await one?.store.refresh()
    await settle()
    expect(service.asked).toBe(3)
  })

  it('learn of a sign-out in a tab without subscribers', async () => {
    service.me = ada()
    const [one] = await openTabs(1)
    const close = vi.spyOn(BroadcastChannel.prototype, 'close')
    await tab().store.redirectToSignOut()
    expect(close).toHaveBeenCalledOnce()
    await settle()
    expect(one?.shown).toEqual(['signed-in', 'signed-out'])
  })

  it('ignore tabs that use another service', async () => {
    service.me = ada()
    const [one] = await openTabs(1, { baseUrl: 'https://one.example/' })
    await tab({ baseUrl: 'https://other.example' }).store.redirectToSignOut()
    await settle()
    expect(one?.shown).toEqual(['signed-in'])
    await tab({ baseUrl: 'https://one.example' }).store.redirectToSignOut()
    await settle()
    expect(one?.shown).toEqual(['signed-in', 'signed-out'])
  })

  it('learn of a sign-in when another tab returns from the provider', async () => {
    const [one, two] = await openTabs(2)
    service.me = ada()
    tab().open()
    await settle()
    for (const { shown } of [one!, two!]) expect(shown).toEqual(['signed-out', 'signed-in'])
    expect(service.asked).toBe(5)
  })

  it('refresh again when another tab reports a session that differs from the response', async () => {
    let answer = (_: Response): void => {}
    const slow = new Promise<Response>((resolve) => (answer = resolve))
    const fetch = vi.fn((url: string) => service.fetch(url)).mockReturnValueOnce(slow)
    const { open, shown } = tab({ fetch })
    open()
    service.me = ada()
    await openTabs(1)
    answer(Response.json(ANONYMOUS))
    await settle()
    expect(shown).toEqual(['signed-out', 'signed-in'])
    expect(fetch).toHaveBeenCalledTimes(2)
  })

  it('do not refresh endlessly when they see different sessions', async () => {
    const asked = [0, 0]
    for (const at of [0, 1]) {
      const fetch = async (): Promise<Response> => {
        asked[at]! += 1
        return Response.json(ada({ id: `session ${at}` }))
      }
      tab({ fetch }).open()
    }
    await settle()
    expect(Math.max(...asked)).toBeLessThanOrEqual(2)
  })

  it('send only the public id of the session', async () => {
    const said: unknown[] = []
    const channel = new BroadcastChannel('netscript-auth ')
    channel.onmessage = (event: unknown) => said.push((event as MessageEvent).data)
    service.me = ada()
    const [one] = await openTabs(1)
    await one?.store.redirectToSignOut()
    await settle()
    channel.close()
    expect(said).toEqual(['first', ''])
  })
})

describe('sign-in and sign-out', () => {
  it('redirectToSignIn navigates to the provider and returns to the current page', async () => {
    const sent: unknown[] = []
    const visited: string[] = []
    const started = {
      started: true,
      providerId: 'p',
      redirectUrl: 'https://p.example/',
      state: 's',
    }
    const { store } = tab({
      navigate: (url) => visited.push(url),
      fetch: async (_url, { body }) => {
        sent.push(JSON.parse(body as string))
        return Response.json(started)
      },
    })
    vi.stubGlobal('location', { href: 'https://app.example/orders?page=2#top' })
    await store.redirectToSignIn()
    await store.redirectToSignIn({ redirectTo: '/', providerId: 'p' })
    vi.stubGlobal('location', { href: `https://app.example/?${'x'.repeat(2_048)}` })
    await store.redirectToSignIn()
    expect(sent).toEqual([
      { redirectTo: 'https://app.example/orders?page=2#top' },
      { redirectTo: '/', providerId: 'p' },
      {},
    ])
    expect(visited).toEqual(Array(3).fill('https://p.example/'))
  })

  it('stepUp returns to the current page', async () => {
    const sent: unknown[] = []
    const { store } = tab({
      navigate: () => {},
      fetch: async (_url, { body }) => {
        sent.push(JSON.parse(body as string))
        const redirectUrl = 'https://p.example/'
        return Response.json({ started: true, providerId: 'p', redirectUrl, state: 's' })
      },
    })
    vi.stubGlobal('location', { href: 'https://app.example/orders' })
    const signin = { providerId: 'p', maxAge: 300 }
    const refusal = { code: 'AUTH_RECENT_SIGN_IN_REQUIRED', data: { maxAge: 300, signin } }
    expect(await store.stepUp(refusal)).toBe(true)
    expect(await store.stepUp(new Error('another'))).toBe(false)
    expect(sent).toEqual([{ ...signin, redirectTo: 'https://app.example/orders' }])
  })

  it('redirectToSignOut rejects when it fails, and refreshes the state', async () => {
    service.me = ada()
    const { store, shown, open } = tab()
    open()
    await settle()
    service.signout = () => away({}, 500)
    await expect(store.redirectToSignOut()).rejects.toBeInstanceOf(AuthClientError)
    expect(store.getSnapshot().status).toBe('signed-in')
    await settle()
    expect(shown).toEqual(['signed-in', 'signed-out'])
  })
})
