import { CookieJar } from 'tough-cookie'
import { describe, expect, it } from 'vitest'
import { clearCookie, setCookie } from './cookie.js'

describe('setCookie', () => {
  it.each([
    [{ maxAge: 60 }, '__Host-a=b; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure'],
    [{ maxAge: 0, secure: true }, '__Host-a=b; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure'],
    [{ maxAge: 60, secure: false }, '__Host-a=b; Path=/; Max-Age=60; HttpOnly; SameSite=Lax'],
  ])('serializes %j', (options, expected) => {
    expect(setCookie('__Host-a', 'b', options)).toBe(expected)
  })
})

describe('clearCookie', () => {
  it.each([
    [undefined, '__Host-a=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure'],
    [{ secure: false }, '__Host-a=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax'],
  ])('serializes %j', (options, expected) => {
    expect(clearCookie('__Host-a', options)).toBe(expected)
  })

  it('deletes a cookie of setCookie in a strict cookie jar', async () => {
    const jar = new CookieJar(undefined, { prefixSecurity: 'strict' })
    const url = 'https://auth.example/api/v1/auth/callback'
    const sent = () => jar.getCookieString('https://auth.example/')
    await jar.setCookie(setCookie('__Host-a', 'b', { maxAge: 60 }), url)
    expect(await sent()).toBe('__Host-a=b')
    await jar.setCookie(clearCookie('__Host-a'), url)
    expect(await sent()).toBe('')
  })
})
