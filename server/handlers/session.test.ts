import { expect, it } from 'vitest'
import type { AuthBackendPort } from '../../backends/port.js'
import { createProviderRegistry } from '../../backends/registry.js'
import { toAuthnRequest } from '../../backends/request.js'
import { createReturnToPolicy } from '../../backends/return-to.js'
import { requireRecentSignIn } from './session.js'

const renewed = ['session=renewed; Path=/']
const secondsAgo = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString()

/** Asks for a recent sign-in with a session of a provider that can step up, unless it says no. */
function ask(session: object | undefined, { stepUp = true } = {}) {
  const descriptor = { id: 'idp', displayName: 'IdP', kind: 'oidc', stepUp } as const
  const backend = {
    providers: createProviderRegistry([descriptor]),
    authenticate: async () => ({ ok: session !== undefined, session, setCookies: renewed }),
  } as unknown as AuthBackendPort
  const origin = 'http://localhost'
  const returnTo = createReturnToPolicy(origin)
  const context = { backend, origin, returnTo, allowedOrigins: new Set([origin]) }
  return requireRecentSignIn(context, toAuthnRequest({ headers: {} }))
}

it.each([
  ['started four minutes ago', { issuedAt: secondsAgo(240) }],
  ['authenticated four minutes ago', { issuedAt: secondsAgo(0), authTime: secondsAgo(240) }],
])('accepts a session that %s', async (_what, session) => {
  expect(await ask(session)).toMatchObject({ ok: true, session, setCookies: renewed })
})

it.each([
  ['started six minutes ago', { issuedAt: secondsAgo(360) }],
  ['authenticated six minutes ago', { issuedAt: secondsAgo(0), authTime: secondsAgo(360) }],
])('refuses a session that %s, and says how to sign in', async (_what, times) => {
  await expect(ask({ ...times, providerId: 'idp' })).rejects.toMatchObject({
    code: 'AUTH_RECENT_SIGN_IN_REQUIRED',
    data: { maxAge: 300, signin: { providerId: 'idp', maxAge: 300 } },
    setCookies: renewed,
  })
})

it('asks for a plain sign-in where the provider cannot step up, or is gone', async () => {
  const issuedAt = secondsAgo(360)
  const refused = ask({ issuedAt, providerId: 'idp' }, { stepUp: false })
  await expect(refused).rejects.toHaveProperty('data.signin', { providerId: 'idp' })
  const gone = ask({ issuedAt, providerId: 'removed' })
  await expect(gone).rejects.toHaveProperty('data.signin', {})
})

it('refuses an anonymous caller as every other route does', async () => {
  await expect(ask(undefined)).rejects.toMatchObject({ code: 'UNAUTHORIZED', setCookies: renewed })
})
