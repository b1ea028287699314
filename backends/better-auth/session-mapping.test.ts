import { describe, expect, it } from 'vitest'
import { AuthSession } from '../../contract/session.js'
import { SessionAndUser, toAuthSession, toAuthUser } from './session-mapping.js'

const at = new Date('2026-01-02T03:04:05Z')
const session = {
  id: 'session',
  userId: 'user',
  token: 'the-token',
  ipAddress: '203.0.113.9',
  userAgent: 'the-agent',
  createdAt: at,
  updatedAt: at,
  expiresAt: at,
}
const user = { id: 'user', name: 'Ada', email: 'ada@example.com', emailVerified: true, image: null }
const parse = (more: { session?: object; user?: object } = {}) =>
  SessionAndUser.parse({
    session: { ...session, ...more.session },
    user: { ...user, ...more.user },
  })

describe('toAuthSession', () => {
  it('merges the roles of the admin and organization plugins', () => {
    const found = parse({
      session: {
        activeOrganizationRole: 'owner',
        activeOrganizationRoles: ['owner', 'billing'],
        roles: ['auditor', 7, null],
      },
      user: { role: 'admin, user,', roles: ['user', 'support'] },
    })
    expect(toAuthSession(found).roles).toEqual([
      'admin',
      'user',
      'owner',
      'support',
      'billing',
      'auditor',
    ])
  })

  it('maps permissions that are strings to scopes', () => {
    const found = parse({
      session: { activeOrganizationPermissions: ['a:read', 1, {}], permissions: ['b:read'] },
      user: { permissions: ['a:read', 'c:read', ''] },
    })
    expect(toAuthSession(found).scopes).toEqual(['a:read', 'b:read', 'c:read'])
    expect(toAuthSession(parse({ user: { permissions: { a: ['read'] } } })).scopes).toEqual([])
  })

  it('includes only claims of the allow-list, whatever plugins add', () => {
    const found = parse({
      session: {
        activeOrganizationId: 'org',
        activeTeamId: 'team',
        impersonatedBy: 'admin',
        secretThing: 'hidden',
      },
      user: { twoFactorSecret: 'hidden' },
    })
    const shown = toAuthSession(found)
    expect(shown.claims).toEqual({
      organizationId: 'org',
      teamId: 'team',
      impersonatedBy: 'admin',
    })
    expect(JSON.stringify([shown, toAuthUser(found.user)])).not.toMatch(
      /hidden|the-token|203\.0\.113\.9|the-agent/,
    )
  })
})

it('clamps instants to the range of the contract', () => {
  const [first, last] = [new Date('-000001-01-01T00:00:00Z'), new Date('+010000-01-01T00:00:00Z')]
  const found = parse({ session: { createdAt: first, updatedAt: last, expiresAt: last } })
  expect(AuthSession.parse(toAuthSession(found))).toMatchObject({
    issuedAt: '1970-01-01T00:00:00.000Z',
    refreshedAt: '9999-12-31T23:59:59.999Z',
    expiresAt: '9999-12-31T23:59:59.999Z',
  })
})

describe('toAuthUser', () => {
  it('omits unknown fields', () => {
    expect(toAuthUser({ id: 'user', name: '', email: null })).toEqual({ id: 'user' })
    expect(toAuthUser(parse({ user: { image: 'https://example.com/a.png' } }).user)).toEqual({
      id: 'user',
      displayName: 'Ada',
      email: 'ada@example.com',
      emailVerified: true,
      imageUrl: 'https://example.com/a.png',
    })
  })
})
