import { describe, expect, it } from 'vitest'
import { createScopeAuthorizer, type ScopeRule } from './authorizer.js'

const principal = {
  subject: 'ada',
  scopes: ['orders:read'],
  roles: ['clerk'],
  scheme: 'custom',
  claims: {},
} as const
const decide = (rules: ScopeRule[], path = '/api/orders', options = {}) =>
  createScopeAuthorizer({ rules, ...options }).authorize({ principal, method: 'GET', path })
const always = { match: () => true }

describe('createScopeAuthorizer', () => {
  it('allows a caller with all scopes and roles of the rule', () => {
    expect(
      decide([{ ...always, requireScopes: ['orders:read'], requireRoles: ['clerk'] }]),
    ).toEqual({
      allow: true,
    })
    expect(decide([always])).toEqual({ allow: true })
  })

  it('lists missing scopes and roles, and names the first in the reason, scopes first', () => {
    const requireScopes = ['orders:read', 'orders:write', 'orders:delete']
    expect(decide([{ ...always, requireScopes, requireRoles: ['admin'] }])).toEqual({
      allow: false,
      reason: 'authz.missing-scope:orders:write',
      missingScopes: ['orders:write', 'orders:delete'],
      missingRoles: ['admin'],
    })
    expect(decide([{ ...always, requireRoles: ['admin', 'clerk'] }])).toMatchObject({
      reason: 'authz.missing-role:admin',
    })
  })

  it('applies the first matching rule', () => {
    const rules = [
      { match: ({ path }: { path: string }) => path === '/api/orders' },
      { ...always, requireRoles: ['admin'] },
    ]
    expect(decide(rules)).toEqual({ allow: true })
    expect(decide(rules, '/api/users')).toMatchObject({ allow: false })
  })

  it('denies requests that match no rule, unless denyByDefault is false', () => {
    expect(decide([])).toEqual({ allow: false, reason: 'authz.no-matching-rule' })
    expect(decide([], '/', { denyByDefault: false })).toEqual({ allow: true })
  })
})
