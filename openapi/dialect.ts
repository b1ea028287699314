import type { ContractRoute } from '@netscript/auth-contract'
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
  session: {
    setCookie: {
      description: 'Only from a backend that keeps the session in the cookie and renewed it.',
      example: `wos-session=sealed; ${HOST_COOKIE.replace('600', '604800')}`,
    },
  },
  me: {
    setCookie: {
      description: 'Only from a backend that keeps the session in the cookie and renewed it.',
      example: `wos-session=sealed; ${HOST_COOKIE.replace('600', '604800')}`,
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
    ...(status === 303 && { Location: components.header('Location') }),
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
  isNavigation: ({ responses }) => 303 in responses,
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
