import { describe, expect, it } from 'vitest'
import type { AuthSession, AuthUser } from '../../contract/session.js'
import { homePage, type HomePageOptions } from './home-page.js'
import { stylesheet } from './assets.js'

const signedOut: HomePageOptions = {
  interactive: true,
  providers: [
    { id: 'google', displayName: 'Google' },
    { id: 'github', displayName: 'GitHub' },
  ],
  docsEnabled: true,
}
const user: AuthUser = {
  id: 'u1',
  displayName: 'Ada Lovelace',
  email: 'ada@example.test',
  emailVerified: true,
}
const session: AuthSession = {
  id: 's1',
  userId: 'u1',
  subject: 'ada',
  providerId: 'google',
  state: 'active',
  scopes: ['openid'],
  roles: [],
  claims: {},
  issuedAt: '2026-03-01T10:00:00.000Z',
  expiresAt: '2026-03-02T10:00:00.000Z',
}
const signedIn: HomePageOptions = {
  ...signedOut,
  user,
  session,
  now: new Date('2026-03-01T12:30:00.000Z'),
}

describe('the home page without a session', () => {
  it('has one form for each provider', () => {
    const page = homePage(signedOut)
    expect(page.match(/<form method="post" action="\/api\/v1\/auth\/signin">/g)).toHaveLength(2)
    expect(page).toContain('name="providerId" value="google"')
    expect(page).toContain('name="providerId" value="github"')
    expect(page).not.toContain('/api/v1/auth/signout')
  })

  it('says which provider was used last, and prefers it', () => {
    const page = homePage({ ...signedOut, lastProviderId: 'github' })
    const [google = '', github = ''] = page.match(/<form[^]*?<\/form>/g) ?? []
    expect(google).not.toMatch(/primary|Last used/)
    expect(github).toMatch(/class="button primary"[^]*<bdi>GitHub<\/bdi> <small>Last used<\/small>/)
    const [only] = signedOut.providers
    const alone = { ...signedOut, providers: only ? [only] : [], lastProviderId: 'google' }
    expect(homePage(alone)).not.toContain('Last used')
    expect(homePage(signedOut)).not.toContain('Last used')
  })

  it('has links for developers only where there is documentation', () => {
    expect(homePage(signedOut)).toContain('href="/docs"')
    expect(homePage({ ...signedOut, docsEnabled: false })).not.toMatch(/\/docs|openapi|\/health/)
  })

  it('offers no sign-in on a backend without one, but says where to go', () => {
    const page = homePage({
      ...signedOut,
      interactive: false,
      signInHint: 'https://app.example.com/login',
    })
    expect(page).not.toContain('<form')
    expect(page).toContain('href="https://app.example.com/login"')
  })

  it('shows no hint that is not an address', () => {
    const page = homePage({ ...signedOut, interactive: false, signInHint: 'javascript:alert(1)' })
    expect(page).not.toContain('javascript:')
    expect(page).toContain('sign in there')
  })

  it('says so when there is no provider', () => {
    expect(homePage({ ...signedOut, providers: [] })).toContain('No provider is configured')
  })

  it('names the demo accounts', () => {
    const demo = {
      issuer: 'http://localhost:9094',
      accounts: [
        { name: 'Ada Lovelace', email: 'ada@example.test' },
        { name: 'Katherine Johnson' },
      ],
    }
    const page = homePage({ ...signedOut, demo })
    for (const part of ['http://localhost:9094', 'ada@example.test', 'Katherine Johnson']) {
      expect(page).toContain(part)
    }
    expect(homePage(signedOut)).not.toContain('local provider')
  })
})

/** In the footer. */
const LINKS = 3

describe('the home page of a signed-in user', () => {
  it('says who, with what, since when and how long', () => {
    const page = homePage(signedIn)
    for (const part of [
      '<bdi>Ada Lovelace</bdi>',
      '<bdi>ada@example.test</bdi> (verified)',
      '<bdi>Google</bdi>',
      '>AL</span>',
      '2 hours ago',
      'in 22 hours',
      '2 March 2026 at 10:00 UTC',
    ]) {
      expect(page).toContain(part)
    }
  })

  it('signs out here, or everywhere', () => {
    const page = homePage(signedIn)
    expect(page.match(/<form[^>]*action="\/api\/v1\/auth\/signout"/g)).toHaveLength(1)
    expect(page).toContain('name="everywhere" value="true"')
    expect(page).not.toContain('/api/v1/auth/signin')
  })

  it('lists the sessions, and lets the script end each but this one', () => {
    const other = { ...session, id: 's2', issuedAt: '2026-02-28T10:00:00.000Z' }
    const sessions = [
      { session, current: true, userAgent: 'curl/8.5.0' },
      { session: other, current: false },
    ]
    const page = homePage({ ...signedIn, sessions })
    expect(page).toContain('<main data-session-id="s1">')
    expect(page.match(/<li>/g)?.length).toBe(2 + LINKS)
    expect(page).toContain('curl/8.5.0')
    expect(page).toContain('Last used 26 hours ago')
    expect([...page.matchAll(/data-revoke="(\w+)"[^>]*hidden/g)].map(([, id]) => id)).toEqual([
      's2',
      'others',
    ])
    const alone = homePage({ ...signedIn, sessions: sessions.slice(0, 1) })
    expect(alone).toContain('This one')
    expect(alone).not.toContain('data-revoke')
    expect(homePage(signedIn)).not.toContain('Where you are signed in')
  })

  it('manages without a name, an e-mail address or a known provider', () => {
    const { providerId: _, ...rest } = session
    const page = homePage({ ...signedIn, user: { id: 'u1' }, session: rest })
    expect(page).toContain('You are signed in')
    expect(page).toContain('No e-mail address')
    expect(page).not.toContain('<dt>Provider</dt>')
  })

  it('does not show an address that is not verified as one that is', () => {
    const page = homePage({ ...signedIn, user: { ...user, emailVerified: false } })
    expect(page).toContain('(not verified)')
  })

  it('does not load the picture', () => {
    const imageUrl = 'https://images.example.test/ada.png'
    expect(homePage({ ...signedIn, user: { ...user, imageUrl } })).not.toContain(imageUrl)
  })
})

describe('every home page', () => {
  const hostile = `"><script>alert(1)</script><a href='javascript:x'>\u202e`
  const everything: HomePageOptions = {
    ...signedIn,
    providers: [{ id: hostile, displayName: hostile }],
    user: { id: hostile, displayName: hostile, email: `${hostile}@example.test` },
    session: {
      ...session,
      providerId: hostile,
      roles: [hostile],
      issuedAt: hostile,
      expiresAt: hostile,
    },
    signInHint: hostile,
    sessions: [{ session: { ...session, id: hostile }, current: false, userAgent: hostile }],
    notice: hostile,
    demo: { issuer: hostile, accounts: [{ name: hostile, email: hostile }] },
  }
  const { user: _user, session: _session, sessions: _sessions, ...nobody } = everything

  it.each([
    ['signed in', everything],
    ['signed out', nobody],
    ['not interactive', { ...nobody, interactive: false }],
    [
      'with a hostile address',
      { ...nobody, interactive: false, signInHint: `https://x/${hostile}` },
    ],
  ])('escapes whatever it shows, %s', (_, options) => {
    const page = homePage(options)
    expect(page).not.toMatch(/<script>|<a href='/)
    expect(page).toContain('&lt;script&gt;')
  })

  it('has nothing inline and nothing from elsewhere', () => {
    for (const options of [signedOut, signedIn]) {
      const page = homePage(options)
      expect(page).not.toMatch(
        /<script(?! type="module" src="\/assets\/page\.js\?v=[\w-]+"><\/script>)|<style|\sstyle=|\son\w+=|(?:src|href)="(?:https?:)?\/\//,
      )
      expect(page).toContain(`href="${stylesheet.href}"`)
      expect(page).toMatch(/^<!doctype html>/)
      expect(page.match(/<h1/g)).toHaveLength(1)
    }
  })
})
