import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as tsRest from '@ts-rest/core'
import * as tsRestExpress from '@ts-rest/express'
import express, { type Express } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as zod from 'zod'
import * as client from '../../client/index.js'
import * as fetchGuard from '../../client/guard/fetch.js'
import * as guard from '../../client/guard/index.js'
import * as contract from '../../contract/index.js'
import * as openapi from '../../openapi/index.js'
import { readBlocks, runBlock } from './support/readme-block.js'
import { startTestService, type TestService } from './support/service.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const GUIDE = 'client/guard/README.md'
const AUDIENCE = 'https://orders.example'
const MODULES = {
  '@netscript/auth-client': client,
  '@netscript/auth-contract': contract,
  '@netscript/auth-guard': guard,
  '@netscript/auth-guard/fetch': fetchGuard,
  '@netscript/auth-openapi': openapi,
  '@ts-rest/core': tsRest,
  '@ts-rest/express': tsRestExpress,
  zod,
}
const servers: Server[] = []
afterAll(() => Promise.all(servers.map((server) => new Promise((done) => server.close(done)))))

describe('the guide to protecting a service', () => {
  let auth: TestService
  let agent: UserAgent
  let userId: string
  const used = new Set<string>()
  beforeAll(async () => {
    auth = await startTestService({ env: { NETSCRIPT_AUTH_TOKEN_AUDIENCES: AUDIENCE } })
    agent = createUserAgent(auth.origin)
    await signIn(agent)
    userId = (await me(agent)).user.id
  })
  afterAll(() => auth.close())

  /** Runs the block that has this text, in a service of its own. */
  async function follow(
    text: string,
    options: {
      given?: object
      modules?: Readonly<Record<string, object>>
      wanted?: string[]
      before?: (app: Express) => void
    } = {},
    document = GUIDE,
  ) {
    const [block = '', ...others] = (await readBlocks(document)).filter((code) =>
      code.includes(text),
    )
    expect(others).toEqual([])
    used.add(block)
    const app = express()
    options.before?.(app)
    // The block is the file of the reader; here it is one of several servers.
    app.listen = (() => undefined) as never
    const code = block.replace("'http://localhost:8094'", JSON.stringify(auth.origin))
    const names = await runBlock(code, {
      modules: { ...MODULES, express: { default: () => app }, ...options.modules },
      given: { app, AUTH_API: auth.origin, ...options.given },
      wanted: options.wanted ?? [],
    })
    const server = createServer((req, res) => void app(req, res))
    servers.push(server)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const url = `http://localhost:${(server.address() as AddressInfo).port}`
    const status = async (path: string, init?: RequestInit) =>
      (await agent.fetch(url + path, init)).status
    const body = async (path: string) => (await agent.fetch(url + path)).json() as Promise<object>
    return { url, status, body, names, block }
  }
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
  const clerks = () =>
    guard.createStaticCredentialAuthenticator({
      credentials: {
        reader: { subject: 'reader', scopes: ['orders:read'] },
        clerk: { subject: 'clerk', roles: ['clerk', 'senior'] },
      },
    })

  it.each([
    ['README.md', 5],
    [GUIDE, 10],
  ] as const)('protects a route with the code of %s, in %i lines', async (document, lines) => {
    const orders = await follow('createSessionAuthenticator, requireSession', {}, document)
    expect(orders.block.split('\n').filter(Boolean)).toHaveLength(lines)
    expect(await orders.body('/orders')).toEqual({ ordersOf: userId })
    expect((await fetch(`${orders.url}/orders`)).status).toBe(401)
  })

  it('asks for scopes and roles', async () => {
    const orders = await follow('requireRoles, requireScopes', {
      before: (app) => app.use(guard.withAuthn({ authenticator: clerks() })),
    })
    expect(await orders.status('/orders/all', bearer('reader'))).toBe(200)
    expect(await orders.status('/orders/all', bearer('clerk'))).toBe(403)
    expect(await orders.status('/orders/1', { method: 'DELETE', ...bearer('clerk') })).toBe(200)
    expect(await orders.status('/orders/1', { method: 'DELETE', ...bearer('reader') })).toBe(403)
  })

  it('goes by rules', async () => {
    const orders = await follow('createScopeAuthorizer, withAuthn', {
      given: { authenticator: clerks() },
    })
    expect(await orders.status('/api/orders')).toBe(401)
    expect(await orders.status('/api/orders', bearer('clerk'))).toBe(403)
    expect(await orders.status('/api/orders', bearer('reader'))).toBe(404)
    expect(await orders.status('/api/orders/1', { method: 'PUT', ...bearer('clerk') })).toBe(404)
    expect(await orders.status('/api/orders/1', { method: 'PUT', ...bearer('reader') })).toBe(403)
    expect(await orders.status('/api/status')).toBe(404)
  })

  it('guards a ts-rest contract', async () => {
    const { status, names } = await follow('guardContract', {
      wanted: ['document'],
      before: (app) => app.use(guard.withAuthn({ authenticator: clerks() })),
    })
    expect(await status('/orders', bearer('reader'))).toBe(200)
    expect(await status('/orders', bearer('clerk'))).toBe(403)
    expect(await status('/status')).toBe(200)
    const { paths } = names.document as openapi.OpenApiDocument
    expect(paths['/orders']?.get?.security).toContainEqual({ bearerToken: ['orders:read'] })
    expect(paths['/status']?.get?.security).toEqual([])
  })

  it('works without Express', async () => {
    const { names } = await follow('createFetchGuard', {
      given: { authenticator: guard.createSessionAuthenticator({ baseUrl: auth.origin }) },
      wanted: ['handle'],
    })
    const handle = names.handle as (request: Request) => Promise<Response>
    const cookie = await agent.jar.getCookieString(auth.origin.replace('http:', 'https:'))
    const found = await handle(new Request('http://orders.example', { headers: { cookie } }))
    expect(await found.json()).toEqual({ ordersOf: userId })
    expect((await handle(new Request('http://orders.example'))).status).toBe(401)
  })

  it('knows machines', async () => {
    const { status } = await follow('REPORTS_TOKEN', { given: { REPORTS_TOKEN: 'secret' } })
    expect(await status('/reports')).toBe(401)
    expect(await status('/reports', bearer('secret'))).toBe(404)
    expect(await status('/reports', { headers: { 'x-api-key': 'secret' } })).toBe(404)
  })

  it('takes tokens', async () => {
    const orders = await follow('createTokenAuthenticator, requireSession')
    const { names } = await follow('auth.token(', {
      wanted: ['response'],
      modules: {
        // In a browser the cookie is sent along.
        '@netscript/auth-client': {
          createAuthClient: (given: client.AuthClientOptions) =>
            client.createAuthClient({ ...given, fetch: (url, init) => agent.fetch(url, init) }),
        },
      },
      given: { fetch: (_url: string, init: RequestInit) => fetch(`${orders.url}/orders`, init) },
    })
    expect(await (names.response as Response).json()).toEqual({ ordersOf: userId })
  })

  it('keeps answers when told to', async () => {
    const { names } = await follow('cacheForMs', { wanted: ['authenticator'] })
    const kept = names.authenticator as guard.Authenticator
    const guest = createUserAgent(auth.origin)
    await signIn(guest, 'grace')
    const cookie = await guest.jar.getCookieString(auth.origin.replace('http:', 'https:'))
    const isKnown = async (authenticator: guard.Authenticator) =>
      (await authenticator.authenticate({ headers: { cookie } })).ok
    expect(await isKnown(kept)).toBe(true)
    await guest.post('/api/v1/auth/signout')
    expect(await isKnown(kept)).toBe(true)
    expect(await isKnown(guard.createSessionAuthenticator({ baseUrl: auth.origin }))).toBe(false)
  })

  it('has no block that is not run', async () => {
    const blocks = await readBlocks(GUIDE)
    expect(blocks.filter((block) => !used.has(block))).toEqual([])
  })
})
