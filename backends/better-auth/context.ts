import type { AuthContext, BetterAuthOptions } from 'better-auth'

/** What an endpoint of better-auth returns when it is asked for the headers too. */
export interface WithHeaders {
  /** `Set-Cookie` among them. */
  headers: Headers
  /** What the endpoint returns without them. */
  response: unknown
}

/**
 * What this backend uses of better-auth. Every instance fits, whatever its plugins.
 */
export interface BetterAuthInstance {
  /** Answers better-auth's own routes. */
  readonly handler: (request: Request) => Promise<Response>
  /** What it was made with. */
  readonly options: BetterAuthOptions
  /** What its plugins see: cookies and the database. */
  readonly $context: Promise<
    Pick<AuthContext, 'authCookies' | 'createAuthCookie' | 'socialProviders'> & {
      readonly adapter: Pick<AuthContext['adapter'], 'findOne' | 'findMany'>
      readonly internalAdapter: Pick<
        AuthContext['internalAdapter'],
        'findUserById' | 'deleteSession' | 'deleteSessions'
      >
    }
  >
  /** Its endpoints as functions. */
  readonly api: {
    getSession(input: {
      headers: Headers
      returnHeaders: true
      query?: { disableRefresh?: boolean }
    }): Promise<WithHeaders>
    signOut(input: { headers: Headers; returnHeaders: true }): Promise<WithHeaders>
  }
}
