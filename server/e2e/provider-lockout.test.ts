import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuthService } from '../service.js'
import { completeLogin } from './support/oidc-login.js'
import { startTestService, type TestService } from './support/service.js'
import { startSignIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

const LINKS = 11
const REQUESTS_PER_LINK = 115

/** Addresses of neighbouring /64 networks: one home line has 256 of them. */
const attackers = Array.from({ length: LINKS * REQUESTS_PER_LINK }, (_, n) => {
  const link = (0x1200 + (n % LINKS)).toString(16)
  return `2001:db8:1:${link}::${n.toString(16)}`
})

/** Clients elsewhere: in the next /48, in the next /32, and on IPv4. */
const others = ['2001:db8:2:1200::1', '2001:db9:1:1200::1', '192.0.2.1', '192.0.2.2', '192.0.2.3']

/** Runs `work` on every item, at most `width` at a time. */
async function forEach<T>(
  items: readonly T[],
  width: number,
  work: (item: T, at: number) => Promise<void>,
): Promise<void> {
  const waiting = [...items.entries()]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await work(next[1], next[0])
  }
  await Promise.all(Array.from({ length: width }, worker))
}

describe('one IPv6 home line floods the callbacks of a provider', () => {
  let service: TestService
  let urls: string[]

  beforeEach(async () => {
    service = await startTestService({
      env: { NETSCRIPT_AUTH_TRUST_PROXY: 'loopback', NETSCRIPT_AUTH_RATE_LIMIT: '120' },
    })
    const processes: AuthService[] = [await service.startAnother(), await service.startAnother()]
    // One host name, so that a browser sends its cookies to all of them.
    urls = [service.origin, ...processes.map(({ url }) => url.replace('127.0.0.1', 'localhost'))]
  })
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

  async function signInAll(): Promise<number[]> {
    const statuses: number[] = []
    for (const [at, address] of others.entries()) statuses.push(await signInFrom(address, at))
    return statuses
  }

  it('others sign in after junk callbacks', async () => {
    const seen = new Map<number, number>()
    await forEach(attackers, 20, async (address, at) => {
      const { status } = await fetch(`${processOf(at)}/api/v1/auth/callback?state=x&code=y`, {
        redirect: 'manual',
        headers: from(address),
      })
      seen.set(status, (seen.get(status) ?? 0) + 1)
    })
    expect(await signInAll()).toEqual(others.map(() => 303))
    // Their /56 has four times the budget of a client, however many /64 they use.
    expect([...seen].sort()).toEqual([
      [400, 4 * 120],
      [429, attackers.length - 4 * 120],
    ])
  })

  it('others sign in while junk codes of real transactions are exchanged', async () => {
    const answered: number[] = []
    let refused = 0
    let during: number[] | undefined
    await forEach(attackers, 20, async (address, at) => {
      const agent = createUserAgent(service.origin)
      const started = await agent.post('/api/v1/auth/signin', {}, from(address))
      if (started.status !== 200) return void (refused += 1)
      const { state } = (await started.json()) as { state: string }
      const { status } = await agent.fetch(`/api/v1/auth/callback?state=${state}&code=y`, {
        headers: from(address),
      })
      answered.push(status)
      if (at === 200) during = await signInAll()
    })
    expect(during).toEqual(others.map(() => 303))
    expect(await signInAll()).toEqual(others.map(() => 303))
    // The transactions were real: their junk codes reached the provider, which refused them.
    expect(new Set(answered)).toEqual(new Set([502]))
    expect(answered).toHaveLength(4 * 120)
    expect(refused).toBe(attackers.length - 4 * 120)
  })

  it('sign-ins of others start after sign-ins from the home line', async () => {
    await forEach(attackers, 20, async (address, at) => {
      await createUserAgent(processOf(at)).post('/api/v1/auth/signin', {}, from(address))
    })
    expect(await signInAll()).toEqual(others.map(() => 303))
    const agent = createUserAgent(service.origin)
    await expect(startSignIn(agent)).resolves.toMatchObject({ state: expect.any(String) })
  })
})
