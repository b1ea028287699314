import type { Fetch } from './exchange.js'
import type {
  CallbackQuery,
  CallbackResponse,
  DescribeResponse,
  MeResponse,
  RevokedResponse,
  SessionResponse,
  SessionsQuery,
  SessionsResponse,
  SigninInput,
  SigninResponse,
  SignoutInput,
  SignoutResponse,
  TokenInput,
  TokenResponse,
} from './wire.js'

export type {
  AuthSession,
  AuthUser,
  CallbackQuery,
  CallbackResponse,
  DescribeResponse,
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
  TokenInput,
  TokenResponse,
} from './wire.js'

/** Options of both clients. */
export interface AuthClientOptions {
  /** Where the service is, such as `https://auth.example.com`. Default: the page's own origin. */
  baseUrl?: string
  /** Default: the global fetch. Outside a browser give one that keeps cookies. */
  fetch?: Fetch
  /** Headers sent with every request. Default: none. */
  headers?: Readonly<Record<string, string>>
  /** How long one call may take, in milliseconds. Default: 30 000. */
  timeoutMs?: number
  /** How to leave for another address. Default: `location.assign`; needed outside a browser. */
  navigate?: (url: string) => void
}

/** Options of one call. */
export interface CallOptions {
  /**
   * Ends the call early: it throws `ABORTED`, or `TIMEOUT` for an `AbortSignal.timeout()`. Default:
   * only `timeoutMs` of the client does.
   */
  signal?: AbortSignal
}

/** The routes of the contract that answer JSON, under their names there. */
export interface AuthCalls {
  /** Who is signed in. */
  me(options?: CallOptions): Promise<MeResponse>
  /** The caller's session. */
  session(options?: CallOptions): Promise<SessionResponse>
  /** Starts a sign-in and answers where to send the browser. */
  signin(input?: SigninInput, options?: CallOptions): Promise<SigninResponse>
  /** Ends the session of this browser. */
  signout(input?: SignoutInput, options?: CallOptions): Promise<SignoutResponse>
  /** Completes a sign-in with what the provider sent back. A browser simply opens that address. */
  callback(query: CallbackQuery, options?: CallOptions): Promise<CallbackResponse>
  /** The same where the redirect URI of the provider is a path of its own, `/callback/google`. */
  providerCallback(
    provider: string,
    query: Omit<CallbackQuery, 'provider'>,
    options?: CallOptions,
  ): Promise<CallbackResponse>
  /** What the active backend can do. */
  describe(options?: CallOptions): Promise<DescribeResponse>
  /** A page of the live sessions of the caller, newest first. Default: the newest 100. */
  sessions(options?: SessionsQuery & CallOptions): Promise<SessionsResponse>
  /** Ends one session of the caller, by its public id. */
  revokeSession(id: string, options?: CallOptions): Promise<RevokedResponse>
  /** Ends all sessions of the caller but the current one. */
  revokeOtherSessions(options?: CallOptions): Promise<RevokedResponse>
  /** A short-lived token for another service, to be sent there as a bearer token. */
  token(input: TokenInput, options?: CallOptions): Promise<TokenResponse>
}

/**
 * The typed client. A call is sent once, never again, and throws `AuthClientError` with a code
 * and a status unless it succeeds.
 */
export interface AuthClient extends AuthCalls {
  /** {@link AuthCalls.signin}, and then goes there: the page is left. */
  redirectToSignIn(input?: SigninInput): Promise<void>
  /**
   * {@link AuthCalls.signout}, and then goes to the provider's log-out, to the return address, or
   * nowhere when there is neither.
   */
  redirectToSignOut(input?: SignoutInput): Promise<void>
}
