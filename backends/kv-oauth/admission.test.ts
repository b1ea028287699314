import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { describe, expect, it } from 'vitest'
import { type AdmissionRules, admitsEveryone, factsOf, judge, judgeStored } from './admission.js'
import { providers } from './presets.js'
import { defineOAuthProvider } from './define-provider.js'

const client = { clientId: 'a', clientSecret: 'b', redirectUri: 'https://app.example/cb' }
const OTHER = 'https://idp.example'
const GOOGLE = 'https://accounts.google.com'

const verdict = (
  admission: AdmissionRules,
  claims: Record<string, unknown>,
  { issuer = OTHER, organizations }: { issuer?: string; organizations?: string[] } = {},
) => judge({ admission, issuer }, factsOf('subject', claims, organizations))

const verified = (email: string, more: object = {}) => ({ email, email_verified: true, ...more })

describe('the rules of a provider', () => {
  it.each<[string, AdmissionRules, Record<string, unknown>]>([
    ['an address', { emails: ['ada@example.com'] }, verified('ada@example.com')],
    ['an address in other case', { emails: ['Ada@Example.com'] }, verified('aDA@exampLe.COM')],
    ['a domain', { emailDomains: ['example.com'] }, verified('ada@EXAMPLE.com')],
    [
      'a domain in ASCII',
      { emailDomains: ['bücher.example'] },
      verified('a@xn--bcher-kva.example'),
    ],
    [
      'a domain as it is written',
      { emailDomains: ['bücher.example'] },
      verified('a@bücher.example'),
    ],
    [
      'an address beside domains',
      { emails: ['x@y.org'], emailDomains: ['z.org'] },
      verified('x@y.org'),
    ],
    ['a subject without an address', { subjects: ['subject'], emailDomains: ['z.org'] }, {}],
    ['everyone', { emailDomains: ['*'] }, {}],
    ['a verdict as text', { emails: ['a@b.c'] }, { email: 'a@b.c', email_verified: 'true' }],
    ['a group', { groups: ['Sales, EU', 'dev'] }, { groups: ['x', 'Sales, EU'] }],
    ['a group at a path', { groups: ['dev'], groupsClaim: 'a.b' }, { a: { b: ['dev'] } }],
    ['a tenant in other case', { tenants: ['ABC-1'] }, { tid: 'abc-1' }],
  ])('admit %s', (_what, rules, claims) => {
    expect(verdict(rules, claims)).toEqual({ outcome: 'admitted' })
  })

  const DOMAIN: AdmissionRules = { emailDomains: ['kick.example.com'] }
  it.each<[string, AdmissionRules, Record<string, unknown>]>([
    ['a subdomain', DOMAIN, verified('a@x.kick.example.com')],
    ['a parent domain', DOMAIN, verified('a@example.com')],
    ['a domain that ends like it', DOMAIN, verified('a@akick.example.com')],
    ['a domain that begins like it', DOMAIN, verified('a@kick.example.com.evil.example')],
    ['a trailing dot', DOMAIN, verified('a@kick.example.com.')],
    ['two @, the last one right', DOMAIN, verified('a@evil.example@kick.example.com')],
    ['two @, the first one right', DOMAIN, verified('a@kick.example.com@evil.example')],
    ['no local part', DOMAIN, verified('@kick.example.com')],
    ['a Cyrillic letter', DOMAIN, verified('a@kick.exаmple.com')],
    ['the Kelvin sign', DOMAIN, verified('a@\u212aick.example.com')],
    ['full-width letters', DOMAIN, verified('a@ｋick.example.com')],
    ['a full-width @', DOMAIN, verified('a＠kick.example.com')],
    ['a zero-width space', DOMAIN, verified('a@kick.example.com\u200b')],
    [
      'an address that is not verified',
      DOMAIN,
      { email: 'a@kick.example.com', email_verified: false },
    ],
    ['another address', { emails: ['ada@example.com'] }, verified('adа@example.com')],
    ['another subject', { subjects: ['Subject', 'subject '] }, {}],
    ['an empty list', { emails: [] }, verified('a@b.c')],
    ['a group in other case', { groups: ['Dev'] }, { groups: ['dev'] }],
    ['no group', { groups: ['dev'] }, { groups: [] }],
    ['another tenant', { tenants: ['one'] }, { tid: 'two' }],
    [
      'the domain, but not the group',
      { ...DOMAIN, groups: ['x'] },
      { ...verified('a@kick.example.com'), groups: ['y'] },
    ],
    [
      'the group, but not the domain',
      { ...DOMAIN, groups: ['x'] },
      { ...verified('a@b.c'), groups: ['x'] },
    ],
  ])('refuse %s', (_what, rules, claims) => {
    expect(verdict(rules, claims)).toMatchObject({ outcome: 'refused' })
  })

  it.each<[string, AdmissionRules, Record<string, unknown>]>([
    ['no address', { emails: ['a@b.c'] }, {}],
    ['an address without a verdict', { emails: ['a@b.c'] }, { email: 'a@b.c' }],
    ['no groups', { groups: ['x'] }, {}],
    ['groups at another address', { groups: ['x'] }, { _claim_names: { groups: 'src1' } }],
    ['no tenant', { tenants: ['x'] }, {}],
    ['no organizations', { organizations: ['x'] }, {}],
  ])('do not know with %s', (_what, rules, claims) => {
    expect(verdict(rules, claims)).toMatchObject({ outcome: 'unknown' })
  })

  it('compare organizations without regard to case', () => {
    const rules = { organizations: ['Acme'] }
    expect(verdict(rules, {}, { organizations: ['x', 'aCME'] })).toEqual({ outcome: 'admitted' })
    expect(verdict(rules, {}, { organizations: [] })).toMatchObject({ outcome: 'refused' })
  })

  it.each([
    ['a managed account', 'a@example.com', { hd: 'example.com' }, 'admitted'],
    ['a consumer account with that address', 'a@example.com', {}, 'refused'],
    ['an account that another domain manages', 'a@example.com', { hd: 'other.example' }, 'refused'],
    ['a consumer account of gmail.com', 'a@gmail.com', {}, 'admitted'],
  ])('at Google: %s', (_what, email, more, outcome) => {
    const rules = { emailDomains: ['example.com', 'gmail.com'] }
    expect(verdict(rules, verified(email, more), { issuer: GOOGLE })).toMatchObject({ outcome })
  })

  it('judge a stored session by subject and address alone', () => {
    const stored = (admission: AdmissionRules, email?: string) =>
      judgeStored(
        { admission, issuer: OTHER },
        { subject: 's', email, emailVerified: email === undefined ? undefined : true, claims: {} },
      ).outcome
    expect(stored({ emailDomains: ['a.b'] }, 'x@a.b')).toBe('admitted')
    expect(stored({ emailDomains: ['a.b'] }, 'x@c.d')).toBe('refused')
    expect(stored({ emailDomains: ['a.b'] })).toBe('unknown')
    expect(stored({ groups: ['x'], tenants: ['y'] }, 'x@c.d')).toBe('admitted')
  })
})

describe('the configuration of rules', () => {
  it.each<[AdmissionRules, RegExp]>([
    [{ emails: ['example.com'] }, /admission\.emails has "example\.com", which is not an address/],
    [{ emails: ['*@example.com'] }, /admission\.emails/],
    [{ emailDomains: ['@example.com'] }, /admission\.emailDomains has "@example\.com"/],
    [{ emailDomains: ['*.example.com'] }, /admission\.emailDomains/],
    [{ emailDomains: ['https://example.com'] }, /admission\.emailDomains/],
    [{ groups: [' '] }, /admission\.groups has an empty entry/],
    [{ groups: ['a'], groupsClaim: '__proto__.x' }, /admission\.groupsClaim/],
    [{ organizations: ['acme'] }, /admission\.organizations is for GitHub/],
  ])('%j is refused with the fix', (admission, message) => {
    const define = () => defineOAuthProvider({ id: 'x', issuer: OTHER, ...client, admission })
    expect(define).toThrow(AuthConfigurationError)
    expect(define).toThrow(message)
  })

  it('does not rely on addresses at Microsoft Entra, which does not verify them', () => {
    for (const admission of [{ emails: ['a@b.c'] }, { emailDomains: ['b.c'], tenants: ['t'] }]) {
      expect(() => providers.azureAd({ ...client, admission })).toThrow(/admission\.tenants/)
    }
    providers.azureAd({ ...client, admission: { emailDomains: ['*'], tenants: ['t'] } })
  })

  it('asks GitHub for organizations only where a rule needs them', () => {
    expect(providers.github(client).scopes).not.toContain('read:org')
    const limited = providers.github({ ...client, admission: { organizations: ['acme'] } })
    expect(limited.scopes).toContain('read:org')
  })

  it.each([
    [providers.google(client), true],
    [providers.google({ ...client, admission: { emailDomains: ['*'] } }), false],
    [providers.google({ ...client, admission: { groupsClaim: 'x' } }), true],
    [providers.github(client), true],
    [providers.azureAd(client), true],
    [providers.azureAd({ ...client, tenantId: 'contoso.example' }), false],
    [providers.gitlab(client), true],
    [providers.gitlab({ ...client, issuer: 'https://git.example' }), false],
    [defineOAuthProvider({ id: 'x', issuer: OTHER, ...client }), false],
  ])('knows providers that admit everyone, case %#', (provider, expected) => {
    expect(admitsEveryone(provider)).toBe(expected)
  })
})
