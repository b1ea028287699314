import { expect, it } from 'vitest'
import { checkRecentAuth } from '@netscript/auth-guard'
import { createFixedAuthenticator } from './index.js'

const request = { headers: {} }

it('is the same caller for every request, who signed in just now', async () => {
  const who = await createFixedAuthenticator({ roles: ['clerk'] }).authenticate(request)
  expect(who).toMatchObject({
    ok: true,
    principal: { subject: 'test-user', roles: ['clerk'], scopes: [], scheme: 'custom' },
  })
  expect(who.ok && checkRecentAuth(who.principal, { maxAge: 60 })).toBeUndefined()
})

it('keeps what the test sets, also when the caller signed in', async () => {
  const claims = { auth_time: 0, acr: 'mfa' }
  const who = await createFixedAuthenticator({ subject: 'u1', claims }).authenticate(request)
  expect(who).toMatchObject({ principal: { subject: 'u1', claims } })
  expect(who.ok && checkRecentAuth(who.principal, { maxAge: 60 })).toMatchObject({
    problem: { code: 'AUTH_RECENT_SIGN_IN_REQUIRED' },
  })
})

it('is anonymous on request', async () => {
  const who = await createFixedAuthenticator('anonymous').authenticate(request)
  expect(who).toEqual({ ok: false, reason: 'credential-missing', setCookies: [] })
})
