import { describe, expect, it } from 'vitest'
import { createReturnToPolicy } from '../return-to.js'
import { assertReturnTargets, redirectsIn } from './return-targets.js'

const policy = createReturnToPolicy('https://auth.example.com', ['https://app.example.com'])

const check = (query: string, body?: unknown) => () =>
  assertReturnTargets(policy, new URLSearchParams(query), body)

describe('assertReturnTargets', () => {
  it.each<[string, unknown]>([
    ['callbackURL=/..//evil.example/login', undefined],
    ['callbackURL=/&callbackURL=//evil.example', undefined],
    ['CALLBACK_URL=https://evil.example', undefined],
    ['', { callbackURL: '//evil.example' }],
    ['', { redirectTo: 'https://app.example.com.evil.example' }],
    ['', { newUserCallbackURL: ['/', '/\\evil.example'] }],
    ['', { errorCallbackURL: { href: 'javascript:alert(1)' } }],
    ['', { additionalData: [{ redirect_uri: 'https://evil.example' }] }],
    ['', [{ post_logout_redirect_uri: '/%2F/evil.example' }]],
  ])('rejects %j %j', (query, body) => {
    expect(check(query, body)).toThrow(/^RETURN_TO_NOT_ALLOWED/)
  })

  it.each<[string, unknown]>([
    ['', undefined],
    ['callbackURL=', { redirectTo: '' }],
    [
      'callbackURL=/home&error=access_denied&code=//not-an-address',
      { image: '//cdn.example/a.png' },
    ],
    ['', { callbackURL: 'https://app.example.com/x', disableRedirect: 'true', redirect: true }],
    ['', 'text'],
    ['', null],
  ])('allows %j %j', (query, body) => {
    expect(check(query, body)).not.toThrow()
  })

  it('reads a deeply nested body', () => {
    const depth = 50_000
    const body = JSON.parse(`${'{"a":'.repeat(depth)}"b"${'}'.repeat(depth)}`) as unknown
    expect(check('', body)).not.toThrow()
    const hidden = JSON.parse(
      `${'['.repeat(depth)}{"callbackURL":"//x"}${']'.repeat(depth)}`,
    ) as unknown
    expect(check('', hidden)).toThrow(/^RETURN_TO_NOT_ALLOWED/)
  })
})

describe('redirectsIn', () => {
  it.each<[unknown, string[]]>([
    [{ redirect: true, url: '//evil.example' }, ['//evil.example']],
    [{ redirect: false, url: 'https://evil.example' }, ['https://evil.example']],
    [{ redirect: false, url: null }, []],
    [{ success: true, redirectTo: '/x' }, ['/x']],
    // Such as the URL of a picture.
    [{ url: 'https://cdn.example/a.png' }, []],
    [[{ redirect: true, url: '//evil.example' }], []],
    [null, []],
  ])('finds in %j %j', (body, found) => {
    expect(redirectsIn(body)).toEqual(found)
  })
})
