import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { betterAuth } from 'better-auth'
import { createAuthEndpoint } from 'better-auth/api'
import * as plugins from 'better-auth/plugins'
import express, { type ErrorRequestHandler } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRedirectName } from '../../../backends/better-auth/return-targets.js'
import { startTestServer, type TestServer } from '../../../backends/better-auth/testing/server.js'
import { signUp } from '../../../backends/better-auth/testing/sign-up.js'
import { AuthError } from '../../../backends/errors.js'
import { createReturnToPolicy } from '../../../backends/return-to.js'
import { createAuthApp } from '../../adapters/express.js'
import { readConfig } from '../../config/config.js'
import { freePort } from '../../local/loopback.js'
import { createLogger } from '../../log.js'
import { createAuthService } from '../../service.js'
import { leadsAway } from '../../attack/cases/return-targets.js'
import { eachOf } from '../../attack/target.js'
import {
  hasLoneSurrogate,
  honestReturnTargets,
  hostileReturnTargets,
} from '../../attack/return-targets.js'

const ALLOWED = ['https://app.example.test', 'http://partner.example.test:8080']
const PROVIDER = 'https://idp.example.test'
const corp = {
  providerId: 'corp',
  clientId: 'client',
  clientSecret: 'secret',
  authorizationUrl: `${PROVIDER}/authorize`,
  tokenUrl: `${PROVIDER}/token`,
  endSessionEndpoint: `${PROVIDER}/logout`,
}
const PASSWORD = { email: 'ada@example.com', password: 'a-long-password' }

interface Sent {
  readonly path: string
  readonly method?: string
  readonly body?: unknown
  readonly form?: URLSearchParams
}

/** A route, and the parameter that holds the target. */
type Place = readonly [name: string, request: (target: string) => Sent]

const inQuery = (path: string, name: string): Place => [
  `GET ${path} ${name}`,
  (target) => ({
    path: `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams({ [name]: target })}`,
  }),
]
const inBody = (path: string, name: string, more: object = {}): Place => [
  `POST ${path} ${name}`,
  (target) => ({ path, body: { ...more, [name]: target } }),
]

const social = { provider: 'corp', disableRedirect: false }
/** Number of places that get the whole corpus. */
const WHOLE = 6
const PLACES: readonly Place[] = [
  inQuery('/verify-email?token=x', 'callbackURL'),
  inQuery('/reset-password/token', 'callbackURL'),
  inQuery('/magic-link/verify?token=x', 'errorCallbackURL'),
  inBody('/sign-in/email', 'callbackURL', PASSWORD),
  inBody('/sign-in/social', 'callbackURL', social),
  [
    'a form',
    (target) => ({
      path: '/sign-in/email',
      form: new URLSearchParams({ ...PASSWORD, callbackURL: target }),
    }),
  ],
  inQuery('/delete-user/callback?token=x', 'callbackURL'),
  inQuery('/magic-link/verify?token=x', 'callbackURL'),
  inQuery('/magic-link/verify?token=x', 'newUserCallbackURL'),
  // Incomplete, since a complete one would create a user per target.
  inBody('/sign-up/email', 'callbackURL', { ...PASSWORD, name: 'A', email: 'nobody' }),
  inBody('/sign-in/social', 'errorCallbackURL', social),
  inBody('/sign-in/social', 'newUserCallbackURL', social),
  inBody('/link-social', 'callbackURL', social),
  inBody('/link-social', 'errorCallbackURL', social),
  inBody('/request-password-reset', 'redirectTo', { email: 'nobody@example.com' }),
  inBody('/send-verification-email', 'callbackURL', { email: 'nobody' }),
  inBody('/change-email', 'callbackURL', { newEmail: 'nobody@example.com' }),
  inBody('/delete-user', 'callbackURL'),
  inBody('/sign-out', 'callbackURL'),
  inBody('/sign-in/magic-link', 'callbackURL', { email: 'nobody@example.com' }),
  inBody('/sign-in/magic-link', 'newUserCallbackURL', { email: 'nobody@example.com' }),
  inBody('/sign-in/magic-link', 'errorCallbackURL', { email: 'nobody@example.com' }),
  inBody('/sign-out', 'redirect_uri'),
  ['a list', (target) => ({ path: '/sign-out', body: { callbackURL: ['/', target] } })],
  ['an object', (target) => ({ path: '/sign-out', body: { callbackURL: { toString: target } } })],
  ['a nested member', (target) => ({ path: '/sign-out', body: { a: [{ redirect_uri: target }] } })],
  [
    'the query of a POST',
    (target) => ({
      path: `/sign-in/email?${new URLSearchParams({ callbackURL: target })}`,
      body: PASSWORD,
    }),
  ],
  [
    'the second of two in a query',
    (target) => ({
      path: `/verify-email?token=x&callbackURL=%2F&${new URLSearchParams({ callbackURL: target })}`,
    }),
  ],
  [
    'the first of two in a form',
    (target) => {
      const form = new URLSearchParams({ ...PASSWORD, callbackURL: target })
      form.append('callbackURL', '/')
      return { path: '/sign-in/email', form }
    },
  ],
]

describe('return targets at the routes of better-auth', () => {
  let server: TestServer<never[]>
  let own: string
  let cookie: string
  beforeAll(async () => {
    server = await startTestServer({
      allowedReturnTo: ALLOWED,
      plugins: [
        plugins.magicLink({ sendMagicLink: () => undefined }),
        plugins.genericOAuth({ config: [corp] }),
      ] as never[],
      betterAuthOptions: {
        emailAndPassword: {
          enabled: true,
          sendResetPassword: () => Promise.resolve(),
          // better-auth's own hash is slow on purpose.
          password: {
            hash: (password) => Promise.resolve(`hash of ${password}`),
            verify: ({ hash, password }) => Promise.resolve(hash === `hash of ${password}`),
          },
        },
        user: { deleteUser: { enabled: true }, changeEmail: { enabled: true } },
      },
    })
    own = server.origin
    await server.auth.api.signUpEmail({ body: { name: 'Ada', ...PASSWORD } })
    cookie = await (await signUp(server)).cookieHeader()
  })
  afterAll(() => server.close())

  const send = async ({ path, body, form, method }: Sent, origin = own) => {
    const response = await fetch(`${origin}/api/auth${path}`, {
      method: method ?? (body || form ? 'POST' : 'GET'),
      redirect: 'manual',
      headers: {
        origin: own,
        ...(body ? { 'content-type': 'application/json' } : {}),
        // This route needs a session.
        ...(path === '/link-social' && { cookie }),
      },
      ...(body ? { body: JSON.stringify(body) } : form && { body: form }),
    })
    const text = await response.text()
    const json = text.startsWith('{') ? (JSON.parse(text) as { url?: string }) : {}
    return { status: response.status, location: response.headers.get('location'), url: json.url }
  }

  const isRefused = (target: string): boolean => {
    try {
      if (target !== '') createReturnToPolicy(own, ALLOWED).resolve(target)
      return false
    } catch {
      return true
    }
  }
  const neverLeadAway = async (request: Place[1], targets: readonly string[]): Promise<void> => {
    let passed = 0
    await eachOf(targets, async (target) => {
      const sent = request(target)
      if (hasLoneSurrogate(target) && sent.body === undefined) return
      const { status, location, url } = await send(sent)
      expect(status === 422, target).toBe(isRefused(target))
      if (status !== 422) passed += 1
      for (const address of [location, url]) {
        if (!address || address.startsWith(`${PROVIDER}/authorize?`)) continue
        expect(leadsAway(new URL(address, own).href, own, ALLOWED), target).toBeUndefined()
      }
    })
    expect(passed).toBeGreaterThan(0)
  }
  const corpus = () => hostileReturnTargets({ own, allowed: ALLOWED })

  it.each(PLACES.slice(0, WHOLE))('never lead away, whole corpus: %s', async (_name, request) => {
    await neverLeadAway(request, corpus())
  })

  it.each(PLACES.slice(WHOLE).map((place, at) => [...place, at] as const))(
    'never lead away: %s',
    async (_name, request, at) => {
      // All places pass the same check, so each has its share of the corpus.
      await neverLeadAway(
        request,
        corpus().filter((_, index) => index % 10 === at % 10),
      )
    },
  )

  it('lead where they say when they are allowed', async () => {
    for (const [target, url] of honestReturnTargets({ own, allowed: ALLOWED })) {
      const signedIn = await send({
        path: '/sign-in/email',
        body: { ...PASSWORD, callbackURL: target },
      })
      expect(signedIn, target).toMatchObject({ status: 200, location: target, url: target })
      expect(new URL(target, own).href).toBe(url)
      const query = new URLSearchParams({ token: 'x', callbackURL: target })
      const verified = await send({ path: `/verify-email?${query}` })
      expect(verified.status, target).toBe(302)
      const landed = new URL(verified.location ?? '', own)
      landed.searchParams.delete('error')
      expect(landed.origin + landed.pathname, target).toBe(
        new URL(url).origin + new URL(url).pathname,
      )
    }
  })

  it('are where a callback redirects, while a sign-in redirects to the provider', async () => {
    const started = await send({
      path: '/sign-in/social',
      body: { ...social, callbackURL: '/home' },
    })
    expect(started.location).toMatch(/^https:\/\/idp\.example\.test\/authorize\?/)
    expect(started.url).toBe(started.location)
    const popup = await send({ path: '/callback/corp?error=access_denied&state=unknown' })
    expect(new URL(popup.location ?? '', own).origin).toBe(own)
  })

  it('are not followed when a plugin redirects to them', async () => {
    const careless = await startTestServer({
      plugins: [
        {
          id: 'careless',
          endpoints: {
            away: createAuthEndpoint('/away', { method: 'GET' }, (ctx) => {
              throw ctx.redirect(ctx.request?.headers.get('x-to') ?? '')
            }),
            told: createAuthEndpoint('/told', { method: 'GET' }, async (ctx) =>
              ctx.json({ redirect: true, url: ctx.request?.headers.get('x-to') }),
            ),
          },
        },
      ] as never[],
    })
    for (const path of ['/away', '/told']) {
      for (const [to, status] of [
        ['//evil.example', 500],
        ['https://evil.example/', 500],
        ['/..//evil.example', 500],
        [`${PROVIDER}/authorize`, 500],
        ['javascript:alert(1)', 500],
        ['/home', path === '/away' ? 302 : 200],
      ] as const) {
        const response = await fetch(`${careless.origin}/api/auth${path}`, {
          redirect: 'manual',
          headers: { 'x-to': to },
        })
        expect(response.status, `${path} ${to}`).toBe(status)
        if (status === 500) {
          expect(response.headers.get('location')).toBeNull()
          expect(await response.text()).toBe('')
        }
      }
    }
    await careless.close()
  })

  it.each<[string, () => Promise<{ origin: string; close: () => Promise<void> }>]>([
    [
      'mounted before the Express app of the API',
      () =>
        inExpress((app) => {
          app.all(`${server.backend.basePath}/{*path}`, server.backend.handler)
          app.use(
            createAuthApp({ backend: server.backend, origin: own, logger: createLogger('silent') }),
          )
        }),
    ],
    [
      'mounted on their base path',
      () => inExpress((app) => app.use(server.backend.basePath, server.backend.handler)),
    ],
    [
      'behind parsers of bodies',
      () =>
        inExpress((app) => {
          app.use(express.json(), express.urlencoded({ extended: true }))
          app.use(server.backend.handler)
        }),
    ],
    [
      'behind a parser of raw bodies',
      () =>
        inExpress((app) => {
          app.use(express.raw({ type: '*/*' }))
          app.use(server.backend.handler)
        }),
    ],
    [
      'behind a parser of text',
      () =>
        inExpress((app) => {
          app.use(express.text({ type: '*/*' }))
          app.use(server.backend.handler)
        }),
    ],
    ['in the service', inService],
  ])('hold however the routes are served: %s', async (_name, serve) => {
    const served = await serve()
    for (const [, request] of PLACES) {
      for (const target of ['/..//evil.example/login', '//evil.example', 'https://evil.example']) {
        expect((await send(request(target), served.origin)).status, target).toBe(422)
      }
    }
    const query = new URLSearchParams({ token: 'x', callbackURL: '/welcome' })
    expect((await send({ path: `/verify-email?${query}` }, served.origin)).status).toBe(302)
    await served.close()
  })

  async function inExpress(mount: (app: express.Express) => void) {
    const app = express()
    mount(app)
    const onError: ErrorRequestHandler = (error: unknown, _req, res, _next) => {
      res.status(error instanceof AuthError ? error.status : 500).end()
    }
    app.use(onError)
    const listening = createServer(app)
    await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done))
    const { port } = listening.address() as AddressInfo
    return {
      origin: `http://127.0.0.1:${port}`,
      close: () => new Promise<void>((done) => void listening.close(() => done())),
    }
  }

  async function inService() {
    const port = await freePort()
    const env = {
      PORT: String(port),
      NETSCRIPT_AUTH_BACKEND: 'better-auth',
      NETSCRIPT_AUTH_ORIGIN: own,
      BETTER_AUTH_SECRET: server.secret,
    }
    const service = await createAuthService({
      config: readConfig(env, { production: false }),
      env,
      logger: createLogger('silent'),
      databaseUrl: server.databaseUrl,
      backend: { ...server.backend, close: () => Promise.resolve() },
    })
    return { origin: `http://localhost:${port}`, close: () => service.close() }
  }
})

describe('isRedirectName', () => {
  const HARMLESS = ['disableRedirect', 'redirect', 'image', 'logo']

  it('recognizes every redirect parameter of better-auth and its plugins', () => {
    const made = betterAuth({
      plugins: [
        plugins.magicLink({ sendMagicLink: () => undefined }),
        plugins.oneTap(),
        plugins.oAuthProxy(),
        plugins.username(),
      ],
    })
    const names = Object.values(made.api).flatMap((endpoint) => {
      const { body, query } = endpoint.options as Record<'body' | 'query', object | undefined>
      return [body, query].flatMap(parameterNames)
    })
    const suspicious = [...new Set(names)].filter((name) =>
      /ur[li]|redirect|callback|return/i.test(name),
    )
    expect(suspicious.length).toBeGreaterThan(3)
    for (const name of suspicious)
      if (!HARMLESS.includes(name)) expect(isRedirectName(name), name).toBe(true)
  })

  it.each(['state', 'error', 'code', 'image', 'disableRedirect', 'returned', 'description'])(
    'leaves %s alone',
    (name) => expect(isRedirectName(name)).toBe(false),
  )
})

function parameterNames(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { shape, unwrap } = schema as { shape?: object; unwrap?: () => unknown }
  if (shape) return Object.keys(shape)
  return typeof unwrap === 'function' ? parameterNames(unwrap.call(schema)) : []
}
