import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { MountedBackend } from './backends.js'
import { readConfig } from './config/config.js'
import { createLogger } from './log.js'
import { createServiceApp, type ServiceAppOptions } from './service-app.js'

/** Every caller is anonymous. */
const backend = {
  name: 'anonymous',
  providers: { listProviders: () => [], getProvider: () => undefined },
  capabilities: { listSessions: false },
  sessions: { signOut: async () => ({ setCookies: [] }) },
  authenticate: async () => ({ ok: false, reason: 'credential-missing', setCookies: [] }),
} as unknown as MountedBackend

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const WORKOS = {
  NETSCRIPT_AUTH_BACKEND: 'workos',
  WORKOS_API_KEY: 'sk_x',
  WORKOS_CLIENT_ID: 'client_x',
  WORKOS_COOKIE_PASSWORD: 'p'.repeat(32),
}

/** A service, as far as HTTP goes, with another backend than its variables say. */
async function start(
  env: NodeJS.ProcessEnv,
  { production = false, ...options }: Partial<ServiceAppOptions> & { production?: boolean } = {},
) {
  const listener = createServiceApp({
    config: readConfig({ ...WORKOS, ...env }, { production }),
    backend,
    logger: createLogger('silent'),
    draining: () => false,
    rateLimit: false,
    ...options,
  })
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}

/** What follows when each redirect comes back by the same proxy. */
async function visit(port: number, path: string, headers: (to: URL) => Record<string, string>) {
  const seen: string[] = []
  let target = new URL(path, 'http://browser.invalid')
  for (let hop = 0; hop < 5; hop += 1) {
    const { status, location } = await new Promise<{ status: number; location?: string }>(
      (resolve, reject) => {
        request({ port, path: target.pathname + target.search, headers: headers(target) })
          .on('response', ({ statusCode: status = 0, headers: { location } }) =>
            resolve({ status, ...(location !== undefined && { location }) }),
          )
          .on('error', reject)
          .end()
      },
    )
    if (location === undefined) return [...seen, status]
    seen.push(location)
    target = new URL(location, target)
  }
  return [...seen, 'an endless redirect']
}

const AUTH = 'https://auth.example'
const LOCAL = 'http://localhost:8094'

describe.each(['/', '/docs'])('the page at %s', (path) => {
  it.each<[string, string, Record<string, string>, string?]>([
    ['the own name', AUTH, { host: 'auth.example' }],
    ['the own name and the port', AUTH, { host: 'auth.example:443' }],
    ['the own name in capitals', AUTH, { host: 'AUTH.Example' }],
    ['the own name with a dot at its end', AUTH, { host: 'auth.example.' }],
    ['another port', AUTH, { host: 'auth.example:8443' }],
    ["the upstream's name", AUTH, { host: 'auth-upstream:8094' }],
    ['a loopback address', AUTH, { host: '127.0.0.1:8094' }],
    ['localhost', AUTH, { host: 'localhost:8094' }],
    ["the upstream's name and X-Forwarded-For", AUTH, { host: 'up', 'x-forwarded-for': '::1' }],
    ["the upstream's name and Via", AUTH, { host: 'up', via: '1.1 proxy' }],
    ['what is no host', AUTH, { host: 'a b' }],
    ['an empty host', AUTH, { host: '' }],
    ['another host of the client', AUTH, { host: 'evil.example' }],
    ['a forwarded name', AUTH, { host: 'up', 'x-forwarded-host': 'auth.example' }],
    ['localhost, of a local origin', LOCAL, { host: 'localhost:8094' }],
    ['localhost in capitals', LOCAL, { host: 'LOCALHOST:8094' }],
    ['localhost with a dot', LOCAL, { host: 'localhost.:8094' }],
    ['another port, of a local origin', LOCAL, { host: '127.0.0.1:3000' }],
    ['the default port, of a local origin', 'http://localhost', { host: 'localhost:80' }],
    ["the upstream's name, of a local origin", LOCAL, { host: 'auth:8094' }],
    ['a name that begins alike', LOCAL, { host: 'localhost.evil.example:8094' }],
  ])('answers without a redirect when a proxy sends %s', async (_name, origin, headers) => {
    for (const trusted of [undefined, '1', 'loopback']) {
      const port = await start({
        NETSCRIPT_AUTH_ORIGIN: origin,
        NETSCRIPT_AUTH_DOCS: 'true',
        ...(trusted && { NETSCRIPT_AUTH_TRUST_PROXY: trusted }),
      })
      for (const more of [{}, { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' }]) {
        const outcome = await visit(port, path, () => ({ ...headers, ...more }))
        expect(outcome, `${trusted} ${JSON.stringify(more)}`).toEqual([200])
      }
    }
  })

  it.each([
    ['127.0.0.1:8094', LOCAL],
    ['[::1]:8094', LOCAL],
    ['localhost:8094', 'http://127.0.0.1:8094'],
    ['127.0.0.1', 'http://localhost'],
    ['127.0.0.1:443', 'https://localhost'],
  ])('is redirected once from http://%s to %s', async (host, origin) => {
    const port = await start({ NETSCRIPT_AUTH_ORIGIN: origin, NETSCRIPT_AUTH_DOCS: 'true' })
    const { hostname } = new URL(`http://${host}`)
    const there = [`${origin}${path}?from=${hostname}`, 200]
    // A browser says where it is; a proxy may say the same again.
    const browser = await visit(port, path, (to) => ({
      host: to.hostname === 'browser.invalid' ? host : to.host,
    }))
    expect(browser).toEqual(there)
    expect(await visit(port, path, () => ({ host }))).toEqual(there)
  })
})

describe('the address of the keys, when no tokens are issued', () => {
  it.each(['application/json', 'text/html'])(
    'answers a problem that may not be kept: %s',
    async (accept) => {
      const port = await start({ NETSCRIPT_AUTH_ORIGIN: AUTH })
      const url = `http://127.0.0.1:${port}/.well-known/jwks.json`
      const response = await fetch(url, { headers: { accept } })
      expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(await response.json()).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    },
  )
})

describe('pages on this machine', () => {
  const call = async (port: number) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/auth/signout`, {
      method: 'POST',
      headers: { origin: 'http://localhost:5173', 'content-type': 'application/json' },
      body: '{}',
    })
    return [response.status, response.headers.get('access-control-allow-origin')]
  }
  const demo = { issuer: 'http://localhost:9094', accounts: [] }

  it('may call a service with the local provider that only this machine reaches', async () => {
    const port = await start({ NETSCRIPT_AUTH_HOST: '[::1]' }, { demo })
    expect(await call(port)).toEqual([200, 'http://localhost:5173'])
  })

  it.each<[string, NodeJS.ProcessEnv, { demo?: typeof demo; production?: boolean }]>([
    ['without the local provider', {}, {}],
    ['that other machines reach', { NETSCRIPT_AUTH_HOST: '0.0.0.0' }, { demo }],
    ['that other machines reach by a name', { NETSCRIPT_AUTH_HOST: 'workstation' }, { demo }],
    ['of another origin', { NETSCRIPT_AUTH_ORIGIN: 'https://auth.example' }, { demo }],
    [
      'in production',
      { NETSCRIPT_AUTH_ORIGIN: LOCAL, DATABASE_URL: 'postgres://db/auth' },
      { demo, production: true },
    ],
  ])('may not call a service %s', async (_name, env, options) => {
    expect(await call(await start(env, options))).toEqual([403, null])
  })
})
