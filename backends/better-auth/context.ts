import type { AuthContext, BetterAuthOptions } from 'better-auth'

/** What a better-auth endpoint returns with `returnHeaders`. */
interface WithHeaders {
  /** `Set-Cookie` among them. */
  headers: Headers
  /** What the endpoint returns without `returnHeaders`. */
  response: unknown
}

/** The part of better-auth that this backend uses. Every instance matches, with any plugins. */
export interface BetterAuthInstance {
  /** Handles better-auth's own routes. */
  readonly handler: (request: Request) => Promise<Response>
  /** The options of the instance. */
  readonly options: BetterAuthOptions
  /** The context that plugins see: cookies and the database. */
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
