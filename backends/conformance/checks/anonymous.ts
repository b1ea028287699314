import assert from 'node:assert/strict'
import {
  type AuthBackendChecks,
  authenticate,
  expectNobody,
  expectPerson,
  requestOf,
  requestWith,
  requestWithCookies,
  signIn,
  skip,
} from '../scene.js'
import { cookieHeader } from '../set-cookie.js'

const GARBAGE = [
  ...['x', '.', '..', 'a.b', 'a.b.c', 'null', 'undefined', 'true', '0', '*', '%', "' OR 1=1 --"],
  ...['{}', '[]', 'j:{}', 'j:{"id":1}', '{"__proto__":1}', 'eyJhbGciOiJub25lIn0.e30.', '__proto__'],
]

/** Values that a malicious client can send, although no browser would. */
const HOSTILE = [
  ...['%', '%%', '%E0%A4%A', '%00', '%0d%0a', 'a%2Fb', '\0', 'a\0b', '\u007f', '"', '"a"', '\\'],
  ...['é', '\ud800', '日本', '=', '==', ',', ', ', 'a,b', '<script>', '../../etc/passwd'],
  'x'.repeat(8192),
  '.'.repeat(8192),
  '%'.repeat(8192),
]

const HOSTILE_HEADERS = [
  ...['', ';', ';;;', '=', '=x', 'x', 'x;', '; =; =', '\0', '%', '__proto__=x', 'constructor=x'],
  Array.from({ length: 1000 }, (_, n) => `c${n}=${n}`).join('; '),
]

const AUTHORIZATIONS = [
  ...['', ' ', 'Bearer', 'Bearer ', 'Bearer x', 'Bearer x y', 'bearer\tx', 'Bearer a.b.c', 'Basic'],
  ...['Basic !!!', 'Basic eDp5', 'Bearer null', 'Bearer %', 'Bearer \0', 'Negotiate', ', ,', '\0'],
  ...['Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.', `Bearer ${'x'.repeat(8192)}`],
]

export const ANONYMOUS_CHECKS: AuthBackendChecks = {
  'anonymous-without-credential': {
    title: 'a request without a credential is anonymous',
    async run(scene) {
      await expectNobody(scene, requestWith({}), 'a request without a credential')
      const result = await authenticate(scene, requestWith({}), 'a request without a credential')
      assert.ok(
        !result.ok && result.reason === 'credential-missing',
        'the reason is not credential-missing',
      )
    },
  },
  'anonymous-with-empty-credential': {
    title: 'a request with an empty credential is anonymous',
    async run(scene) {
      const { cookies } = await signIn(scene)
      for (const [name] of cookies) {
        await expectNobody(scene, requestWithCookies([[name, '']]), `an empty ${name}`)
      }
      await expectNobody(scene, requestWith({ cookie: '', authorization: '' }), 'empty headers')
    },
  },
  'anonymous-with-garbage': {
    title: 'a request with a value that was never issued is anonymous',
    async run(scene) {
      const { cookies } = await signIn(scene)
      for (const value of GARBAGE) {
        for (const [name] of cookies) {
          await expectNobody(scene, requestWithCookies([[name, value]]), `${name}=${value}`)
        }
        const authorization = `Bearer ${value}`
        await expectNobody(scene, requestWith({ authorization }), authorization)
      }
    },
  },
  'hostile-cookies-never-throw': {
    title: 'a malformed cookie (percent signs, NUL, 8 KB) is anonymous and does not throw',
    async run(scene) {
      const { cookies } = await signIn(scene)
      for (const value of HOSTILE) {
        for (const [name] of cookies) {
          const whom = `${name} with ${JSON.stringify(value.slice(0, 16))} (${value.length})`
          await expectNobody(scene, requestWithCookies([[name, value]]), whom)
        }
      }
      for (const cookie of HOSTILE_HEADERS) {
        await expectNobody(scene, requestWith({ cookie }), `Cookie: ${cookie.slice(0, 16)}`)
      }
    },
  },
  'hostile-authorization-never-throws': {
    title: 'a malformed Authorization header is anonymous and does not throw',
    async run(scene) {
      for (const authorization of AUTHORIZATIONS) {
        const whom = `Authorization: ${JSON.stringify(authorization.slice(0, 32))}`
        await expectNobody(scene, requestWith({ authorization }), whom)
      }
    },
  },
  'other-cookies-do-not-matter': {
    title: 'other cookies and the order of cookies do not matter',
    async run(scene) {
      const person = await signIn(scene)
      if (person.cookies.length === 0) return skip('the credential is no cookie')
      const others: [string, string][] = [
        ['theme', 'dark'],
        ['broken', '%E0%A4%A'],
        ['__proto__', 'x'],
        ['a.b', '"'],
      ]
      const reversed = [...person.cookies].reverse()
      for (const cookies of [
        [...others, ...person.cookies],
        [...reversed, ...others],
        [...others.slice(0, 2), ...reversed, ...others.slice(2)],
      ]) {
        const cookie = cookieHeader(cookies)
        const request = requestWith({ ...person.headers, cookie })
        await expectPerson(scene, request, person, `with ${cookies.length} cookies`)
      }
    },
  },
  'identity-from-credential-only': {
    title: 'the identity comes from the credential only',
    async run(scene) {
      const [mine, theirs] = [await signIn(scene), await signIn(scene)]
      const { session, user } = theirs
      const query = new URLSearchParams({
        ...{ userId: user.id, user: user.id, sessionId: session.id, session: session.id },
        ...{ id: session.id, sub: session.subject, token: session.id, access_token: session.id },
        ...Object.fromEntries(theirs.cookies),
      })
      const headers = Object.fromEntries(
        [
          ['x-user-id', user.id],
          ['x-user', user.id],
          ['x-session-id', session.id],
          ['x-forwarded-user', user.id],
          ['x-auth-request-user', user.id],
          ['remote-user', user.id],
        ].filter(([name = '']) => !(name in mine.headers)),
      ) as Record<string, string>
      const url = `/api/v1/auth/session?${query.toString()}`
      await expectNobody(scene, requestWith(headers, url), 'a request that names an id')
      const request = requestWith({ ...headers, ...mine.headers }, url)
      await expectPerson(scene, request, mine, 'a request that names the id of another user')
      await expectPerson(scene, requestOf(theirs), theirs, 'the named user')
    },
  },
}
