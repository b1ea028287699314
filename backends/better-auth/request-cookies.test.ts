import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toAuthnRequest } from '../request.js'
import { requestCookies } from './request-cookies.js'
import { startTestServer, type TestServer } from './testing/server.js'

/** A token and a signature, percent-encoded like better-auth. */
const SIGNED = `a.%2B${'A'.repeat(42)}%3D`

describe('requestCookies', () => {
  let server: TestServer<[]>
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  const read = (cookie: string) =>
    requestCookies(server.auth, toAuthnRequest({ headers: { cookie } }))

  it('keeps the cookies of better-auth and its plugins unchanged', async () => {
    const own = `better-auth.session_token=${SIGNED}; better-auth.two_factor=c`
    const { headers, sessionCookie } = await read(`x=1; ${own}; __Host-ns_session=d; better-auth=e`)
    expect([...headers]).toEqual([['cookie', own]])
    expect(sessionCookie).toBe('present')
  })

  it.each([
    ['', 'absent', null],
    ['better-auth.other=1; better-auth.other=2', 'absent', null],
    ['better-auth.session_token=', 'unusable', null],
    [`better-auth.session_token=${SIGNED.replace('%2B', '%2b')}`, 'unusable', null],
    [`better-auth.session_token=${SIGNED.replace('AA%3D', 'AB%3D')}`, 'unusable', null],
    ['better-auth.session_token=a; better-auth.session_token=a', 'unusable', null],
    ['better-auth.session_token=é; better-auth.other=1', 'unusable', 'better-auth.other=1'],
    [
      `better-auth.session_token=${SIGNED}; better-auth.o=1; better-auth.o=2`,
      'present',
      `better-auth.session_token=${SIGNED}`,
    ],
  ])('reads %j as %s', async (cookie, sessionCookie, header) => {
    const result = await read(cookie)
    expect(result.sessionCookie).toBe(sessionCookie)
    expect(result.headers.get('cookie')).toBe(header)
  })
})
