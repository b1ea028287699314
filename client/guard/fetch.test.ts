import { expect, it } from 'vitest'
import { authenticated, type Authenticator } from './authenticator.js'
import type { Requirement } from './caller.js'
import { createFetchGuard } from './fetch.js'

function createGuard(setCookies: readonly string[] = ['a=1', 'b=2']) {
  let calls = 0
  const authenticator: Authenticator = {
    async authenticate() {
      calls += 1
      await new Promise((done) => setTimeout(done, 5))
      return authenticated(
        { subject: 'ada', scopes: ['read'], roles: [], scheme: 'custom', claims: {} },
        setCookies,
      )
    },
  }
  return { auth: createFetchGuard({ authenticator }), calls: () => calls }
}
const request = (path = '/') => new Request(`http://orders.example${path}`)

it('authenticates once for concurrent guards of a request, and anew for the next one', async () => {
  const { auth, calls } = createGuard()
  const one = request()
  const all = await Promise.all([
    auth.authenticate(one),
    auth.authenticate(one, { scopes: ['read'] }),
    auth.authenticate(one, { roles: ['clerk'] }),
  ])
  expect(all.map(({ ok }) => ok)).toEqual([true, true, false])
  expect(calls()).toBe(1)
  await auth.authenticate(request())
  expect(calls()).toBe(2)
})

it('passes cookies on with responses whose headers are immutable, and once only', async () => {
  const { auth } = createGuard()
  const who = await auth.authenticate(request())
  if (!who.ok) throw new Error('refused')
  const redirect = who.respond(Response.redirect('http://orders.example/next', 303))
  expect(redirect.status).toBe(303)
  expect(redirect.headers.get('location')).toBe('http://orders.example/next')
  expect(who.respond(redirect).headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  expect(redirect.headers.get('vary')).toBe('Cookie, Authorization')
  expect(who.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
})

it('passes cookies on with a response that a protected handler throws', async () => {
  const { auth } = createGuard()
  const handler = auth.protect(() => {
    // As a loader of React Router throws a redirect.
    // oxlint-disable-next-line typescript/only-throw-error
    throw new Response(null, { status: 418 })
  })
  const thrown: unknown = await handler(request()).catch((error: unknown) => error)
  if (!(thrown instanceof Response)) throw new Error('no response')
  expect([thrown.status, ...thrown.headers.getSetCookie()]).toEqual([418, 'a=1', 'b=2'])
})

it('hands further arguments to a protected handler', async () => {
  const { auth } = createGuard()
  const handler = auth.protect((_request, { subject }, id: number) =>
    Response.json({ subject, id }),
  )
  expect(await (await handler(request(), 7)).json()).toEqual({ subject: 'ada', id: 7 })
})

it('gives an authorizer the decoded path, and denies when it is malformed', async () => {
  const { auth } = createGuard()
  const seen: string[] = []
  const authorizer: Requirement['authorizer'] = {
    authorize: ({ path }) => (seen.push(path), { allow: true }),
  }
  const ask = async (path: string) => (await auth.authenticate(request(path), { authorizer })).ok
  expect(await ask('/%61dmin/a%2Fb?x=%zz')).toBe(true)
  expect(await ask('/admin/%zz')).toBe(false)
  expect(seen).toEqual(['/admin/a%2Fb'])
})

it.each([
  ['a misspelt member', { scope: ['read'] }],
  ['scopes that are not a list', { scopes: 'read' }],
  ['an empty scope', { scopes: [''] }],
  ['a malformed recent sign-in', { recentAuth: { maxAge: 0 } }],
])('throws for %s', async (_what, requirement) => {
  const { auth, calls } = createGuard()
  const wrong = requirement as Requirement
  await expect(auth.authenticate(request(), wrong)).rejects.toThrow(TypeError)
  expect(() => auth.protect(() => new Response(), wrong)).toThrow(TypeError)
  expect(calls()).toBe(0)
})
