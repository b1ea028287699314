import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AuthErrorCode, RouteAuth } from '@netscript/auth-contract'
import { problemOf } from '@netscript/auth-contract/internal'
import { OpenAPIHandler } from '@orpc/openapi/fetch'
import { ORPCError, os } from '@orpc/server'
import { RequestHeadersPlugin, ResponseHeadersPlugin } from '@orpc/server/plugins'
import express from 'express'
import { fastify } from 'fastify'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import { authenticated, type Authenticator, GuardUnavailableError } from './authenticator.js'
import type { Authorizer } from './authorizer.js'
import type { GuardOptions, Requirement } from './caller.js'
import * as onExpress from './express.js'
import * as onFastify from './fastify.js'
import { createFetchGuard, type FetchGuard } from './fetch.js'
import * as onHono from './hono.js'
import { createNextGuard } from './next.js'
import { createOrpcGuard, guardErrors, type OrpcMeta } from './orpc.js'

/** What each host serves: the requirements of a route, one for each of its guards. */
const authorizer = (authorize: Authorizer['authorize']): Requirement => ({
  authorizer: { authorize },
})
const ROUTES: Readonly<Record<string, readonly Requirement[]>> = {
  '/session': [{}],
  '/scopes': [{ scopes: ['read', 'write', 'delete'] }],
  '/roles': [{ roles: ['clerk', 'admin'] }],
  '/recent': [{ recentAuth: { maxAge: 300, acr: ['mfa'] } }],
  '/allowed': [{ scopes: ['read'] }, { roles: ['clerk'] }, {}],
  '/twice': [{}, { scopes: ['write'] }],
  '/rules': [
    authorizer(({ method, path, principal }) =>
      method === 'GET' && path === '/rules' && principal.subject === 'ada'
        ? { allow: true }
        : { allow: false, reason: `${method} ${path}` },
    ),
  ],
  '/throws': [
    authorizer(() => {
      throw new Error('SECRET of the authorizer')
    }),
  ],
  '/rejects': [authorizer(() => Promise.reject(new Error('SECRET of the authorizer')))],
  '/own': [{}],
  '/unguarded': [],
}
/** A handler's own headers. */
const OWN = { 'cache-control': 'private', 'set-cookie': 'session=ended; Max-Age=0', vary: 'Accept' }

type Host = (options: {
  authenticator: Authenticator
  log: NonNullable<GuardOptions['log']>
}) => Promise<{
  fetch: (path: string, init: RequestInit) => Promise<Response>
}>
/** The guards of a framework that has one function for each requirement. */
const guardsFrom =
  <G>(module: {
    requireSession: () => G
    requireScopes: (...scopes: string[]) => G
    requireRoles: (...roles: string[]) => G
    requireRecentAuth: (requirement: { maxAge: number }) => G
    withAuthz: (options: { authorizer: Authorizer }) => G
  }) =>
  ({ scopes, roles, recentAuth, authorizer }: Requirement): G => {
    if (scopes) return module.requireScopes(...scopes)
    if (roles) return module.requireRoles(...roles)
    if (recentAuth) return module.requireRecentAuth(recentAuth)
    return authorizer ? module.withAuthz({ authorizer }) : module.requireSession()
  }

const servers: Server[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))))
})
async function serve(listener: RequestListener) {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { fetch: (path: string, init: RequestInit) => fetch(origin + path, init) }
}

const HOSTS: Readonly<Record<string, Host>> = {
  async express(options) {
    const app = express()
    app.set('env', 'test')
    app.use(onExpress.withAuthn(options))
    for (const [path, requirements] of Object.entries(ROUTES)) {
      app.all(path, ...requirements.map(guardsFrom(onExpress)), (req, res) => {
        if (path === '/own') res.append('Set-Cookie', OWN['set-cookie']).vary(OWN.vary)
        if (path === '/own') res.set('Cache-Control', OWN['cache-control'])
        res.json({ of: req.principal.subject })
      })
    }
    return serve((req, res) => void app(req, res))
  },

  async fastify(options) {
    const app = fastify()
    await app.register(onFastify.authGuard, options)
    for (const [path, requirements] of Object.entries(ROUTES)) {
      app.all(
        path,
        { onRequest: requirements.map(guardsFrom(onFastify)) },
        async (request, reply) => {
          if (path === '/own') {
            reply.headers({ ...OWN, vary: `${String(reply.getHeader('vary'))}, ${OWN.vary}` })
          }
          return { of: request.principal.subject }
        },
      )
    }
    await app.ready()
    return serve((req, res) => app.routing(req, res))
  },

  async hono(options) {
    const app = new Hono<onHono.GuardEnv>()
    app.onError((_error, c) => c.body(null, 500))
    app.use(onHono.authGuard(options))
    for (const [path, requirements] of Object.entries(ROUTES)) {
      for (const guard of requirements.map(guardsFrom(onHono))) app.use(path, guard)
      app.all(path, (c) => {
        const of = c.get('principal').subject
        return path === '/own' ? Response.json({ of }, { headers: OWN }) : c.json({ of })
      })
    }
    return { fetch: async (path, init) => app.request(path, init) }
  },

  async fetch(options) {
    const auth = createFetchGuard(options)
    return {
      async fetch(path, init) {
        const request = new Request(`http://orders.example${path}`, init)
        let principal
        let respond = (response: Response): Response => response
        for (const requirement of ROUTES[new URL(request.url).pathname] ?? []) {
          const who = await auth.authenticate(request, requirement)
          if (!who.ok) return who.response
          ;({ principal, respond } = who)
        }
        if (!principal) return new Response(null, { status: 500 })
        const headers = path === '/own' ? OWN : {}
        return respond(Response.json({ of: principal.subject }, { headers }))
      },
    }
  },

  'fetch, protect': async (options) => protectedHost(createFetchGuard(options)),
  'next, route handler': async (options) =>
    protectedHost(createNextGuard({ ...options, headers: () => Promise.reject(new Error()) })),

  async orpc(options) {
    const guard = createOrpcGuard({ ...options, ORPCError })
    // Two guards on each procedure, as on a router and on a procedure.
    const guarded = os.$meta<OrpcMeta>({}).use(guard).use(guard)
    const procedures = Object.entries(ROUTES).map(([path, requirements]) => {
      const auth = Object.assign({}, ...requirements) as RouteAuth
      const { length } = requirements
      return guarded
        .meta({ auth: length > 0 ? auth : { public: true } })
        .route({ method: 'GET', path: path as '/' })
        .handler(({ context }) => {
          const { resHeaders } = context as { resHeaders?: Headers }
          if (path === '/own') {
            resHeaders?.set('cache-control', OWN['cache-control'])
            resHeaders?.append('set-cookie', OWN['set-cookie'])
            resHeaders?.append('vary', OWN.vary)
          }
          return { of: context.principal.subject }
        })
    })
    const handler = new OpenAPIHandler(
      Object.fromEntries(procedures.map((one, index) => [`route${index}`, one])),
      {
        plugins: [new RequestHeadersPlugin(), new ResponseHeadersPlugin()],
        // The shape of errors is that of oRPC otherwise; the content of both is the same.
        customErrorResponseBodyEncoder: ({ code, message, data }) =>
          code in guardErrors
            ? problemOf(code as AuthErrorCode, message, data as undefined)
            : undefined,
      },
    )
    return {
      async fetch(path, init) {
        const { response } = await handler.handle(new Request(`http://orders.example${path}`, init))
        if (!response) throw new Error('not matched')
        const refused = [401, 403, 503].includes(response.status)
        if (refused) response.headers.set('content-type', PROBLEM)
        return response
      },
    }
  },
}

/** What oRPC does not have: authorizers, methods that a procedure does not name. */
const isForOrpc = ([, path, { method = 'GET' }]: (typeof CASES)[number]) =>
  method === 'GET' && !['/rules', '/throws', '/rejects'].includes(path.split('?')[0] ?? '')

function protectedHost({ protect }: Pick<FetchGuard, 'protect'>): Awaited<ReturnType<Host>> {
  return {
    async fetch(path, init) {
      const request = new Request(`http://orders.example${path}`, init)
      const requirements = ROUTES[new URL(request.url).pathname] ?? []
      const answer = async (_request: Request, of?: string) =>
        of === undefined
          ? new Response(null, { status: 500 })
          : Response.json({ of }, { headers: path === '/own' ? OWN : {} })
      const handler = requirements.reduceRight<typeof answer>(
        (inner, requirement) =>
          protect((request, { subject }) => inner(request, subject), requirement),
        answer,
      )
      return handler(request)
    },
  }
}

const ROTATED = ['session=new; Path=/; HttpOnly', 'other=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT']

/** Knows Ada by the cookie `ada` or the same bearer token; rotates the cookie with `x-rotate`. */
function createHarness(host: Host) {
  const log: object[] = []
  let calls = 0
  const authenticator: Authenticator = {
    realm: 'https://auth.example',
    async authenticate({ headers }) {
      calls += 1
      const read = (name: string) =>
        headers instanceof Headers
          ? (headers.get(name) ?? undefined)
          : (headers as Record<string, string | undefined>)[name]
      const setCookies = read('x-rotate') === undefined ? [] : ROTATED
      const sent = read('authorization')?.replace('Bearer ', '') ?? read('cookie')
      await new Promise((done) => setTimeout(done, 5))
      if (sent === 'down') {
        throw new GuardUnavailableError('Down.', { setCookies, retryAfterSeconds: 9 })
      }
      if (sent === 'broken') throw new Error('Broken.')
      if (sent !== 'ada') {
        const reason = sent === undefined ? 'credential-missing' : 'credential-invalid'
        return { ok: false, reason, setCookies }
      }
      const claims = { auth_time: Math.floor(Date.now() / 1000) - 3600, providerId: 'idp' }
      const scheme = read('authorization') ? 'bearer' : 'custom'
      return authenticated(
        { subject: 'ada', scopes: ['read'], roles: ['clerk'], scheme, claims },
        setCookies,
      )
    },
  }
  const write = (fields: object, message: string) => {
    const { err: _err, ...rest } = fields as { err?: unknown }
    log.push({ ...rest, message })
  }
  return async (path: string, { method = 'GET', ...headers }: Record<string, string> = {}) => {
    log.length = 0
    calls = 0
    const { fetch } = await host({ authenticator, log: { info: write, warn: write } })
    const response = await fetch(path, { method, headers }).catch((error: Error) => {
      expect(error.message).toBe('Broken.')
      return new Response(null, { status: 500 })
    })
    // A server drops the body of a response to HEAD.
    const text = method === 'HEAD' && response.ok ? '' : await response.text()
    expect(text).not.toContain('SECRET')
    const picked = ['www-authenticate', 'retry-after', 'cache-control', 'vary']
    return {
      status: response.status,
      body: text.startsWith('{') ? (JSON.parse(text) as object) : undefined,
      type: response.status === 200 ? undefined : response.headers.get('content-type'),
      ...Object.fromEntries(picked.map((name) => [name, response.headers.get(name) ?? undefined])),
      cookies: response.headers.getSetCookie(),
      calls,
      log: [...log],
    }
  }
}

const ADA = { cookie: 'ada' }
const BEARER = { authorization: 'Bearer ada' }
const REALM = 'Bearer realm="https://auth.example"'
const PRIVATE = { 'cache-control': 'no-store', vary: 'Cookie, Authorization' }
const PROBLEM = 'application/problem+json; charset=utf-8'
const code = (code: string) => ({ body: expect.objectContaining({ code }) as object })

/** What is asked, and what every host responds. */
const CASES: readonly [string, string, Record<string, string>, object][] = [
  [
    'no credential',
    '/session',
    {},
    { status: 401, ...code('UNAUTHORIZED'), 'www-authenticate': REALM, type: PROBLEM, calls: 1 },
  ],
  [
    'an invalid or expired cookie',
    '/session',
    { cookie: 'eve' },
    {
      ...{ status: 401, ...code('UNAUTHORIZED'), 'www-authenticate': REALM },
      log: [
        { code: 'UNAUTHORIZED', reason: 'credential-invalid', message: 'A request was refused.' },
      ],
    },
  ],
  [
    'an invalid bearer token',
    '/session',
    { authorization: 'Bearer eve' },
    { status: 401, 'www-authenticate': `${REALM}, error="invalid_token"`, type: PROBLEM },
  ],
  ['a session', '/session', ADA, { status: 200, body: { of: 'ada' }, cookies: [], log: [] }],
  ['several guards that pass', '/allowed', ADA, { status: 200, body: { of: 'ada' }, calls: 1 }],
  [
    'a missing scope',
    '/scopes',
    ADA,
    {
      status: 403,
      body: expect.objectContaining({
        code: 'FORBIDDEN',
        data: { missingScopes: ['write', 'delete'], missingRoles: [] },
      }) as object,
      'www-authenticate': undefined,
      type: PROBLEM,
      calls: 1,
    },
  ],
  [
    'a missing scope of a bearer token',
    '/scopes',
    BEARER,
    {
      status: 403,
      'www-authenticate': `${REALM}, error="insufficient_scope", scope="write delete"`,
    },
  ],
  [
    'a missing role',
    '/roles',
    ADA,
    {
      status: 403,
      body: expect.objectContaining({
        data: { missingScopes: [], missingRoles: ['admin'] },
      }) as object,
    },
  ],
  [
    'a sign-in that is not recent',
    '/recent',
    ADA,
    {
      status: 401,
      ...code('AUTH_RECENT_SIGN_IN_REQUIRED'),
      'www-authenticate': `${REALM}, error="insufficient_user_authentication", max_age="300", acr_values="mfa"`,
      type: PROBLEM,
    },
  ],
  ['a second guard that refuses', '/twice', ADA, { status: 403, calls: 1 }],
  ['a rule that allows', '/rules?x=/other', ADA, { status: 200, calls: 1 }],
  ['a rule that denies', '/rules', { ...ADA, method: 'POST' }, { status: 403 }],
  [
    'an authorizer that throws',
    '/throws',
    ADA,
    {
      ...{ status: 403, ...code('FORBIDDEN') },
      log: [
        { code: 'FORBIDDEN', message: 'The authorizer could not decide.' },
        { code: 'FORBIDDEN', reason: 'authz.error', message: 'A request was refused.' },
      ],
    },
  ],
  ['an authorizer that rejects', '/rejects', ADA, { status: 403, ...code('FORBIDDEN') }],
  [
    'an outage',
    '/session',
    { cookie: 'down', 'x-rotate': '1' },
    {
      ...{ status: 503, ...code('AUTH_UNAVAILABLE'), type: PROBLEM },
      ...{ 'retry-after': '9', cookies: ROTATED },
      log: [{ code: 'AUTH_UNAVAILABLE', message: 'Down.' }],
    },
  ],
  [
    'a cookie that is rotated on success',
    '/allowed',
    { ...ADA, 'x-rotate': '1' },
    { status: 200, body: { of: 'ada' }, cookies: ROTATED, calls: 1 },
  ],
  [
    'a cookie that is rotated, and a session that has ended',
    '/session',
    { cookie: 'eve', 'x-rotate': '1' },
    { status: 401, cookies: ROTATED },
  ],
  [
    'a cookie that is rotated, and a scope that is missing',
    '/twice',
    { ...ADA, 'x-rotate': '1' },
    { status: 403, cookies: ROTATED, calls: 1 },
  ],
  [
    'HEAD without a credential',
    '/session',
    { method: 'HEAD', 'x-rotate': '1' },
    { status: 401, body: undefined, 'www-authenticate': REALM, type: PROBLEM, cookies: ROTATED },
  ],
  ['HEAD', '/session', { ...ADA, method: 'HEAD' }, { status: 200 }],
  ['OPTIONS without a credential', '/session', { method: 'OPTIONS' }, { status: 401 }],
  ['OPTIONS', '/session', { ...ADA, method: 'OPTIONS' }, { status: 200, body: { of: 'ada' } }],
  [
    'headers that name a user',
    '/session',
    { 'x-forwarded-user': 'root', 'x-user-id': 'root', principal: 'root' },
    { status: 401 },
  ],
]

describe.each(Object.entries(HOSTS))('%s', (name, host) => {
  const ask = createHarness(host)

  it.each(name === 'orpc' ? CASES.filter(isForOrpc) : CASES)(
    'responds to %s',
    async (_what, path, request, expected) => {
      const response = await ask(path, request)
      expect(response).toMatchObject({ ...PRIVATE, ...expected })
      expect(response).toEqual(await createHarness(HOSTS.express!)(path, request))
    },
  )

  it('keeps what a handler sets, and its cookies last', async () => {
    expect(await ask('/own', { ...ADA, 'x-rotate': '1' })).toMatchObject({
      'cache-control': 'private',
      cookies: [...ROTATED, OWN['set-cookie']],
    })
  })

  it('varies by the caller beside what a handler varies by', async () => {
    const { vary } = (await ask('/own', ADA)) as { vary?: string }
    expect(vary?.split(', ').sort()).toEqual(['Accept', 'Authorization', 'Cookie'])
  })

  it('responds 500 when a route has no guard, and does not authenticate', async () => {
    expect(await ask('/unguarded', ADA)).toMatchObject({ status: 500, calls: 0 })
  })

  it('responds 500 when the authenticator throws another error', async () => {
    expect(await ask('/session', { cookie: 'broken' })).toMatchObject({ status: 500, calls: 1 })
  })
})
