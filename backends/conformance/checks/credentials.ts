import assert from 'node:assert/strict'
import {
  type AuthBackendChecks,
  change,
  expectAlive,
  expectNobody,
  expectOver,
  expectPerson,
  type Person,
  requestOf,
  requestWith,
  requestWithCookies,
  signIn,
  skip,
} from '../scene.js'
import { applySetCookies, cookieHeader } from '../set-cookie.js'

export const CREDENTIAL_CHECKS: AuthBackendChecks = {
  'expired-session-is-refused': {
    title: 'an expired session is refused',
    async run(scene) {
      const person = await signIn(scene)
      const headers = await change(scene, 'expire', person)
      await expectNobody(scene, requestWith(headers), 'a user whose session expired')
      await expectNobody(scene, requestWith(headers), 'the same user again')
    },
  },
  'session-revoked-elsewhere-is-refused': {
    title: 'a session that was ended elsewhere is refused',
    async run(scene) {
      const [person, other] = [await signIn(scene), await signIn(scene)]
      const headers = await change(scene, 'revokeElsewhere', person)
      await expectNobody(scene, requestWith(headers), 'a user whose session was ended elsewhere')
      await expectAlive(scene, other, 'while the session of another user was ended')
    },
  },
  'signed-out-session-is-refused': {
    title: 'a session that was signed out is refused',
    async run(scene) {
      const person = await signIn(scene)
      await scene.backend.sessions.signOut(requestOf(person), { everywhere: false })
      await expectOver(scene, person, 'a user who signed out')
    },
  },
  'ended-session-stays-over': {
    title: 'requests that race with a sign-out do not restore the session',
    async run(scene) {
      const person = await signIn(scene)
      const { harness, backend } = scene
      const headers = harness.refreshDue
        ? await change(scene, 'refreshDue', person)
        : person.headers
      const request = requestWith(headers)
      const race = () => Array.from({ length: 10 }, () => backend.authenticate(request))
      const before = race()
      await backend.sessions.signOut(request, { everywhere: false })
      const answers = await Promise.all([...before, ...race()])
      const whom = 'a user who signed out during requests'
      await expectNobody(scene, request, whom)
      await expectOver(scene, person, whom)
      for (const { setCookies } of answers) {
        const cookie = applySetCookies(headers.cookie, setCookies)
        await expectNobody(scene, requestWith({ ...headers, cookie }), whom)
      }
    },
  },
  'tampered-credential-is-refused': {
    title: 'a credential with one character changed is anonymous',
    async run(scene) {
      const person = await signIn(scene)
      const requests = tamperedRequests(person)
      if (requests.length === 0) return skip('the credential is neither a cookie nor a token')
      for (const request of requests) await expectNobody(scene, request, 'a changed credential')
      await expectAlive(scene, person, 'after changed copies of the credential were tried')
    },
  },
  'duplicate-cookies-are-refused': {
    title: 'a cookie that is sent twice is ignored',
    async run(scene) {
      const [mine, theirs] = [await signIn(scene), await signIn(scene)]
      if (mine.cookies.length === 0) return skip('the credential is no cookie')
      const garbage = mine.cookies.map(([name]) => [name, 'x'] as const)
      for (const [what, cookies] of [
        ['its own and another user’s', [...mine.cookies, ...theirs.cookies]],
        ['another user’s and its own', [...theirs.cookies, ...mine.cookies]],
        ['its own twice', [...mine.cookies, ...mine.cookies]],
        ['its own and garbage', [...mine.cookies, ...garbage]],
        ['garbage and its own', [...garbage, ...mine.cookies]],
      ] as const) {
        await expectNobody(scene, requestWithCookies(cookies), `a browser with ${what}`)
      }
    },
  },
  'public-ids-are-no-credential': {
    title: 'public ids of a session are not credentials',
    async run(scene) {
      const person = await signIn(scene)
      const { session, user, cookies } = person
      for (const id of [session.id, user.id, session.subject]) {
        for (const value of [id, `${id}.`, `${id}.${id}`]) {
          for (const [name] of cookies) {
            await expectNobody(scene, requestWithCookies([[name, value]]), 'a public id as cookie')
          }
          const authorization = `Bearer ${value}`
          await expectNobody(scene, requestWith({ authorization }), 'a public id as bearer token')
        }
      }
    },
  },
  'bearer-token-signs-in': {
    title: 'the bearer token of a session signs in like its cookie',
    async run(scene) {
      const person = await signIn(scene)
      const authorization = bearer(person)
      await expectPerson(scene, requestWith({ authorization }), person, 'by bearer token')
    },
  },
  'bearer-token-is-no-cookie': {
    title: 'the scheme of the principal is custom for the session cookie and for nothing else',
    async run(scene) {
      const person = await signIn(scene)
      const { principal, signedIn, headers } = person
      if (headers.authorization === undefined) {
        assert.equal(principal.scheme, 'custom', 'the session cookie has another scheme')
      }
      const token = signedIn.bearer === undefined ? undefined : `Bearer ${signedIn.bearer}`
      const authorization = token ?? headers.authorization
      if (authorization === undefined) return
      const request = requestWith({ authorization })
      const result = await expectPerson(scene, request, person, 'by bearer token')
      assert.notEqual(
        result.principal.scheme,
        'custom',
        'the bearer token has the scheme of the cookie',
      )
    },
  },
  'two-credentials-are-not-mixed': {
    title: 'a cookie of one user with a bearer token of another is anonymous',
    async run(scene) {
      const [mine, theirs] = [await signIn(scene), await signIn(scene)]
      const authorization = bearer(theirs)
      const cookie = cookieHeader(mine.cookies)
      assert.notEqual(cookie, '', 'signIn gives a bearer token but no cookie: put it in headers')
      await expectNobody(scene, requestWith({ cookie, authorization }), 'two users in one request')
    },
  },
}

function bearer({ signedIn }: Person): string {
  if (signedIn.bearer === undefined) return skip('signIn gives no bearer token beside the cookie')
  return `Bearer ${signedIn.bearer}`
}

/** Requests of a user with one character of the credential changed. */
export function tamperedRequests({ cookies, headers }: Person) {
  const byCookie = cookies.flatMap(([name, value], index) =>
    tampered(value).map((changed) =>
      requestWithCookies(cookies.with(index, [name, changed] as const)),
    ),
  )
  const { authorization } = headers
  const [scheme = '', token] = authorization?.split(' ') ?? []
  const byToken = token === undefined ? [] : tampered(token)
  return [
    ...byCookie,
    ...byToken.map((changed) => requestWith({ authorization: `${scheme} ${changed}` })),
  ]
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const POSITIONS = 32

/**
 * Values that differ from `value` in one character, at evenly spread positions and around
 * separators, and two truncated ones.
 */
function tampered(value: string): readonly string[] {
  const last = value.length - 1
  const spread = Array.from({ length: POSITIONS }, (_, n) =>
    Math.round((n * last) / (POSITIONS - 1)),
  )
  const separators = [...value.matchAll(/[^\w-]/g)].slice(0, POSITIONS).map(({ index }) => index)
  const positions = new Set([...spread, ...separators.flatMap((at) => [at - 1, at, at + 1])])
  const changed = [...positions]
    .filter((at) => at >= 0 && at <= last)
    .map((at) => value.slice(0, at) + other(value.charAt(at)) + value.slice(at + 1))
  return [...changed, value.slice(0, last), value.slice(0, value.length >> 1)]
}

/** Flips the top bit of a base64url digit, because lower bits of the last digit may be unused. */
function other(character: string): string {
  const digit = ALPHABET.indexOf(character)
  return digit < 0 ? 'A' : ALPHABET.charAt(digit ^ 32)
}
