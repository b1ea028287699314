import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import type { AuthService } from '../service.js'
import { completeLogin } from './support/oidc-login.js'
import { startTestService, type TestService } from './support/service.js'
import { startSignIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

const LINKS = 11
/** Few at once: three processes and their clients share the event loop of the test. */
const AT_ONCE = 4

/** Addresses of neighbouring /64 networks: one home line has 256 of them. */
const homeLine = (requestsPerLink: number): string[] =>
  Array.from({ length: LINKS * requestsPerLink }, (_, n) => {
    const link = (0x1200 + (n % LINKS)).toString(16)
    return `2001:db8:1:${link}::${n.toString(16)}`
  })

/** Clients elsewhere: in the next /48, in the next /32, and on IPv4. */
const others = ['2001:db8:2:1200::1', '2001:db9:1:1200::1', '192.0.2.1', '192.0.2.2', '192.0.2.3']

/** A callback of a transaction that is real, with a code that the provider never issued. */
const junkCallback = (issuer: string, state: string): string =>
  `/api/v1/auth/callback?${new URLSearchParams({ state, code: 'junk', iss: issuer }).toString()}`

/** Runs `work` on every item, a few at a time. */
async function forEach<T>(
  items: readonly T[],
  work: (item: T, at: number) => Promise<void>,
): Promise<void> {
  const waiting = [...items.entries()]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await work(next[1], next[0])
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

describe('one IPv6 home line floods a provider', { timeout: 240_000 }, () => {
  let service: TestService
  let urls: string[]
  let began: number
  let limit: number

  async function start(perMinute: number): Promise<void> {
    limit = perMinute
    service = await startTestService({
      env: { NETSCRIPT_AUTH_TRUST_PROXY: 'loopback', NETSCRIPT_AUTH_RATE_LIMIT: String(limit) },
    })
    const processes: AuthService[] = [await service.startAnother(), await service.startAnother()]
    // One host name, so that a browser sends its cookies to all of them.
    urls = [service.origin, ...processes.map(({ url }) => url.replace('127.0.0.1', 'localhost'))]
    began = performance.now()
  }
  afterEach(() => service.close())

  const from = (address: string) => ({ 'x-forwarded-for': address })
  const processOf = (n: number): string => urls[n % urls.length]!

  /** A whole sign-in of a client at `address`; begin and end may be at different processes. */
  async function signInFrom(address: string, at: number): Promise<number> {
    const agent = createUserAgent(service.origin)
    const started = await agent.post(`${processOf(at)}/api/v1/auth/signin`, {}, from(address))
    if (started.status !== 200) return started.status
    const { redirectUrl } = (await started.json()) as { redirectUrl: string }
    const callback = new URL(await completeLogin(redirectUrl, { login: 'ada' }))
    const target = processOf(at + 1) + callback.pathname + callback.search
    return (await agent.fetch(target, { headers: from(address) })).status
  }

  /** A /56 has four budgets of a client, however many /64 it uses. */
  const expectLimited = (passed: number): void => {
    const windows = Math.floor((performance.now() - began) / 60_000) + 1
    expect(passed).toBeGreaterThanOrEqual(4 * limit)
    expect(passed).toBeLessThanOrEqual(4 * limit * windows)
  }

  async function signInAll(): Promise<number[]> {
    const statuses: number[] = []
    for (const [at, address] of others.entries()) statuses.push(await signInFrom(address, at))
    return statuses
  }

  it('others sign in after junk callbacks', async () => {
    await start(120)
    const answered: number[] = []
    await forEach(homeLine(115), async (address, at) => {
      const { status } = await fetch(`${processOf(at)}/api/v1/auth/callback?state=x&code=y`, {
        redirect: 'manual',
        headers: from(address),
      })
      answered.push(status)
    })
    expect(await signInAll()).toEqual(others.map(() => 303))
    expect(new Set(answered)).toEqual(new Set([400, 429]))
    expectLimited(answered.filter((status) => status === 400).length)
  })

  it('others sign in while junk codes of real transactions are exchanged', async () => {
    await start(12)
    const answered: number[] = []
    let during: number[] | undefined
    await forEach(homeLine(11), async (address, at) => {
      const agent = createUserAgent(service.origin)
      const started = await agent.post('/api/v1/auth/signin', {}, from(address))
      if (started.status !== 200) return
      const { state } = (await started.json()) as { state: string }
      const { status } = await agent.fetch(junkCallback(service.provider.issuer, state), {
        headers: from(address),
      })
      answered.push(status)
      if (at === 20) during = await signInAll()
    })
    expect(during).toEqual(others.map(() => 303))
    expect(await signInAll()).toEqual(others.map(() => 303))
    // The transactions were real: their junk codes reached the provider, which refused them.
    expect(new Set(answered)).toEqual(new Set([502]))
    expectLimited(answered.length)
  })

  it('sign-ins of others start after sign-ins from the home line', async () => {
    await start(12)
    await forEach(homeLine(11), async (address, at) => {
      await createUserAgent(processOf(at)).post('/api/v1/auth/signin', {}, from(address))
    })
    expect(await signInAll()).toEqual(others.map(() => 303))
    const agent = createUserAgent(service.origin)
    await expect(startSignIn(agent)).resolves.toMatchObject({ state: expect.any(String) })
  })
})

/** Stands before the token endpoint of a provider and answers only when it is opened. */
async function startSlowTokenEndpoint(issuer: () => string) {
  const codes: (string | null)[] = []
  const waiting: (() => void)[] = []
  let isOpen = false
  let [current, most] = [0, 0]
  const server = createServer((req, res) => {
    most = Math.max(most, (current += 1))
    res.once('close', () => (current -= 1))
    void (async () => {
      const form = new URLSearchParams(await text(req))
      codes.push(form.get('code'))
      if (!isOpen) await new Promise<void>((resolve) => waiting.push(resolve))
      const response = await fetch(`${issuer()}/token`, {
        method: 'POST',
        body: form,
        headers: { authorization: req.headers.authorization ?? '' },
      })
      res.writeHead(response.status, { 'content-type': 'application/json' })
      res.end(await response.text())
    })()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    /** The codes that were to be exchanged, in order. */
    codes,
    /** How many requests it had at once. */
    most: () => most,
    open() {
      isOpen = true
      waiting.splice(0).forEach((resolve) => resolve())
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

describe('a provider that is slow to answer', { timeout: 240_000 }, () => {
  it('is asked at most 64 times at once, and a client of another network signs in', async () => {
    let service: TestService | undefined
    const endpoint = await startSlowTokenEndpoint(() => service?.provider.issuer ?? '')
    try {
      service = await startTestService({
        env: {
          NETSCRIPT_AUTH_TRUST_PROXY: 'loopback',
          NETSCRIPT_AUTH_TOKEN_ENDPOINT: endpoint.url,
        },
      })
      const { origin, provider } = service
      const junk: (() => Promise<Response>)[] = []
      await forEach(homeLine(11).slice(0, 120), async (address) => {
        const agent = createUserAgent(origin)
        const { state } = await startSignIn(agent)
        const headers = { 'x-forwarded-for': address }
        junk.push(() => agent.fetch(junkCallback(provider.issuer, state), { headers }))
      })
      const agent = createUserAgent(origin)
      const { redirectUrl } = await startSignIn(agent)
      const callback = new URL(await completeLogin(redirectUrl, { login: 'ada' }))

      const flood = junk.map((send) => send())
      await expect.poll(() => endpoint.codes.length, { timeout: 120_000 }).toBeGreaterThan(63)
      const signedIn = agent.fetch(callback.href, { headers: { 'x-forwarded-for': '192.0.2.1' } })
      // Time to arrive and to wait. The tests of the gate check the order.
      await new Promise((resolve) => setTimeout(resolve, 500))
      endpoint.open()
      expect((await signedIn).status).toBe(303)
      const answers = await Promise.all(flood)
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([502]))
      expect(endpoint.codes).toHaveLength(121)
      expect(endpoint.most()).toBe(64)
    } finally {
      endpoint.close()
      await service?.close()
    }
  })
})
