import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PostgresPool } from '@netscript/auth-database'
import { createPool } from '../../prisma/pool.js'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { createKvOAuthBackend, type KvOAuthBackend } from '../../backends/kv-oauth/backend.js'
import {
  type ScriptedProvider,
  startScriptedProvider,
} from '../../backends/kv-oauth/testing/scripted-provider.js'
import { type AuthHandler, createAuthHandler } from '../adapters/fetch.js'
import { createLogger } from '../log.js'

const ORIGIN = 'http://localhost:8094'
const API = `${ORIGIN}/api/v1/auth`
const SECRET = randomBytes(32).toString('base64url')
const PER_MINUTE = 10

/** A process: its engine counts for itself, and in the shared database. */
interface Process {
  readonly handler: AuthHandler
  readonly backend: KvOAuthBackend
  /** The statements since the last call. */
  statements(): string[]
}

describe('the statements of a sign-in', () => {
  let idp: ScriptedProvider
  let database: TestDatabase
  let pool: PostgresPool
  const processes: Process[] = []
  let one: Process
  let client = 0
  beforeAll(async () => {
    idp = await startScriptedProvider()
    database = await createTestDatabase()
    pool = createPool(database.url)
    const key = randomBytes(32).toString('base64url')
    for (let started = 0; started < 3; started += 1) processes.push(await startProcess(key))
    one = processes[0]!
    // The first statement of a pool asks whether there is a pooler.
    for (const each of processes) await start(each, '203.0.113.1')
  })
  beforeEach(() => {
    client += 1
    idp.claims = {}
    processes.forEach((each) => each.statements())
  })
  afterAll(async () => {
    for (const { backend } of processes) await backend.close()
    await pool.end()
    await database.drop()
    await idp.close()
  })

  async function startProcess(key: string): Promise<Process> {
    const seen: string[] = []
    const counted = new Proxy(pool, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...given: unknown[]): unknown => {
          if (name === 'query') {
            const [statement] = given as [string | { text: string; name?: string }]
            seen.push(
              typeof statement === 'string' ? statement : (statement.name ?? statement.text),
            )
          }
          if (name === 'connect') seen.push('BEGIN')
          return Reflect.apply(member, target, given)
        }
      },
    })
    const options = { pool: counted, key, allowInsecureRequests: true, insecureCookies: true }
    const backend = await createKvOAuthBackend({
      ...options,
      ...{ provider: idp.oidc(), cookieName: 'session', sessionStore: '' },
    })
    const handler = createAuthHandler({
      ...{ backend, origin: ORIGIN, passesClientAddress: true, logger: createLogger('silent') },
      rateLimit: { perMinute: PER_MINUTE, shared: { pool: counted, secret: SECRET } },
    })
    return { handler, backend, statements: () => seen.splice(0) }
  }

  const send = (
    { handler }: Process,
    path: string,
    init: RequestInit = {},
    clientAddress = `192.0.2.${client}`,
  ): Promise<Response> => handler(new Request(`${API}${path}`, init), { clientAddress })
  const start = (at: Process, address?: string, body: object = {}): Promise<Response> =>
    send(
      at,
      '/signin',
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      },
      address,
    )
  const cookiesOf = (response: Response): string =>
    response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';', 1)[0])
      .filter((pair) => !pair?.endsWith('='))
      .join('; ')
  async function begin(at: Process, address?: string) {
    const response = await start(at, address)
    const { redirectUrl, state } = (await response.json()) as Record<string, string>
    const nonce = new URL(redirectUrl ?? '').searchParams.get('nonce')
    return { path: `/callback?code=${nonce}&state=${state}`, cookie: cookiesOf(response) }
  }
  /** Signs in as `sub`; returns the session cookie. */
  async function signIn(sub: string, session = '', address?: string): Promise<string> {
    idp.claims = { sub }
    const { path, cookie } = await begin(one, address)
    const headers = { cookie: [cookie, session].filter(Boolean).join('; ') }
    const response = await send(one, path, { headers }, address)
    expect(response.status, await response.clone().text()).toBe(303)
    return cookiesOf(response)
  }
  const transactions = async (): Promise<number> => {
    const { rows } = await pool.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM auth_keyv WHERE key LIKE 'transaction:%'`,
    )
    return rows[0]!.count
  }
  const THREE = ['auth_transaction_put_1', 'auth_transaction_take_1', 'auth_sign_in']

  it('are three for a returning user', async () => {
    await signIn('ada')
    expect(one.statements()).toEqual([...THREE, 'auth_first_sign_in'])
    await signIn('ada')
    expect(one.statements()).toEqual(THREE)
  })

  it("are three where the browser's previous session ends with it", async () => {
    const first = await signIn('grace')
    one.statements()
    await signIn('grace', first)
    expect(one.statements()).toEqual(THREE)
    const gone = await send(one, '/session', { headers: { cookie: first } })
    expect(await gone.json()).toEqual({ authenticated: false })
  })

  it('are three from an IPv6 address, which three limits count', async () => {
    await signIn('ada', '', '2001:db8::1')
    one.statements()
    await signIn('ada', '', '2001:db8::1')
    expect(one.statements()).toEqual([
      'auth_transaction_put_3',
      'auth_transaction_take_3',
      'auth_sign_in',
    ])
  })

  it.each<[string, number, () => Promise<Response>]>([
    ['with an unknown provider', 422, () => start(one, undefined, { providerId: 'unknown' })],
    ['with an invalid body', 422, () => start(one, undefined, { redirectTo: 5 })],
    [
      'that is no JSON',
      400,
      () =>
        send(one, '/signin', {
          method: 'POST',
          body: '{',
          headers: { 'content-type': 'application/json' },
        }),
    ],
    ['without a transaction', 400, () => send(one, '/callback?code=a&state=b')],
    ['without a state', 400, () => send(one, '/callback?code=a')],
  ])('count a request %s with one statement', async (_, status, request) => {
    const response = await request()
    expect(response.status).toBe(status)
    expect(one.statements()).toEqual(['auth_rate_limit_charge_1'])
    expect(response.headers.get('ratelimit')).toContain(`r=${PER_MINUTE - 1};`)
    for (let more = 1; more < PER_MINUTE; more += 1) await request()
    expect((await request()).status).toBe(429)
  })

  it('take nothing and write nothing over the limit', async () => {
    const { path, cookie } = await begin(one)
    // Another process has used up the limits of both routes.
    const other = processes[1]!
    for (let used = 1; used < PER_MINUTE; used += 1) await start(other)
    for (let used = 0; used < PER_MINUTE; used += 1) await send(other, '/callback?code=a&state=b')
    const before = await transactions()
    one.statements()

    const refused = [await start(one), await send(one, path, { headers: { cookie } })]
    for (const response of refused) {
      expect(response.status).toBe(429)
      expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
      expect(response.headers.get('ratelimit')).toContain('r=0;')
      expect(response.headers.getSetCookie()).toEqual([])
    }
    expect(one.statements()).toEqual(['auth_transaction_put_1', 'auth_transaction_take_1'])
    expect(await transactions()).toBe(before)
    // The transaction is still there for a callback from an address that is within its limit.
    expect((await send(one, path, { headers: { cookie } }, '198.51.100.1')).status).toBe(303)
  })

  it('are none for what the process itself has refused', async () => {
    for (let used = 0; used < PER_MINUTE; used += 1) await start(one)
    one.statements()
    for (let over = 0; over < 20; over += 1) expect((await start(one)).status).toBe(429)
    expect(one.statements()).toEqual([])
  })

  it('of three processes at once start as many sign-ins as the limit allows, and no more', async () => {
    const before = await transactions()
    const answers = await Promise.all(
      Array.from({ length: 6 * PER_MINUTE }, (_, n) => start(processes[n % 3]!)),
    )
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(PER_MINUTE)
    expect(statuses.filter((status) => status === 429)).toHaveLength(5 * PER_MINUTE)
    expect(await transactions()).toBe(before + PER_MINUTE)
    // Each process lets as many reach the database as the limit allows.
    const reached = processes.map((each) => each.statements().length)
    expect(reached).toEqual([PER_MINUTE, PER_MINUTE, PER_MINUTE])
  })
})
