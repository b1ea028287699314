import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { authenticated, type Authenticator, type Principal } from './authenticator.js'
import type { AuthzDecision, AuthzRequest } from './authorizer.js'
import { authGuard, type GuardEnv, requireRecentAuth, requireSession, withAuthz } from './hono.js'

const authenticator: Authenticator = {
  authenticate: async () =>
    authenticated({ subject: 'ada', scopes: [], roles: [], scheme: 'custom', claims: {} }, ['a=1']),
}

function createApp(): Hono<GuardEnv> {
  const app = new Hono<GuardEnv>()
  app.onError((error, c) => c.text(error.message, 500))
  app.use(authGuard({ authenticator }))
  return app
}

it('types the principal in c.get and c.var', async () => {
  const app = createApp()
  app.get('/', requireSession(), (c) => {
    const [one, two]: string[] = [c.get('principal').subject, c.var.principal.subject]
    return c.text(`${one} ${two}`)
  })
  expect(await (await app.request('/')).text()).toBe('ada ada')
})

it.each<[string, (principal: Principal) => unknown]>([
  ['a property', (principal) => 'subject' in principal],
  ['its keys', (principal) => Object.keys(principal)],
  ['a copy', (principal) => ({ ...principal })],
  ['its JSON', (principal) => JSON.stringify(principal)],
])('throws when an unguarded route reads %s of the principal', async (_what, read) => {
  const app = createApp()
  app.get('/', (c) => c.text(String(read(c.get('principal')))))
  const response = await app.request('/')
  expect(response.status).toBe(500)
  expect(await response.text()).toMatch('This route has no guard.')
})

it('throws when a guard runs before authGuard()', async () => {
  const app = new Hono<GuardEnv>()
  app.onError((error, c) => c.text(error.message, 500))
  app.get('/', requireSession(), (c) => c.text('reached'))
  const response = await app.request('/')
  expect([response.status, await response.text()]).toEqual([
    500,
    'A guard ran before authGuard(). Use authGuard() first.',
  ])
})

it('guards the routes of other apps that it mounts', async () => {
  const orders = new Hono<GuardEnv>().get('/mine', requireSession(), (c) =>
    c.text(c.get('principal').subject),
  )
  const response = await createApp().route('/orders', orders).request('/orders/mine')
  expect(await response.text()).toBe('ada')
  expect(response.headers.getSetCookie()).toEqual(['a=1'])
})

it.each<[string, () => Response]>([
  ['a redirect', () => Response.redirect('http://orders.example/next', 302)],
  [
    'a failure',
    () => {
      throw new Error('Failed.')
    },
  ],
])('passes cookies on with %s', async (_what, handler) => {
  const app = createApp()
  app.get('/', requireSession(), handler)
  const response = await app.request('/')
  expect(response.headers.getSetCookie()).toEqual(['a=1'])
  expect(response.headers.get('vary')).toBe('Cookie, Authorization')
})

it('gives an authorizer the path that Hono routes by', async () => {
  const seen: string[] = []
  const app = createApp()
  const authorize = ({ path }: AuthzRequest): AuthzDecision => {
    seen.push(path)
    return { allow: true }
  }
  app.get('/admin/:id', withAuthz({ authorizer: { authorize } }), (c) => c.text('reached'))
  await app.request('/%61dmin/1?x')
  expect(seen).toEqual(['/admin/1'])
})

it('throws for a malformed requirement', () => {
  expect(() => requireRecentAuth({ maxAge: 0 })).toThrow(TypeError)
  expect(() => requireRecentAuth(undefined as never)).toThrow(TypeError)
})
