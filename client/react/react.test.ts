import { createElement, type ReactElement } from 'react'
import { renderToStaticMarkup, renderToString } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { decodeForm } from '../../contract/form.js'
import { SigninInput, SignoutInput } from '../../contract/signin.js'
import type { MeResponse } from '../auth-api.js'
import { AuthClientError } from '../error.js'
import { createSessionStore } from '../session-store/session-store.js'
import type { SessionSnapshot } from '../session-store/session-snapshot.js'
import * as react from './index.js'

const ADA = {
  authenticated: true,
  user: { id: 'u1', displayName: 'Ada' },
  session: { id: 's1', expiresAt: '2999-01-01T00:00:00.000Z' },
} as MeResponse

/** The HTML of an element inside a provider. */
const inside = (element: ReactElement, props: react.AuthProviderProps = {}): string =>
  renderToStaticMarkup(createElement(react.AuthProvider, props, element))

/** The fields of a form, decoded as the service does. */
function sent(html: string): Record<string, unknown> {
  const fields = [...html.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"\/>/g)]
  return decodeForm(
    new URLSearchParams(fields.map(([, name, value]) => [name ?? '', value ?? ''])).toString(),
  )
}

describe('rendered on a server', () => {
  const Who = () => {
    const { status, user } = react.useSession()
    return `${status} ${user?.displayName ?? 'nobody'}`
  }

  it('shows the initial state without a request', () => {
    expect(inside(createElement(Who))).toBe('loading nobody')
    expect(inside(createElement(Who), { initial: ADA })).toBe('signed-in Ada')
    expect(inside(createElement(Who), { initial: { authenticated: false } })).toBe(
      'signed-out nobody',
    )
    const store = createSessionStore({ initial: ADA })
    expect(inside(createElement(Who), { store })).toBe('signed-in Ada')
  })

  it('provides the client of the store', () => {
    const { client } = createSessionStore()
    const Client = () => String(react.useAuthClient() === client)
    expect(inside(createElement(Client), { client })).toBe('true')
  })

  it.each<[string, ReactElement]>([
    ['useSession()', createElement(Who)],
    ['<SignInButton>', createElement(react.SignInButton)],
    ['<SignOutButton>', createElement(react.SignOutButton)],
    ['useAccounts()', createElement(() => react.useAccounts() && null)],
    ['useAuthClient()', createElement(() => react.useAuthClient() && null)],
  ])('throws an error that explains %s outside a provider', (name, element) => {
    expect(() => renderToString(element)).toThrow(
      `${name} is not inside an AuthProvider. Put <AuthProvider> around your app.`,
    )
  })
})

describe('RequireAuth', () => {
  const error = new AuthClientError('NETWORK_ERROR', 'away')
  const known: [SessionSnapshot, string][] = [
    [{ status: 'loading' }, 'loading'],
    [{ status: 'signed-out' }, 'fallback'],
    [{ status: 'signed-out', error }, 'fallback'],
    [{ status: 'unavailable', error }, 'unavailable'],
    [{ status: 'signed-in', error, ...ADA } as unknown as SessionSnapshot, 'secret'],
  ]
  it.each(known)('renders for %j only %s', (snapshot, expected) => {
    const store = { ...createSessionStore(), getServerSnapshot: () => snapshot }
    const words = { fallback: 'fallback', loading: 'loading', unavailable: 'unavailable' }
    expect(inside(createElement(react.RequireAuth, words, 'secret'), { store })).toBe(expected)
    const html = inside(createElement(react.RequireAuth, null, 'secret'), { store })
    expect(html.includes('secret')).toBe(expected === 'secret')
    expect(html.includes('Sign in')).toBe(expected === 'fallback')
  })
})

describe('the buttons', () => {
  it('post fields that the contract accepts', () => {
    const given = {
      providerId: 'p',
      redirectTo: '/a?b',
      loginHint: 'ada@x',
      scopes: ['a', 'b'],
      link: true,
      prompt: 'login' as const,
      maxAge: 0,
      acrValues: ['phr', 'mfa'],
      uiLocales: ['de', 'en'],
    }
    const html = inside(createElement(react.SignInButton, { ...given, className: 'big' }, 'Go'), {
      baseUrl: 'https://auth.example/',
    })
    expect(html).toContain('<form action="https://auth.example/api/v1/auth/signin" method="post">')
    expect(html).toContain('<button class="big" type="submit">Go</button>')
    expect(SigninInput.parse(sent(html))).toEqual(given)
    const out = inside(createElement(react.SignOutButton, { everywhere: true, redirectTo: '/' }))
    expect(out).toContain('<form action="/api/v1/auth/signout" method="post">')
    expect(SignoutInput.parse(sent(out))).toEqual({ everywhere: true, redirectTo: '/' })
  })

  it('post no field without a value', () => {
    expect(sent(inside(createElement(react.SignInButton)))).toEqual({})
    expect(sent(inside(createElement(react.SignOutButton)))).toEqual({ everywhere: false })
  })
})
