import { type ContractRoute, IDENTITY_HEADERS } from '@netscript/auth-contract'
import type { Components } from './components.js'
import type { ResponseObject } from './specification.js'

/** Facts about a route for the document that its contract does not declare. */
export interface RouteNote {
  /**
   * Whether the session cookie is required, read if present, or not read.
   * @default `required` when the route declares 401, else `optional`
   */
  session?: 'required' | 'optional' | 'ignored'
  /** Whether a service key is required, and the session cookie is one of two credentials. @default false */
  needsServiceKey?: boolean
  /** Whether a success response is public and cacheable. @default false */
  isPublic?: boolean
  /** Descriptions of responses by status. @default the description of the schema */
  responses?: Readonly<Record<number, string>>
  /** `Set-Cookie` of a success response. @default none */
  setCookie?: { description: string; example: string }
  /** Further headers of the 200. @default none */
  headers?: Readonly<Record<string, { description: string; example: string }>>
}

/** Conventions of a service that its contract does not declare. */
export interface Dialect {
  /** Notes by the key of the route. */
  readonly notes: Readonly<Record<string, RouteNote>>
  /** The headers of a response with this status. */
  headersOf(status: number, components: Components): ResponseObject['headers']
  /** Whether browsers navigate to the route: it accepts forms and renders problems as pages. */
  isNavigation(route: ContractRoute): boolean
}

const HOST_COOKIE = 'Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure'
const CLEARED = HOST_COOKIE.replace('600', '0')

const RENEWED: NonNullable<RouteNote['setCookie']> = {
  description: 'Only from a backend that keeps the session in the cookie and renewed it.',
  example: `wos-session=sealed; ${HOST_COOKIE.replace('600', '604800')}`,
}

const TOKEN = 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk4In0.c2lnbmF0dXJl'

const CALLBACK: RouteNote = {
  responses: {
    200: 'The sign-in is complete: the response to `Accept: application/json`. The session token is only in the cookie.',
    303: 'To the return address, signed in. With a used transaction and a live session, to the default return address.',
  },
  setCookie: {
    description:
      'Sets the session cookie, whose Max-Age is the absolute limit of the session; another one clears the transaction cookie.',
    example: `__Host-ns_session=token; ${HOST_COOKIE.replace('600', '604800')}`,
  },
}

/** Notes by route key. */
const ROUTE_NOTES: Readonly<Record<string, RouteNote>> = {
  providerToken: { needsServiceKey: true },
  signin: {
    session: 'ignored',
    responses: {
      200: 'The transaction is open. Send the browser to `redirectUrl`.',
      303: 'To the provider: the response to a form post.',
    },
    setCookie: {
      description:
        'Binds the transaction to this browser for ten minutes; each flow has a cookie of its own. The oldest is cleared when there are too many, in a Set-Cookie of its own.',
      example: `__Host-ns_txn_pGm0X1uVhXo3v0mR=secret; ${HOST_COOKIE}`,
    },
  },
  signout: {
    responses: {
      200: 'There is no session in this browser.',
      303: 'To the provider, to sign out there too, or to the return address: the response to a form post.',
    },
    setCookie: {
      description:
        'Clears the session cookie. With a logoutUrl, a second one binds its ticket to this browser.',
      example: `__Host-ns_session=; ${CLEARED}`,
    },
  },
  callback: CALLBACK,
  providerCallback: CALLBACK,
  session: { setCookie: RENEWED },
  me: { setCookie: RENEWED },
  forwardAuth: {
    setCookie: RENEWED,
    responses: {
      200: 'The request may pass. The identity is in the headers.',
      302: 'To the sign-in page: the response to a navigation without a session, with `mode=redirect`.',
    },
    headers: {
      [IDENTITY_HEADERS.authorization]: {
        description: 'The token as a bearer token, to pass on as it is; empty without `audience`.',
        example: `Bearer ${TOKEN}`,
      },
      [IDENTITY_HEADERS.token]: {
        description: 'A JWT access token for `audience` (RFC 9068), as of POST /token.',
        example: TOKEN,
      },
      [IDENTITY_HEADERS.user]: {
        description: 'The stable id of the user.',
        example: '0198f3c2-7a51-7c1e-9b1d-5f0a2c3d4e5f',
      },
      [IDENTITY_HEADERS.name]: { description: 'The name to show.', example: 'Ada%20Lovelace' },
      [IDENTITY_HEADERS.email]: {
        description: 'The e-mail address, if the provider has verified it.',
        example: 'ada%40example.com',
      },
      [IDENTITY_HEADERS.roles]: { description: 'The roles of the user.', example: 'clerk,admin' },
      [IDENTITY_HEADERS.scopes]: {
        description: 'The scopes of the session.',
        example: 'openid,orders%3Aread',
      },
      [IDENTITY_HEADERS.session]: {
        description: 'The public id of the session.',
        example: 'vD0oUS3q8l4t1m7Wb0m3qV6m2o0x7aAZr6FQ0Yq0m1c',
      },
    },
  },
  logout: {
    session: 'ignored',
    responses: { 303: "To the provider's end_session_endpoint." },
    setCookie: {
      description:
        'Clears the cookie of the ticket, and sets another one for the return from the provider.',
      example: `__Host-ns_logout_pGm0X1uVhXo3v0mR=; ${CLEARED}`,
    },
  },
  loggedOut: {
    session: 'ignored',
    responses: {
      303: 'To the return address of the sign-out, or without a valid state to the default one.',
    },
    setCookie: {
      description: 'Clears the cookie of the sign-out.',
      example: `__Host-ns_logout_pGm0X1uVhXo3v0mR=; ${CLEARED}`,
    },
  },
  backChannelLogout: { session: 'ignored' },
  jwks: { session: 'ignored', isPublic: true },
}

/** The headers of every response, and those of its status. */
function headersOf(status: number, components: Components): ResponseObject['headers'] {
  return {
    'Cache-Control': components.header('CacheControl'),
    Vary: components.header('Vary'),
    'X-Request-Id': components.header('RequestId'),
    ...((status === 302 || status === 303) && { Location: components.header('Location') }),
    ...(status === 405 && { Allow: components.header('Allow') }),
    ...(status === 429 && {
      RateLimit: components.header('RateLimit'),
      'RateLimit-Policy': components.header('RateLimitPolicy'),
    }),
    ...((status === 429 || status === 503) && { 'Retry-After': components.header('RetryAfter') }),
  }
}

/** The headers of a public response. */
export const publicHeaders = (components: Components): ResponseObject['headers'] => ({
  'Cache-Control': components.header('PublicCacheControl'),
  'X-Request-Id': components.header('RequestId'),
})

/** The conventions of the authentication service. */
export const OWN_DIALECT: Dialect = {
  notes: ROUTE_NOTES,
  headersOf,
  isNavigation: ({ responses }) => 302 in responses || 303 in responses,
}

/** The conventions of a service behind the guards. */
export const GUARDED_DIALECT: Dialect = {
  notes: {},
  headersOf: (status, components) => ({
    ...(status === 401 && { 'WWW-Authenticate': components.header('Challenge') }),
    ...(status === 503 && { 'Retry-After': components.header('RetryAfter') }),
  }),
  isNavigation: () => false,
}
