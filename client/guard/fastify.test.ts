import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fastify, type FastifyInstance } from 'fastify'
import { expect, it } from 'vitest'
import { authenticated, type Authenticator } from './authenticator.js'
import type { AuthzDecision, AuthzRequest } from './authorizer.js'
import { authGuard, requireRecentAuth, requireSession, withAuthz } from './fastify.js'

const authenticator: Authenticator = {
  async authenticate({ headers }) {
    if (!('cookie' in headers)) return { ok: false, reason: 'credential-missing', setCookies: [] }
    return authenticated({ subject: 'ada', scopes: [], roles: [], scheme: 'custom', claims: {} }, [
      'a=1',
    ])
  },
}
async function createApp(): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(authGuard, { authenticator })
  return app
}
const ADA = { cookie: 'ada' }

it('throws when an unguarded route reads request.principal, or a route overwrites it', async () => {
  const app = await createApp()
  app.get('/forgotten', async (request) => request.principal)
  app.get('/overwritten', { onRequest: requireSession() }, async (request) =>
    Object.assign(request, { principal: { subject: 'root' } }),
  )
  const forgotten = await app.inject({ url: '/forgotten', headers: ADA })
  expect(forgotten.json()).toMatchObject({
    statusCode: 500,
    message: expect.stringContaining('This route has no guard.') as string,
  })
  expect((await app.inject({ url: '/overwritten', headers: ADA })).statusCode).toBe(500)
})

it('throws when a guard runs without authGuard', async () => {
  const app = fastify()
  app.get('/', { onRequest: requireSession() }, async () => 'reached')
  expect((await app.inject({ url: '/', headers: ADA })).json()).toMatchObject({
    statusCode: 500,
    message: 'A guard ran before authGuard. Register authGuard first.',
  })
})

it.each(['onRequest', 'preHandler'] as const)('guards a scope, as a hook of %s', async (hook) => {
  const app = await createApp()
  await app.register(
    async (scope) => {
      scope.addHook(hook as 'onRequest', requireSession())
      scope.get('/mine', async (request) => request.principal.subject)
    },
    { prefix: '/api' },
  )
  const refused = await app.inject('/api/mine')
  expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([401, 'UNAUTHORIZED'])
  const response = await app.inject({ url: '/api/mine', headers: ADA })
  expect([response.body, response.headers['set-cookie']]).toEqual(['ada', 'a=1'])
})

it('authorizes before the body is validated, as onRequest', async () => {
  const app = await createApp()
  const schema = { body: { type: 'object', required: ['id'] } }
  app.post('/', { onRequest: requireSession(), schema }, async () => 'reached')
  const post = { method: 'POST', url: '/', payload: {} } as const
  expect((await app.inject(post)).statusCode).toBe(401)
  expect((await app.inject({ ...post, headers: ADA })).statusCode).toBe(400)
})

it('passes cookies on when a handler fails', async () => {
  const app = await createApp()
  app.get('/', { onRequest: requireSession() }, async () => {
    throw new Error('Failed.')
  })
  const { statusCode, headers } = await app.inject({ url: '/', headers: ADA })
  expect([statusCode, headers['set-cookie'], headers.vary]).toEqual([
    500,
    'a=1',
    'Cookie, Authorization',
  ])
})

it.each(['/%61dmin/1?x', 'http://evil.example/admin/1'])(
  'gives an authorizer the path that Fastify routes %s by',
  async (url) => {
    const seen: string[] = []
    const app = await createApp()
    const authorize = ({ path }: AuthzRequest): AuthzDecision => {
      seen.push(path)
      return { allow: true }
    }
    app.addHook('onRequest', withAuthz({ authorizer: { authorize } }))
    app.get('/admin/:id', async () => 'reached')
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    // Unlike `fetch`, it sends the request target as it is.
    const body = await new Promise<string>((resolve, reject) => {
      get({ port, path: url, headers: ADA }, (response) => {
        response.setEncoding('utf8').on('data', resolve)
      }).on('error', reject)
    })
    await app.close()
    expect(body).toBe('reached')
    expect(seen).toEqual(['/admin/1'])
  },
)

it('throws for a malformed requirement', () => {
  expect(() => requireRecentAuth({ maxAge: 0 })).toThrow(TypeError)
  expect(() => requireRecentAuth(undefined as never)).toThrow(TypeError)
})
