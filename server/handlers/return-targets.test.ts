import { describe, expect, it } from 'vitest'
import { AuthError } from '../../backends/errors.js'
import type { AuthBackendPort } from '../../backends/port.js'
import { toAuthnRequest } from '../../backends/request.js'
import { createReturnToPolicy } from '../../backends/return-to.js'
import { hostileReturnTargets } from '../attack/return-targets.js'
import { signInPage } from '../pages/sign-in-page.js'
import { forwardAuth } from './forward-auth.js'
import { callback, signin } from './sign-in.js'
import type { HandlerContext } from './context.js'
import { loggedOut, signout } from './sign-out.js'

const REMOVED = 'https://removed.example/page'
const request = toAuthnRequest({ headers: {} })

/** A backend that hands out a target which was allowed when the flow began. */
const backend = {
  interactive: {
    handleCallback: async () => ({ returnTo: REMOVED, subject: 'ada', setCookies: [] }),
    finishLogout: async () => ({ returnTo: REMOVED, setCookies: [] }),
    signIn: () => Promise.reject(new Error('must not be called')),
  },
  sessions: { signOut: () => Promise.reject(new Error('must not be called')) },
} as unknown as AuthBackendPort

const context = (...allowed: string[]): HandlerContext => ({
  backend,
  origin: 'https://auth.example',
  allowedOrigins: new Set(),
  returnTo: createReturnToPolicy('https://auth.example', allowed),
})

const FLOWS: [
  string,
  (context: HandlerContext) => Promise<{ location?: string; body: unknown }>,
][] = [
  ['callback', (c) => callback(c, request, new URLSearchParams(), { wantsJson: false })],
  ['logged-out', (c) => loggedOut(c, request, 'state')],
]

describe('a return target that the operator removed while a flow was under way', () => {
  it.each(FLOWS)('is not followed at the end: %s', async (_name, run) => {
    expect((await run(context())).location).toBe('https://auth.example/')
    expect((await run(context('https://removed.example'))).location).toBe(REMOVED)
  })

  it('is not shown in the JSON of a callback', async () => {
    const { body } = await callback(context(), request, new URLSearchParams(), { wantsJson: true })
    expect(body).toMatchObject({ redirectTo: 'https://auth.example/' })
  })
})

describe('a hostile return target at a reverse proxy', () => {
  const ORIGIN = 'https://auth.example'
  const targets = hostileReturnTargets({ own: ORIGIN, allowed: [] })
  const anonymous = {
    ...context(),
    backend: {
      providers: { listProviders: () => [{ id: 'local', displayName: 'Local', kind: 'oidc' }] },
      interactive: {},
      authenticate: async () => ({ ok: false, reason: 'credential-missing', setCookies: [] }),
    } as unknown as AuthBackendPort,
  }

  it.each(['x-forwarded-uri', 'x-original-uri', 'x-original-url'])(
    'never leads away, nor does the sign-in page: %s',
    async (name) => {
      expect(targets.length).toBeGreaterThan(50)
      for (const target of targets) {
        const headers = { host: 'auth.example', accept: 'text/html', [name]: target }
        const atProxy = {
          ...toAuthnRequest({ headers }),
          query: '',
          isFromTrustedProxy: () => true,
        }
        const { location = '' } = (await forwardAuth(anonymous, atProxy, {
          mode: 'redirect',
        })) as { location?: string }
        const url = new URL(location)
        expect(url.origin + url.pathname).toBe(`${ORIGIN}/api/v1/auth/sign-in-page`)
        const redirectTo = url.searchParams.get('redirectTo') ?? ''
        expect(redirectTo, target).toMatch(/^\/(?![/\\])/)
        for (const asked of [redirectTo, target]) {
          const { body } = await signInPage(anonymous, request, {
            redirectTo: asked,
            passwordForms: undefined,
          })
          const [, value = ''] = /name="redirectTo" value="([^"]*)"/.exec(body) ?? []
          expect(new URL(value).origin, asked).toBe(ORIGIN)
        }
      }
    },
  )
})

describe('a return target that is not allowed', () => {
  it.each([
    ['signin', () => signin(context(), request, { redirectTo: REMOVED }, { isForm: false })],
    ['signout', () => signout(context(), request, { redirectTo: REMOVED }, { isForm: true })],
  ])('is refused before the backend is asked: %s', async (_name, run) => {
    const refusal = await run().catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(AuthError)
    expect(refusal).toMatchObject({ code: 'RETURN_TO_NOT_ALLOWED' })
  })
})
