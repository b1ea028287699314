import { describe, expect, it } from 'vitest'
import { decodeForm } from './form.js'
import { SigninInput, SignoutInput } from './signin.js'

describe('decodeForm', () => {
  it.each([
    ['', {}],
    ['providerId=google&redirectTo=%2Fhome', { providerId: 'google', redirectTo: '/home' }],
    ['redirectTo=', {}],
    ['everywhere=false', { everywhere: false }],
    ['everywhere=0', { everywhere: false }],
    ['everywhere=off', { everywhere: false }],
    ['everywhere=on', { everywhere: true }],
    ['everywhere=1', { everywhere: true }],
    ['everywhere=true', { everywhere: true }],
    ['scopes=openid+email', { scopes: ['openid', 'email'] }],
    ['scopes=openid&scopes=email', { scopes: ['openid', 'email'] }],
    ['scopes=openid', { scopes: ['openid'] }],
    ['scopes=+openid++email%0A&scopes=&scopes=profile', { scopes: ['openid', 'email', 'profile'] }],
    ['scopes=', {}],
    ['scopes=+', {}],
    [
      'acrValues=phr+mfa&uiLocales=de&uiLocales=en',
      { acrValues: ['phr', 'mfa'], uiLocales: ['de', 'en'] },
    ],
    ['acrValues=&uiLocales=+&maxAge=&prompt=', {}],
    ['maxAge=0', { maxAge: 0 }],
    ['maxAge=0300', { maxAge: 300 }],
    ['maxAge=-1', { maxAge: '-1' }],
    ['maxAge=1e3', { maxAge: '1e3' }],
    ['maxAge=1.5', { maxAge: '1.5' }],
    ['maxAge=+1', { maxAge: ' 1' }],
    ['maxAge=9999999999', { maxAge: '9999999999' }],
    ['maxAge=1&maxAge=2', { maxAge: ['1', '2'] }],
    ['everywhere=', {}],
    ['everywhere=perhaps', { everywhere: 'perhaps' }],
    ['everywhere=true&everywhere=false', { everywhere: ['true', 'false'] }],
    ['providerId=on', { providerId: 'on' }],
    ['providerId=&providerId=a', { providerId: 'a' }],
    ['providerId=a&providerId=b', { providerId: ['a', 'b'] }],
  ])('decodes %j as %j', (body, decoded) => {
    expect(decodeForm(body)).toStrictEqual(decoded)
  })

  it('keeps values that it cannot decode, so that the schema refuses them', () => {
    expect(SignoutInput.safeParse(decodeForm('everywhere=perhaps')).success).toBe(false)
    expect(SigninInput.safeParse(decodeForm('providerId=a&providerId=b')).success).toBe(false)
  })

  it('does not reach the prototype through field names', () => {
    const decoded = decodeForm('__proto__=x&constructor=y')
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
    expect(SigninInput.parse(decoded)).toEqual({})
  })
})
