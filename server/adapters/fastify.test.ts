import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { createMemoryBackend } from '../testing/memory-backend.js'
import { createMemoryStore } from '../testing/memory-store.js'
import { createLogger } from '../log.js'
import { createAuthPlugin } from './fastify.js'

const ORIGIN = 'https://auth.example'
const API = '/api/v1/auth'
const ANONYMOUS = '{"authenticated":false}'

const plugin = () =>
  createAuthPlugin({
    backend: createMemoryBackend(createMemoryStore(), 'x'.repeat(32)),
    origin: ORIGIN,
    logger: createLogger('silent'),
  })

const open: FastifyInstance[] = []
afterEach(() => Promise.all(open.splice(0).map((app) => app.close())))

/** Starts an app; returns what sends requests to it. */
async function start(
  build: (app: FastifyInstance) => unknown,
  options: FastifyServerOptions = {},
): Promise<(path: string, init?: RequestInit) => Promise<{ status: number; text: string }>> {
  const app = fastify(options)
  open.push(app)
  await build(app)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return async (path, init) => {
    const response = await fetch(url + path, { redirect: 'manual', ...init })
    return { status: response.status, text: await response.text() }
  }
}

const signOut = (type: string, body: string): RequestInit => ({
  method: 'POST',
  body,
  headers: { origin: ORIGIN, 'content-type': type },
})

describe('createAuthPlugin in a host application', () => {
  it('leaves the other routes of the app alone', async () => {
    const ask = await start(async (app) => {
      await app.register(plugin())
      app.setNotFoundHandler((request, reply) => reply.send(`mine: ${request.url}`))
    })
    // The host may publish its own keys while the API publishes none.
    for (const path of ['/', '/api/v1/authors', '/api/v1', '/.well-known/jwks.json']) {
      expect((await ask(path)).text).toBe(`mine: ${path}`)
    }
  })

  it.each<[string, (app: FastifyInstance) => unknown, FastifyServerOptions?]>([
    ['without await', (app) => void app.register(plugin())],
    ['with a prefix', (app) => void app.register(plugin(), { prefix: '/v2' })],
    ['in a plugin', (app) => app.register(async (scope) => void scope.register(plugin()))],
    [
      'in a plugin of a plugin with a prefix',
      (app) =>
        app.register(
          (scope, _options, done) => {
            scope.register((inner) => inner.register(plugin()), { prefix: '/:tenant' })
            done()
          },
          { prefix: '/v2' },
        ),
    ],
    [
      'after a plugin with a route for every path',
      async (app) => {
        await app.register(async (scope) => void scope.all('/*', () => 'mine'))
        await app.register(plugin())
      },
    ],
    ['before a route for every path', (app) => app.register(plugin()).all('/*', () => 'mine')],
    [
      'beside a handler of paths without a route',
      (app) => app.setNotFoundHandler(() => 'mine').register(plugin()),
    ],
    [
      'in an app with other rules for paths',
      (app) => app.register(plugin()),
      { routerOptions: { caseSensitive: false, ignoreTrailingSlash: true }, trustProxy: true },
    ],
    [
      'in an app whose hooks answer with headers of their own',
      (app) => {
        app.addHook('onRequest', async (_request, reply) => void reply.header('etag', '"mine"'))
        app.addHook('onSend', async () => 'mine')
        return app.register(plugin())
      },
    ],
    [
      'before a hook that rejects every request',
      (app) => {
        app.register(plugin())
        app.addHook('onRequest', async (_request, reply) => reply.code(401).send())
      },
    ],
  ])('answers the same paths when it is registered %s', async (_name, build, options) => {
    const ask = await start(build, options)
    expect(await ask(`${API}/me`)).toEqual({ status: 200, text: ANONYMOUS })
    expect((await ask(`${API}/nothing`)).text).toContain('NOT_FOUND')
    expect((await ask(`${API}/me/`)).text).toContain('NOT_FOUND')
    expect((await ask(`${API}/me`, { method: 'PROPFIND' })).status).toBe(405)
    expect((await ask(`/v2${API}/me`)).text).not.toBe(ANONYMOUS)
  })

  it('reads bodies before parsers of the app, whatever they accept', async () => {
    const ask = await start(
      (app) => {
        app.removeAllContentTypeParsers()
        app.addContentTypeParser('application/json', { parseAs: 'string' }, () => {
          throw new Error('The parser of the app ran.')
        })
        app.addHook('preParsing', async () => {
          throw new Error('The hook of the app ran.')
        })
        return app.register(plugin())
      },
      { bodyLimit: 1 },
    )
    const form = 'application/x-www-form-urlencoded'
    expect((await ask(`${API}/signout`, signOut(form, 'redirectTo='))).status).toBe(303)
    const json = await ask(`${API}/signout`, signOut('application/json', '{"redirectTo":"/bye"}'))
    expect(json).toMatchObject({
      status: 200,
      text: expect.stringContaining(`${ORIGIN}/bye`) as string,
    })
    expect((await ask(`${API}/signout`, signOut('text/csv', 'a,b'))).status).toBe(415)
  })

  it('answers requests of inject(), as tests of an app send them', async () => {
    const app = fastify()
    open.push(app)
    app.register(plugin())
    expect((await app.inject(`${API}/me`)).body).toBe(ANONYMOUS)
    const { statusCode } = await app.inject({
      ...{ method: 'POST', url: `${API}/signout`, payload: {}, headers: { origin: ORIGIN } },
    })
    expect(statusCode).toBe(200)
  })

  it('rejects a path that Fastify cannot decode as Fastify does', async () => {
    const ask = await start((app) => app.register(plugin()))
    expect((await ask(`${API}/callback/%zz`)).text).toContain('FST_ERR_BAD_URL')
  })
})
