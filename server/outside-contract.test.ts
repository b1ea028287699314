import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthError, providerError } from '../backends/errors.js'
import type { AuthBackendPort } from '../backends/port.js'
import { createProviderRegistry } from '../backends/registry.js'
import fastify from 'fastify'
import { createAuthApp } from './adapters/express.js'
import { createAuthPlugin } from './adapters/fastify.js'
import { createAuthHandler } from './adapters/fetch.js'
import { createAuthListener } from './adapters/node.js'
import { readConfig } from './config/config.js'
import { createLogger } from './log.js'
import { createServiceApp } from './service-app.js'

const API = '/api/v1/auth'

const session = {
  ...{ id: 's', userId: 'u', subject: 'u', state: 'active', scopes: [], roles: [], claims: {} },
  ...{ issuedAt: '2026-01-01T00:00:00Z', expiresAt: '2026-01-02T00:00:00Z' },
}
const signedIn = (over: object = {}, setCookies: unknown = []): unknown => ({
  ...{ ok: true, user: { id: 'u' }, session: { ...session, ...over }, setCookies },
})

/** Answers of a backend that types would refuse, as JavaScript and foreign data give them. */
const ANSWERS: Readonly<Record<string, () => unknown>> = {
  'nothing at all': () => undefined,
  'an instant beyond the year 9999': () => signedIn({ expiresAt: '+010000-01-01T00:00:00.000Z' }),
  'an instant that is a number': () => signedIn({ expiresAt: 1_767_225_600_000 }),
  'a claim that JSON cannot hold': () => signedIn({ claims: { updated_at: 1n } }),
  'a claim that contains itself': () => {
    const claims: Record<string, unknown> = {}
    return signedIn({ claims: { claims, deep: Object.assign(claims, { claims }) } })
  },
  'a cookie that no header can hold': () => signedIn({}, ['a=1\r\nX-Injected: 1']),
  'no list of cookies': () => signedIn({}, null),
  'an error with a cookie that no header can hold': () => {
    throw new AuthError('STORE_UNAVAILABLE', 'Try again.', { setCookies: ['a=\u0000'] })
  },
  'an error with data that JSON cannot hold': () => {
    throw providerError('p', 1n as unknown as string)
  },
  'an error that is no Error': () => {
    // oxlint-disable-next-line typescript/only-throw-error
    throw 'SELECT secret'
  },
}

/** Answers of the operations behind the other routes. */
const RESULTS: Readonly<Record<string, () => unknown>> = {
  'nothing at all': () => undefined,
  'no list of cookies': () => ({ ...RESULT, setCookies: null }),
  'no address': () => withoutAddress(undefined),
  'a cookie that no header can hold': () => ({ ...RESULT, setCookies: ['a=1\r\nX-Injected: 1'] }),
  'addresses that no header can hold': () => withoutAddress('\u0000'),
  'an error with a cookie that no header can hold':
    ANSWERS['an error with a cookie that no header can hold']!,
  'an error that is no Error': ANSWERS['an error that is no Error']!,
}
const RESULT = {
  ...{ providerId: 'p', redirectUrl: 'https://idp.example/', state: 's', returnTo: '/' },
  ...{ subject: 'u', logoutUrl: 'https://idp.example/', setCookies: [] },
}
/** A return target that is missing has a default, so this one fails when it is read. */
const withoutAddress = (redirectUrl: unknown): unknown =>
  Object.defineProperty({ ...RESULT, redirectUrl, logoutUrl: '\u0000' }, 'returnTo', {
    get() {
      throw new RangeError('Invalid time value')
    },
  })

let answer: () => unknown
const operation = async (): Promise<never> => answer() as never
const backend = {
  name: 'odd',
  providers: createProviderRegistry([]),
  capabilities: { listSessions: true, revokeSessions: true, refresh: false, providerLogout: false },
  authenticate: operation,
  sessions: { signOut: operation, listSessions: operation },
  interactive: {
    signIn: operation,
    handleCallback: operation,
    startLogout: operation,
    finishLogout: operation,
  },
} as unknown as AuthBackendPort

type Route = readonly [path: string, init?: RequestInit]
const READS: readonly Route[] = [
  [`${API}/me`],
  [`${API}/session`],
  [`${API}/me?by=express`],
  [`${API}/sessions`],
]
const form = {
  ...{ method: 'POST', body: '' },
  headers: {
    'sec-fetch-site': 'same-origin',
    'content-type': 'application/x-www-form-urlencoded',
  },
}
const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
const OPERATIONS: readonly Route[] = [
  [`${API}/signin`, json],
  [`${API}/signin`, form],
  [`${API}/signout`, json],
  [`${API}/signout`, form],
  [`${API}/callback?code=a&state=b`],
  [`${API}/logout?ticket=a`],
  [`${API}/logged-out?state=a`],
]

const logger = createLogger('silent')
type Send = (url: string, init?: RequestInit) => Promise<Response>

const server = createServer((req, res) => listener(req, res))
let listener: RequestListener
const listening = (next: RequestListener): Send => {
  listener = next
  return fetch
}
const ADAPTERS: Readonly<Record<string, (origin: string) => Send>> = {
  createAuthApp: (origin) =>
    listening(createAuthApp({ backend, origin, logger }) as RequestListener),
  createAuthListener: (origin) => listening(createAuthListener({ backend, origin, logger })),
  createAuthPlugin: (origin) => {
    const app = fastify()
    app.register(createAuthPlugin({ backend, origin, logger }))
    return listening((req, res) => void app.ready(() => app.routing(req, res)))
  },
  createAuthHandler: (origin) => {
    const handler = createAuthHandler({ backend, origin, logger, rateLimit: false })
    return (url, init) => handler(new Request(url, init))
  },
  createServiceApp: (NETSCRIPT_AUTH_ORIGIN) =>
    listening(
      createServiceApp({
        config: readConfig({ NETSCRIPT_AUTH_ORIGIN }, { production: false }),
        ...{ backend, logger, draining: () => false, rateLimit: false },
      }),
    ),
}

let url: string
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((done) => server.close(done)))

describe.each(Object.keys(ADAPTERS))('%s, when a backend answers outside the contract', (name) => {
  let send: Send
  beforeAll(() => {
    send = ADAPTERS[name]!(url)
  })

  async function statuses(routes: readonly Route[]): Promise<Record<string, number>> {
    const answers: Record<string, number> = {}
    for (const [path, init] of routes) {
      const response = await send(url + path, { redirect: 'manual', ...init })
      const { 'content-type': type = '' } = (init?.headers ?? {}) as Record<string, string>
      answers[`${init?.method ?? 'GET'} ${path} ${type}`] = response.status
      const text = await response.text()
      expect(response.headers.get('x-injected'), path).toBeNull()
      expect(JSON.parse(text), path).toMatchObject({ code: 'INTERNAL', status: 500 })
      expect(text, path).not.toMatch(/\n\s+at |TypeError|RangeError|BigInt/)
    }
    return answers
  }

  it.each(Object.keys(ANSWERS))('answers 500 on every route that reads: %s', async (what) => {
    answer = ANSWERS[what]!
    const found = await statuses(READS)
    expect(new Set(Object.values(found)), JSON.stringify(found)).toEqual(new Set([500]))
    if (name === 'createServiceApp') expect((await fetch(url)).status).toBeOneOf([200, 500, 503])
  })

  it.each(Object.keys(RESULTS))('answers 500 on every other route: %s', async (what) => {
    answer = RESULTS[what]!
    const found = await statuses(OPERATIONS)
    expect(new Set(Object.values(found)), JSON.stringify(found)).toEqual(new Set([500]))
  })
})
