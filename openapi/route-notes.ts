/** Facts about a route for the document that its contract does not declare. */
export interface RouteNote {
  /**
   * Whether the session cookie is required, read if present, or not read.
   * @default `required` when the route declares 401, else `optional`
   */
  session?: 'required' | 'optional' | 'ignored'
  /** Whether a success response is public and cacheable. @default false */
  isPublic?: boolean
  /** Descriptions of responses by status. @default the description of the schema */
  responses?: Readonly<Record<number, string>>
  /** `Set-Cookie` of a success response. @default none */
  setCookie?: { description: string; example: string }
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
export const ROUTE_NOTES: Readonly<Record<string, RouteNote>> = {
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
