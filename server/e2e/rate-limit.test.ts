import { createHash } from 'node:crypto'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { readConfig } from '../config/config.js'
import { BACKENDS_UNDER_TEST } from './support/backends-under-test.js'
import { startTestService, type TestService } from './support/service.js'
import { signIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

const SIGNIN = '/api/v1/auth/signin'
const CALLBACK = '/api/v1/auth/callback?code=a&state=b'

interface Call {
  /** `X-Forwarded-For`. */
  from?: string
  providerId?: string
  headers?: Record<string, string>
  method?: string
}

const signin = (origin: string, { from, providerId, headers }: Call = {}): Promise<Response> =>
  fetch(origin + SIGNIN, {
    method: 'POST',
    body: JSON.stringify({ ...(providerId && { providerId }) }),
    headers: {
      'content-type': 'application/json',
      ...(from && { 'x-forwarded-for': from }),
      ...headers,
    },
  })

const callback = (origin: string, { from, headers, method = 'GET' }: Call = {}) =>
  fetch(origin + CALLBACK, {
    method,
    redirect: 'manual',
    headers: { ...(from && { 'x-forwarded-for': from }), ...headers },
  })

async function times(count: number, call: () => Promise<Response>): Promise<number[]> {
  const statuses: number[] = []
  for (let done = 0; done < count; done += 1) statuses.push((await call()).status)
  return statuses
}

describe('rate limits', () => {
  let service: TestService
  afterEach(() => service.close())

  const start = async (env: Record<string, string> = {}): Promise<string> => {
    service = await startTestService({ env: { NETSCRIPT_AUTH_RATE_LIMIT: '5', ...env } })
    return service.origin
  }

  async function query(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: service.databaseUrl })
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(text)).rows
    } finally {
      await client.end()
    }
  }

  it('let five sign-ins of an address pass and refuse the sixth until a minute has passed', async () => {
    const origin = await start()
    const first = await signin(origin)
    expect(first.status).toBe(200)
    expect(first.headers.get('ratelimit')).toMatch(/^"signin"; r=4; t=(5\d|60)$/)
    expect(await times(4, () => signin(origin))).toEqual([200, 200, 200, 200])

    const sixth = await signin(origin)
    expect(sixth.status).toBe(429)
    expect(sixth.headers.get('content-type')).toContain('application/problem+json')
    expect(await sixth.json()).toMatchObject({ code: 'RATE_LIMITED', status: 429 })
    expect(sixth.headers.get('ratelimit')).toMatch(/^"signin"; r=0; t=\d+$/)
    expect(sixth.headers.get('ratelimit-policy')).toMatch(/^"signin"; q=5; w=60; pk=:/)
    expect(sixth.headers.get('retry-after')).toMatch(/^([1-9]|[1-5]\d|60)$/)
    expect(sixth.headers.getSetCookie()).toEqual([])

    // Sign-ins do not use up callbacks, and nothing else is limited.
    expect((await callback(origin)).status).toBe(400)
    expect((await fetch(`${origin}/api/v1/auth/me`)).status).toBe(200)
    expect((await fetch(origin + SIGNIN)).status).toBe(405)

    // The process itself counts too, so the end of the shared window shows in another one.
    const { url } = await service.startAnother()
    expect((await signin(url)).status).toBe(429)
    await query(`UPDATE auth_rate_limits SET reset_at = now() - interval '1 second'`)
    expect((await signin(url)).headers.get('ratelimit')).toMatch(/r=4/)
  })

  it('count callbacks, but no HEAD, and answer a navigation with a page', async () => {
    const origin = await start()
    expect(await times(3, () => callback(origin, { method: 'POST' }))).toEqual([405, 405, 405])
    expect(await times(2, () => callback(origin, { method: 'HEAD' }))).toEqual([200, 200])
    expect(await times(6, () => callback(origin))).toEqual([400, 400, 400, 400, 400, 429])
    const page = await callback(origin, { headers: { accept: 'text/html,*/*;q=0.8' } })
    expect(page.status).toBe(429)
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(page.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await page.text()).toContain('RATE_LIMITED')
  })

  it('are shared by the processes of a service', async () => {
    const origin = await start()
    const another = await service.startAnother()
    expect(await times(3, () => signin(origin))).toEqual([200, 200, 200])
    expect(await times(3, () => signin(another.url))).toEqual([200, 200, 429])
    expect((await signin(origin)).status).toBe(429)
    expect(await times(6, () => callback(another.url))).toEqual([400, 400, 400, 400, 400, 429])
    expect((await callback(origin)).status).toBe(429)
  })

  it('let exactly the limit pass of many at once', async () => {
    const origin = await start()
    const answers = await Promise.all(Array.from({ length: 20 }, () => callback(origin)))
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(15)
  })

  it('ignore an X-Forwarded-For from an untrusted peer', async () => {
    const origin = await start()
    let n = 0
    const spoofed = () => signin(origin, { from: `192.0.2.${(n += 1)}` })
    expect(await times(6, spoofed)).toEqual([200, 200, 200, 200, 200, 429])
    const forwarded = { forwarded: 'for=198.51.100.1', 'x-real-ip': '198.51.100.1' }
    expect((await signin(origin, { headers: forwarded })).status).toBe(429)
  })

  it('count the forwarded address behind a trusted proxy, IPv6 by its networks', async () => {
    const origin = await start({ NETSCRIPT_AUTH_TRUST_PROXY: 'loopback' })
    const from = (address: string, count: number) =>
      times(count, () => signin(origin, { from: address }))
    expect(await from('192.0.2.1', 6)).toEqual([200, 200, 200, 200, 200, 429])
    expect(await from('::ffff:192.0.2.1', 1)).toEqual([429])
    expect(await from('192.0.2.2', 1)).toEqual([200])
    // What the client itself wrote stands left of what the proxy saw.
    expect(await from('198.51.100.7, 192.0.2.1', 1)).toEqual([429])

    let n = 0
    const inside = () => signin(origin, { from: `2001:db8:1:2:${(n += 1)}::${n}` })
    expect(await times(6, inside)).toEqual([200, 200, 200, 200, 200, 429])
    expect(await from('2001:db8:1:3::1', 1)).toEqual([200])

    // Four budgets for a /56 and sixteen for a /48; two are used up above.
    const neighbours = (count: number, step: number) => {
      let link = 0x40
      return times(count, () =>
        signin(origin, { from: `2001:db8:1:${(link += step).toString(16)}::1` }),
      )
    }
    const passed = async (statuses: Promise<number[]>): Promise<number> =>
      (await statuses).filter((status) => status === 200).length
    expect(await passed(neighbours(30, 1))).toBe(4 * 5 - 6)
    expect(await passed(neighbours(100, 0x100))).toBe(16 * 5 - 4 * 5)
    expect(await from('2001:db8:2::1', 1)).toEqual([200])
  })

  it('keep no address in the table, nor its plain hash', async () => {
    const origin = await start({ NETSCRIPT_AUTH_TRUST_PROXY: 'loopback' })
    await signin(origin, { from: '192.0.2.1' })
    const keys = (await query('SELECT key FROM auth_rate_limits')).map(({ key }) => String(key))
    expect(keys).toHaveLength(1)
    const plain = createHash('sha256').update('192.0.2.1/32').digest().readUInt32BE() >>> 12
    for (const key of keys) {
      expect(key).toMatch(/^signin\/32:\d{1,7}$/)
      expect(key).not.toContain(`:${plain}`)
    }
  })

  it('are never those of a provider: many clients together may exceed the limit of one', async () => {
    const origin = await start({
      NETSCRIPT_AUTH_RATE_LIMIT: '1',
      NETSCRIPT_AUTH_TRUST_PROXY: 'loopback',
    })
    let n = 0
    const fresh = () => ({ from: `192.0.2.${(n += 1)}` })
    expect(new Set(await times(30, () => signin(origin, fresh())))).toEqual(new Set([200]))
    expect(new Set(await times(30, () => callback(origin, fresh())))).toEqual(new Set([400]))
  })

  it('leave room for users to sign in', async () => {
    const origin = await start()
    for (let person = 0; person < 5; person += 1) {
      expect((await signIn(createUserAgent(origin))).status).toBe(303)
    }
  })

  it('are off only by a switch that the log tells of', async () => {
    const origin = await start({ NETSCRIPT_AUTH_INSECURE_NO_RATE_LIMIT: 'true' })
    expect(new Set(await times(7, () => signin(origin)))).toEqual(new Set([200]))
    expect((await signin(origin)).headers.get('ratelimit')).toBeNull()
    expect(service.log.join('')).toContain('NETSCRIPT_AUTH_INSECURE_NO_RATE_LIMIT is on.')
  })
})

it.each(['true', 'nonsense', '0.0.0.0/0'])('TRUST_PROXY=%s does not start', (value) => {
  const env = { NETSCRIPT_AUTH_TRUST_PROXY: value }
  expect(() => readConfig(env, { production: false })).toThrow(
    /NETSCRIPT_AUTH_TRUST_PROXY: .*number of proxies/,
  )
})

describe.each(['kv-oauth', 'better-auth'])('a store that is down: %s', (name) => {
  it('refuses what it cannot count', async () => {
    const sut = await BACKENDS_UNDER_TEST[name]!()
    try {
      // Without the limit these would be answered: neither needs the database for anything else.
      const withoutTransaction = () => callback(sut.origin)
      const unknownProvider = () => signin(sut.origin, { providerId: 'unknown' })
      const usual = [(await withoutTransaction()).status, (await unknownProvider()).status]
      expect(usual).toEqual(name === 'kv-oauth' ? [400, 422] : [502, 502])
      const { restore } = await sut.outage()
      for (const call of [withoutTransaction, unknownProvider]) {
        const answer = await call()
        expect(answer.status).toBe(503)
        expect(answer.headers.get('retry-after')).toBe('2')
        expect(await answer.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' })
      }
      await restore()
      expect((await withoutTransaction()).status).toBe(usual[0])
    } finally {
      await sut.close()
    }
  })
})
