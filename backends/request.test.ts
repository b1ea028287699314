import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { originForm, singleCookie, toAuthnRequest } from './request.js'

const withCookies = (cookie: string) => toAuthnRequest({ headers: { cookie } })

describe('toAuthnRequest', () => {
  it('reads headers case-insensitively, and the path without the query', () => {
    const request = toAuthnRequest({ method: 'GET', url: '/a?b=c', headers: { 'x-one': '1' } })
    expect(request.header('X-One')).toBe('1')
    expect(request.header('x-two')).toBeUndefined()
    expect(request.path).toBe('/a')
  })

  it.each([
    ['/a?b=c', '/a?b=c'],
    ['http://evil.example/a?b=c', '/a?b=c'],
    ['HTTPS://user:pass@evil.example:8443/a', '/a'],
    ['http://evil.example', '/'],
    ['http://evil.example?b=/c', '/?b=/c'],
    ['http:///a', '/a'],
    ['http://evil.example//a', '//a'],
    ['//evil.example/a', '//evil.example/a'],
    ['/http://evil.example/a', '/http://evil.example/a'],
    ['http:/a', '/http:/a'],
    ['evil.example:443', '/evil.example:443'],
    ['*', '/*'],
    ['', '/'],
  ])('takes the path of the target %s and ignores its authority', (target, expected) => {
    expect(originForm(target)).toBe(expected)
    const [path = ''] = expected.split('?')
    expect(toAuthnRequest({ url: target, headers: {} }).path).toBe(path)
  })

  it('joins a repeated header as Node does', () => {
    const request = toAuthnRequest({ headers: { 'x-one': ['1', '2'] } })
    expect(request.header('x-one')).toBe('1, 2')
  })

  it('defaults to GET /', () => {
    expect(toAuthnRequest({ headers: {} })).toMatchObject({ method: 'GET', path: '/' })
    expect(toAuthnRequest({ method: 'POST', url: '/a', headers: {} })).toMatchObject({
      method: 'POST',
      path: '/a',
    })
  })

  it('trims names and values, and drops pairs without a name or an equals sign', () => {
    const request = withCookies(' a\t=\t1 ;b= ;=z;;d')
    expect(request.cookieNames()).toEqual(['a', 'b'])
    expect(request.cookies('a')).toEqual(['1'])
    expect(request.cookies('b')).toEqual([''])
    expect(toAuthnRequest({ headers: {} }).cookieNames()).toEqual([])
  })

  it('returns every value of a cookie, undecoded and in order', () => {
    const request = withCookies('a=1; b=%41; a=j:{"x":1};a="q"; c=x=y; ; =z; d')
    expect(request.cookies('a')).toEqual(['1', 'j:{"x":1}', '"q"'])
    expect(request.cookies('b')).toEqual(['%41'])
    expect(request.cookies('c')).toEqual(['x=y'])
    expect(request.cookieNames()).toEqual(['a', 'b', 'c'])
  })

  it('singleCookie ignores a cookie that was sent twice', () => {
    expect(singleCookie(withCookies('a=1; b=2'), 'a')).toBe('1')
    expect(singleCookie(withCookies('a=1; a=1'), 'a')).toBeUndefined()
    expect(singleCookie(withCookies('b=2'), 'a')).toBeUndefined()
    expect(singleCookie(toAuthnRequest({ headers: {} }), 'a')).toBeUndefined()
  })

  it('handles cookie names such as __proto__', () => {
    const request = withCookies('__proto__=1; constructor=2')
    expect(request.cookies('__proto__')).toEqual(['1'])
    expect(request.cookies('toString')).toEqual([])
  })

  it('never throws for any Cookie header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(withCookies(text).cookies('a')).toBeInstanceOf(Array)
      }),
    )
  })
})
