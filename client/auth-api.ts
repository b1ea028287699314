import type { Fetch } from './exchange.js'
import type * as wire from './generated/wire.js'

export type {
  AccountsResponse,
  AuthSession,
  AuthUser,
  CallbackQuery,
  CallbackResponse,
  DeletedResponse,
  DescribeResponse,
  LinkedAccount,
  MeResponse,
  ProviderDescription,
  RevokedResponse,
  SessionResponse,
  SessionsQuery,
  SessionsResponse,
  SessionSummary,
  SigninInput,
  SigninResponse,
  SignoutInput,
  SignoutResponse,
  StoredUser,
  TokenInput,
  TokenResponse,
  UnlinkedResponse,
} from './generated/wire.js'

/** Options of `createAuthClient`. */
export interface AuthClientOptions {
  /** URL of the service, such as `https://auth.example.com`. @default the page's own origin */
  baseUrl?: string
  /** Outside a browser, pass one that keeps cookies. @default globalThis.fetch */
  fetch?: Fetch
  /** Headers sent with every request. @default none */
  headers?: Readonly<Record<string, string>>
  /** Time limit of one call, in milliseconds. @default 30000 */
  timeoutMs?: number
  /** Navigates to a URL. Required outside a browser. @default location.assign */
  navigate?: (url: string) => void
}

/** Options of one call. */
export interface CallOptions {
  /**
   * Ends the call early: it throws `ABORTED`, or `TIMEOUT` for an `AbortSignal.timeout()`.
   * `timeoutMs` of the client applies as well.
   */
  signal?: AbortSignal
}

/** One method for each route with a JSON response, named as in the contract. */
export interface AuthCalls {
  /** Who is signed in. */
  me(options?: CallOptions): Promise<wire.MeResponse>
  /** The caller's session. */
  session(options?: CallOptions): Promise<wire.SessionResponse>
  /** Starts a sign-in and returns where to send the browser. */
  signin(input?: wire.SigninInput, options?: CallOptions): Promise<wire.SigninResponse>
  /** Ends the session of this browser. */
  signout(input?: wire.SignoutInput, options?: CallOptions): Promise<wire.SignoutResponse>
  /** Completes a sign-in with the provider's response. In a browser, just follow the redirect. */
  callback(query: wire.CallbackQuery, options?: CallOptions): Promise<wire.CallbackResponse>
  /** Like `callback`, for a provider with a redirect URI of its own, such as `/callback/google`. */
  providerCallback(
    provider: string,
    query: Omit<wire.CallbackQuery, 'provider'>,
    options?: CallOptions,
  ): Promise<wire.CallbackResponse>
  /** What the active backend can do. */
  describe(options?: CallOptions): Promise<wire.DescribeResponse>
  /** A page of the caller's live sessions, newest first; at most 100 unless `limit` is given. */
  sessions(options?: wire.SessionsQuery & CallOptions): Promise<wire.SessionsResponse>
  /** Ends one session of the caller, by its public id. */
  revokeSession(id: string, options?: CallOptions): Promise<wire.RevokedResponse>
  /** Ends all sessions of the caller except the current one. */
  revokeOtherSessions(options?: CallOptions): Promise<wire.RevokedResponse>
  /** The provider accounts of the caller. `signin` with `link` adds one. */
  accounts(options?: CallOptions): Promise<wire.AccountsResponse>
  /** Removes a provider account of the caller, and ends the sessions that were made with it. */
  unlinkAccount(id: string, options?: CallOptions): Promise<wire.UnlinkedResponse>
  /** What is stored about the caller. Needs `capabilities.selfService`. */
  exportUser(options?: CallOptions): Promise<wire.StoredUser>
  /** Deletes the caller. Needs a sign-in at most five minutes old, and `capabilities.selfService`. */
  deleteUser(options?: CallOptions): Promise<wire.DeletedResponse>
  /** Requests a short-lived bearer token for another service. */
  token(input: wire.TokenInput, options?: CallOptions): Promise<wire.TokenResponse>
}

/**
 * The typed client. Calls are not retried. A call that fails throws `AuthClientError` with a stable
 * code and a status.
 */
export interface AuthClient extends AuthCalls {
  /** Calls {@link AuthCalls.signin} and navigates to the provider. */
  redirectToSignIn(input?: wire.SigninInput): Promise<void>
  /**
   * Starts the sign-in that a refused request requires, and navigates to the provider. Pass the
   * response of the service, its problem document, or the error of a call of this client. Returns
   * false, and does nothing, for any other refusal.
   *
   * @example
   * ```ts
   * import { createAuthClient } from '@netscript/auth-client'
   *
   * const auth = createAuthClient()
   * const response = await fetch('/orders/1', { method: 'DELETE' })
   * const isLeaving = await auth.stepUp(response, { redirectTo: '/orders' })
   * ```
   */
  stepUp(refusal: unknown, input?: wire.SigninInput): Promise<boolean>
  /**
   * Calls {@link AuthCalls.signout}, then navigates to the provider's logout URL or to the return
   * address. Without either, the page stays.
   */
  redirectToSignOut(input?: wire.SignoutInput): Promise<void>
}
