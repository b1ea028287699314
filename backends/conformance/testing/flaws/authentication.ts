import type { AuthnResult } from '../../../port.js'
import { singleCookie } from '../../../request.js'
import { publicId } from '../../../session-token.js'
import { MEMORY_COOKIE } from '../memory-store.js'
import {
  authenticating,
  describing,
  type Flaw,
  guest,
  managing,
  signedInAs,
  turn,
  withCookies,
} from './flaw.js'
import { acceptingBearer, mistakingBearer, withBearer } from './bearer.js'

const NOBODY: AuthnResult = { ok: false, reason: 'session-unknown', setCookies: [] }

/** A backend that authenticates some cookies as a guest. */
const welcoming = (isGuest: (value: string | undefined) => boolean) =>
  authenticating(
    (authenticate) => async (request) =>
      isGuest(singleCookie(request, MEMORY_COOKIE)) ? guest() : authenticate(request),
  )

export const AUTHENTICATION_FLAWS: readonly Flaw[] = [
  {
    check: 'anonymous-without-credential',
    flaw: 'anonymous callers are signed in as a guest',
    because: /must be anonymous, but is a user/,
    change: welcoming((value) => value === undefined),
  },
  {
    check: 'anonymous-without-credential',
    flaw: 'a missing credential has the reason session-unknown',
    because: /the reason is another one/,
    change: authenticating((authenticate) => async (request) => {
      const result = await authenticate(request)
      return result.ok ? result : NOBODY
    }),
  },
  {
    check: 'anonymous-without-credential',
    flaw: 'the reason is not one of the port',
    because: /the reason is not one of ours/,
    change: authenticating(
      () => async () => ({ ...NOBODY, reason: 'no cookie' }) as unknown as AuthnResult,
    ),
  },
  {
    check: 'anonymous-without-credential',
    flaw: 'an anonymous result has a user',
    because: /but the result has a user/,
    change: authenticating(
      () => async () => ({ ...NOBODY, user: { id: 'guest' } }) as unknown as AuthnResult,
    ),
  },
  {
    check: 'anonymous-with-empty-credential',
    flaw: 'an empty cookie signs in as a guest',
    because: /must be anonymous, but is a user/,
    change: welcoming((value) => value === ''),
  },
  {
    check: 'anonymous-with-garbage',
    flaw: 'a cookie is parsed as JSON',
    because: /must be anonymous, but is a user/,
    change: welcoming((value) => value?.startsWith('j:') ?? false),
  },
  {
    check: 'hostile-cookies-never-throw',
    flaw: 'cookies are decoded',
    because: /authenticate threw URIError/,
    change: authenticating((authenticate) => (request) => {
      decodeURIComponent(singleCookie(request, MEMORY_COOKIE) ?? '')
      return authenticate(request)
    }),
  },
  {
    check: 'hostile-authorization-never-throws',
    flaw: 'the Authorization header is split without validation',
    because: /authenticate threw TypeError/,
    change: authenticating((authenticate) => async (request) => {
      request.header('authorization')?.split(' ')[1]!.trim()
      return authenticate(request)
    }),
  },
  {
    check: 'other-cookies-do-not-matter',
    flaw: 'only the first cookie of the header is read',
    because: /no user is signed in/,
    change: authenticating(
      (authenticate) => async (request) =>
        request.cookieNames()[0] === MEMORY_COOKIE ? authenticate(request) : NOBODY,
    ),
  },
  {
    check: 'identity-from-credential-only',
    flaw: 'a header of the caller selects the user',
    because: /must be anonymous, but is a user/,
    change: authenticating((authenticate, _backend, store) => async (request) => {
      const id = request.header('x-user-id')
      const named = [...store.sessions.values()].find(({ user }) => user.id === id)
      return named ? signedInAs(named) : authenticate(request)
    }),
  },
  {
    check: 'session-follows-contract',
    flaw: 'a user without an e-mail address has null',
    because: /the user is not valid by the contract/,
    change: describing(({ user }) => ({ user: { ...user, email: null } })),
  },
  {
    check: 'session-follows-contract',
    flaw: 'an instant is a number',
    because: /the session is not valid by the contract/,
    change: describing(({ session }) => ({ session: { ...session, expiresAt: 0 } })),
  },
  {
    check: 'session-follows-contract',
    flaw: 'the session has an unknown providerId',
    because: /no provider has the providerId/,
    change: describing(({ session }) => ({ session: { ...session, providerId: 'other' } })),
  },
  {
    check: 'session-follows-contract',
    flaw: 'userId of the session is the provider subject',
    because: /belongs to another user/,
    change: describing(({ session }) => ({ session: { ...session, userId: session.subject } })),
  },
  {
    check: 'answers-can-be-sent',
    flaw: 'a claim is a bigint',
    because: /the answer of a signed-in user does not fit JSON/,
    change: describing(({ session }) => ({ session: { ...session, claims: { big: 1n } } })),
  },
  {
    check: 'answers-can-be-sent',
    flaw: 'an invalid date becomes null in JSON',
    because: /the answer of a signed-in user is not valid by the contract/,
    change: describing(({ session }) => ({
      session: { ...session, expiresAt: new Date(NaN) },
    })),
  },
  {
    check: 'answers-can-be-sent',
    flaw: 'a renewed session ends beyond the year 9999',
    because: /due for renewal is not valid by the contract/,
    change: describing(({ session }) => ({
      session: session.refreshedAt
        ? { ...session, expiresAt: '+010000-01-01T00:00:00.000Z' }
        : session,
    })),
  },
  {
    check: 'answers-can-be-sent',
    flaw: 'a cookie has a line break',
    because: /a cookie of an anonymous caller does not fit a header/,
    change: authenticating((authenticate) => async (request) => {
      const result = await authenticate(request)
      return { ...result, setCookies: ['a=1\r\nX-Injected: 1'] }
    }),
  },
  {
    check: 'session-is-live',
    flaw: 'a valid session says that it has ended',
    because: /the session is not active/,
    change: describing(({ session }) => ({ session: { ...session, state: 'expired' } })),
  },
  {
    check: 'session-is-live',
    flaw: 'seconds are used as milliseconds',
    because: /the session has expired/,
    change: describing(({ session }) => ({
      session: {
        ...session,
        expiresAt: new Date(Date.parse(session.expiresAt) / 1000).toISOString(),
      },
    })),
  },
  {
    check: 'principal-follows-session',
    flaw: 'the subject of the principal is the provider subject',
    because: /not the user id/,
    change: describing(({ session, principal }) => ({
      principal: { ...principal, subject: session.subject },
    })),
  },
  {
    check: 'principal-follows-session',
    flaw: 'the principal has more scopes than the session',
    because: /the scopes differ/,
    change: describing(({ principal }) => ({ principal: { ...principal, scopes: ['admin'] } })),
  },
  {
    check: 'answers-are-stable',
    flaw: 'every request has another session id',
    because: /it is another session/,
    change: describing(({ session }) => ({
      session: { ...session, id: publicId(`${Math.random()}`) },
    })),
  },
  {
    check: 'answers-are-stable',
    flaw: 'issuedAt is the time of the request',
    because: /issuedAt moves/,
    change: (backend) => {
      let reads = 0
      return describing(({ session }) => ({
        session: { ...session, issuedAt: new Date(Date.now() + (reads += 1)).toISOString() },
      }))(backend, undefined as never)
    },
  },
  {
    check: 'same-person-same-user',
    flaw: 'every session has another user',
    because: /another session of the same person/,
    change: describing(({ session, user }) => ({ user: { ...user, id: session.id } })),
  },
  {
    check: 'two-people-are-two',
    flaw: 'the user id is the display name',
    because: /two people have one user id/,
    change: describing(({ user }) => ({ user: { ...user, id: 'Ada' } })),
  },
  {
    check: 'people-are-never-mixed',
    flaw: 'the current request is kept in a shared variable',
    because: /it is another person/,
    change: authenticating((authenticate) => {
      let current: Promise<AuthnResult> | undefined
      return async (request) => {
        current = authenticate(request)
        await turn()
        return current
      }
    }),
  },
  {
    check: 'expired-session-is-refused',
    flaw: 'the expiry of a session is ignored',
    because: /ran out must be anonymous, but is a user/,
    change: authenticating((authenticate, _backend, store) => async (request) => {
      const expiresAt = new Date(Date.now() + 60_000).toISOString()
      for (const row of store.sessions.values()) row.session = { ...row.session, expiresAt }
      return authenticate(request)
    }),
  },
  {
    check: 'session-revoked-elsewhere-is-refused',
    flaw: 'results are cached',
    because: /ended elsewhere must be anonymous, but is a user/,
    change: authenticating((authenticate) => {
      const cache = new Map<string | undefined, AuthnResult>()
      return async (request) => {
        const known = cache.get(request.header('cookie')) ?? (await authenticate(request))
        cache.set(request.header('cookie'), known)
        return known
      }
    }),
  },
  {
    check: 'signed-out-session-is-refused',
    flaw: 'signing out only clears the cookie',
    because: /signed out must be anonymous, but is a user/,
    change: managing((sessions) => ({
      signOut: (request, options) => sessions.signOut({ ...request, cookies: () => [] }, options),
    })),
  },
  {
    check: 'ended-session-stays-over',
    flaw: 'a session is read, and written back later',
    because: /signed out amid requests must be anonymous, but is a user/,
    change: authenticating((authenticate, _backend, store) => async (request) => {
      const before = new Map(store.sessions)
      const result = await authenticate(request)
      await turn()
      const row = result.ok ? before.get(result.session.id) : undefined
      if (row) store.sessions.set(row.session.id, row)
      return result
    }),
  },
  {
    check: 'tampered-credential-is-refused',
    flaw: 'the signature is not verified',
    because: /changed credential must be anonymous, but is a user/,
    change: authenticating((authenticate, _backend, store) => async (request) => {
      const [secret = ''] = singleCookie(request, MEMORY_COOKIE)?.split('.') ?? []
      const found = store.sessions.get(publicId(secret))
      return found ? signedInAs(found) : authenticate(request)
    }),
  },
  {
    check: 'duplicate-cookies-are-refused',
    flaw: 'the first of two cookies is used',
    because: /must be anonymous, but is a user/,
    change: authenticating(
      (authenticate) => (request) =>
        authenticate(withCookies(request, (name) => request.cookies(name).slice(0, 1))),
    ),
  },
  {
    check: 'duplicate-cookies-are-refused',
    flaw: 'the last of two cookies is used',
    because: /must be anonymous, but is a user/,
    change: authenticating(
      (authenticate) => (request) =>
        authenticate(withCookies(request, (name) => request.cookies(name).slice(-1))),
    ),
  },
  {
    check: 'public-ids-are-no-credential',
    flaw: 'the session id signs in',
    because: /public id as cookie must be anonymous, but is a user/,
    change: authenticating((authenticate, _backend, store) => async (request) => {
      const found = store.sessions.get(singleCookie(request, MEMORY_COOKIE) ?? '')
      return found ? signedInAs(found) : authenticate(request)
    }),
  },
  {
    check: 'signed-token-alone-is-refused',
    flaw: 'a signature is enough',
    because: /token of no session must be anonymous, but is a user/,
    change: authenticating((authenticate, backend) => async (request) => {
      const result = await authenticate(request)
      const token = singleCookie(request, MEMORY_COOKIE)
      const signed = token !== undefined && backend.crypto.openSessionToken(token) !== undefined
      return signed && !result.ok ? guest() : result
    }),
  },
  {
    check: 'bearer-token-signs-in',
    flaw: 'bearer tokens are declared but not accepted',
    because: /no user is signed in/,
    change: () => ({}),
    harness: withBearer,
  },
  {
    check: 'bearer-token-is-no-cookie',
    flaw: 'a bearer token has the scheme of the cookie',
    because: /the bearer token passes for the cookie/,
    change: mistakingBearer,
    harness: withBearer,
  },
  {
    check: 'bearer-token-is-no-cookie',
    flaw: 'the cookie has the scheme of a bearer token',
    because: /the session cookie has another scheme/,
    change: describing(({ principal }) => ({ principal: { ...principal, scheme: 'bearer' } })),
  },
  {
    check: 'two-credentials-are-not-mixed',
    flaw: 'the bearer token wins over the cookie',
    because: /two people in one request must be anonymous, but is a user/,
    change: acceptingBearer((_cookie, token) => [token]),
    harness: withBearer,
  },
  {
    check: 'two-credentials-are-not-mixed',
    flaw: 'the cookie wins over the bearer token',
    because: /two people in one request must be anonymous, but is a user/,
    change: acceptingBearer((cookie, token) => [cookie ?? token]),
    harness: withBearer,
  },
]
