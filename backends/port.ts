import type {
  AuthSession,
  AuthUser,
  BackendCapabilities,
  LinkedAccount,
  Principal,
  ProviderDescription,
  ProviderToken,
  StoredUser,
} from '@netscript/auth-contract'
import type { AuthnRequest } from './request.js'

export type { Principal }

/** Why a request is unauthenticated. For logs, never for a response body. */
export type AnonymousReason =
  | 'credential-missing'
  | 'credential-invalid'
  | 'session-unknown'
  | 'session-expired'
  | 'session-revoked'

/**
 * The result of {@link AuthBackendPort.authenticate}. An outage is never reported as unauthenticated:
 * when its store or provider is unavailable, a backend throws `AuthError` `STORE_UNAVAILABLE`.
 */
export type AuthnResult =
  | {
      readonly ok: true
      /** The user of the session, as guards see them. */
      readonly principal: Principal
      /** The active session of the user. */
      readonly session: AuthSession
      /** The user. Fields that the backend does not know are absent. */
      readonly user: AuthUser
      /** `Set-Cookie` values to send to the browser unchanged. */
      readonly setCookies: readonly string[]
    }
  | {
      readonly ok: false
      /** Why the request is unauthenticated. */
      readonly reason: AnonymousReason
      readonly setCookies: readonly string[]
    }

/** A provider as `describe` and pages show it. */
export type AuthProviderDescriptor = Readonly<ProviderDescription>

/** The providers of a backend, in configured order. */
export interface AuthProviderRegistryPort {
  /** All providers; the first is the default of `signin`. */
  listProviders(): readonly AuthProviderDescriptor[]
  /** Returns a provider; `undefined` for an unknown id. */
  getProvider(id: string): AuthProviderDescriptor | undefined
}

/** The optional features of a backend. `describe` shows them; the conformance suite verifies them. */
export type AuthBackendCapabilities = Readonly<
  Omit<
    BackendCapabilities,
    'interactive' | 'backChannelLogout' | 'linkAccounts' | 'providerTokens' | 'selfService'
  >
>

/** The result of a sign-out. */
export interface SignOutResult {
  /** The session that was ended; absent when the caller had none. */
  readonly sessionId?: string
  /** Clears the session cookie; present even without a session. */
  readonly setCookies: readonly string[]
  /** URL to open to sign out at the provider too. */
  readonly logoutUrl?: string
}

/** A session in the session list of a user. */
export interface AuthSessionSummary {
  /** An active session of the user. */
  readonly session: AuthSession
  /** The `User-Agent` of the sign-in, at most 256 characters. */
  readonly userAgent?: string
}

/** Selects a page of a list of sessions. */
export interface SessionListOptions {
  /** Sessions per page, 1 to 100. @default 100 */
  readonly limit?: number
  /** The `cursor` of the previous page. @default the first page */
  readonly cursor?: string
}

/** A page of sessions, newest first. */
export interface AuthSessionPage {
  /** At most `limit` sessions. */
  readonly sessions: readonly AuthSessionSummary[]
  /** The cursor of the next page; absent on the last one. */
  readonly cursor?: string
}

/** The sessions of a backend. Callers pass the id of the authenticated user, never one from a body. */
export interface AuthSessionsPort {
  /**
   * Ends the caller's session; with `everywhere`, all sessions of the user. The caller's own session
   * must end last, or all in one transaction, so that a partly failed sign-out can be repeated.
   * Idempotent. `returnTo` has been validated.
   */
  signOut(
    request: AuthnRequest,
    options: { everywhere: boolean; returnTo?: string },
  ): Promise<SignOutResult>
  /**
   * Lists the live sessions of a user, newest first. Sessions that start or end between two pages do
   * not cause others to be repeated or skipped.
   * @throws AuthBackendOperationUnsupportedError when `capabilities.listSessions` is false;
   * AuthError `VALIDATION_ERROR` for an invalid cursor.
   */
  listSessions(userId: string, options?: SessionListOptions): Promise<AuthSessionPage>
  /**
   * Ends one session of a user. False for an unknown id and for a session of another user.
   * @throws AuthBackendOperationUnsupportedError when `capabilities.revokeSessions` is false.
   */
  revokeSession(userId: string, sessionId: string): Promise<boolean>
  /**
   * Ends all sessions of a user except `except`; returns how many.
   * @throws AuthBackendOperationUnsupportedError when `capabilities.revokeSessions` is false.
   */
  revokeSessions(userId: string, options?: { except?: string }): Promise<number>
}

/** The provider accounts of users. Callers pass the session of the caller, never ids from a body. */
export interface AuthAccountsPort {
  /** Lists the accounts of the session's user, the oldest first. */
  list(session: AuthSession): Promise<readonly LinkedAccount[]>
  /**
   * Removes an account from the session's user and ends the sessions that were made with it. Returns
   * their ids. Of concurrent calls, none removes the last account.
   * @throws AuthError `NOT_FOUND` for an unknown id and an account of another user,
   * `AUTH_LAST_ACCOUNT`, `STORE_UNAVAILABLE`.
   */
  unlink(session: AuthSession, accountId: string): Promise<{ readonly ended: readonly string[] }>
}

/** Which token of a provider is needed. */
export interface ProviderTokenOptions {
  /** The provider, of the sign-in or of a linked account. @default that of the sign-in */
  readonly providerId?: string | undefined
  /** Scopes that the token must have, as the provider names them. @default any */
  readonly scopes?: readonly string[] | undefined
}

/** What users may do with their own data. Callers pass the session of the caller. */
export interface AuthSelfServicePort {
  /** Returns what is stored about the session's user, without tokens. */
  exportUser(session: AuthSession): Promise<StoredUser>
  /**
   * Deletes the session's user with accounts, sessions and tokens. When it throws, the user may only be
   * disabled.
   */
  deleteUser(session: AuthSession): Promise<void>
}

/** Issues and verifies session tokens, the secrets in session cookies. */
export interface AuthSessionCryptoPort {
  /** Creates a token from 256 random bits, and the public session id that belongs to it. */
  issueSessionToken(): { token: string; sessionId: string }
  /** Returns the session id of a token signed by this service, else `undefined`. Never throws. */
  openSessionToken(token: string): string | undefined
}

/** A started sign-in. */
export interface SignInResult {
  /** The provider that was chosen. */
  readonly providerId: string
  /** URL of the authorization request (RFC 6749 section 4.1.1). */
  readonly redirectUrl: string
  /** The `state` of the request, which identifies the transaction. */
  readonly state: string
  /** Binds the transaction to this browser. Send unchanged. */
  readonly setCookies: readonly string[]
}

/** A completed sign-in. */
export interface CallbackResult {
  /** The public id of the new session, or of the current one after an account was linked. */
  readonly sessionId: string
  /** The provider subject of the user. */
  readonly subject: string
  /** The stable user id of this service. */
  readonly userId: string
  /** The provider that authenticated the user. */
  readonly providerId: string
  /** The return address that was validated when the sign-in started. */
  readonly returnTo: string
  /** Sets the cookie of a new session and clears the transaction cookie. Send unchanged. */
  readonly setCookies: readonly string[]
}

/** The redirect flow, for backends that have one. Takes and returns plain data, no HTTP objects. */
export interface InteractiveFlowPort {
  /**
   * Whether `signIn` and `handleCallback` charge `rateLimit` of the request in the statement that they
   * run anyway. @default false: the limit is charged before
   */
  readonly chargesRateLimit?: boolean
  /**
   * Opens a transaction and returns where to send the browser. `returnTo` has been validated.
   * With `maxAge` or `acrValues` the callback verifies when and how the provider authenticated the
   * user. If the browser has a session, this is a step-up: the same user must come back.
   * @throws AuthError `VALIDATION_ERROR` for an unknown provider, a scope that is not offered, or
   * `maxAge` or `acrValues` at a provider without `stepUp`; `AUTH_PROVIDER_ERROR`,
   * `STORE_UNAVAILABLE`.
   */
  signIn(
    request: AuthnRequest,
    input: {
      providerId?: string
      returnTo: string
      loginHint?: string
      scopes?: readonly string[]
      prompt?: 'login' | 'consent' | 'select_account'
      /** In seconds. */
      maxAge?: number
      acrValues?: readonly string[]
      uiLocales?: readonly string[]
      /**
       * The caller's session: the account is linked to its user at the callback, if the session is
       * still live in this browser, and no new session starts. Only for backends with `accounts`.
       */
      linkTo?: AuthSession
    },
  ): Promise<SignInResult>
  /**
   * Consumes the transaction and completes the sign-in. `request` is the request to the redirect URI
   * and `query` its raw query; both must match what the sign-in sent to the provider.
   * @throws AuthError `AUTH_TRANSACTION_MISSING`, `AUTH_TRANSACTION_EXPIRED`, `AUTH_ACCESS_DENIED`,
   * `AUTH_NOT_ADMITTED`, `AUTH_USER_DISABLED`, `AUTH_SESSION_CHANGED`, `AUTH_ACCOUNT_CONFLICT`,
   * `AUTH_STEP_UP_FAILED`, `AUTH_PROVIDER_ERROR`, `STORE_UNAVAILABLE`.
   */
  handleCallback(request: AuthnRequest, query: URLSearchParams): Promise<CallbackResult>
  /** Consumes a logout ticket. Returns the logout URL of the provider, and cookies to set. */
  startLogout(
    request: AuthnRequest,
    ticket: string,
  ): Promise<{ redirectUrl: string; setCookies: readonly string[] }>
  /** Consumes the state of a logout. Returns the return address, and cookies to set. */
  finishLogout(
    request: AuthnRequest,
    state: string,
  ): Promise<{ returnTo: string; setCookies: readonly string[] }>
}

/**
 * The interface of an authentication backend. The HTTP API is the same for all backends, because
 * nothing above this port knows which one is active.
 */
export interface AuthBackendPort {
  /** The name in `NETSCRIPT_AUTH_BACKEND`, a registry and `describe`. */
  readonly name: string
  /** The providers that users can sign in with. */
  readonly providers: AuthProviderRegistryPort
  /** Lists and ends sessions. */
  readonly sessions: AuthSessionsPort
  /** The accounts of users; absent when they cannot be linked. */
  readonly accounts?: AuthAccountsPort
  /** Exports and deletes users; absent when the backend cannot. */
  readonly selfService?: AuthSelfServicePort
  /** Supported features. Unsupported operations throw `AuthBackendOperationUnsupportedError`. */
  readonly capabilities: AuthBackendCapabilities
  /** The redirect flow; absent when users sign in elsewhere. */
  readonly interactive?: InteractiveFlowPort
  /**
   * Ends the sessions named by a logout token and returns how many. The token works once.
   * Absent when no provider can send one.
   * @throws AuthError `LOGOUT_TOKEN_INVALID`, `AUTH_PROVIDER_ERROR` when the provider's keys are
   * unavailable, `STORE_UNAVAILABLE`.
   */
  backChannelLogout?(logoutToken: string): Promise<{ ended: number }>
  /**
   * Returns an access token of the provider for a live session, renewed if it is about to expire. For
   * servers that call the API of the provider: never pass it to a browser. Absent when the backend keeps
   * no tokens of providers.
   * @throws AuthError `UNAUTHORIZED` if the session has ended, `VALIDATION_ERROR` for an unknown provider or
   * a scope that is not offered, `PROVIDER_TOKEN_UNAVAILABLE`, `AUTH_PROVIDER_ERROR`, `STORE_UNAVAILABLE`.
   */
  getProviderToken?(
    session: { readonly id: string },
    options?: ProviderTokenOptions,
  ): Promise<ProviderToken>
  /**
   * Where users sign in when the backend is not interactive: a URL or path that pages link to, or a
   * text for developers.
   */
  readonly signInHint?: string
  /** Authenticates a request. At most one store read; writes only when a refresh is due. */
  authenticate(request: AuthnRequest): Promise<AuthnResult>
  /**
   * Loads what the first sign-in would otherwise wait for. Called once, when the service is ready and
   * idle; a failure has no effect. Absent when there is nothing to load.
   */
  warmUp?(): Promise<void>
  /** Resolves when the backend is ready to serve requests; rejects otherwise. For readiness probes. */
  probe(): Promise<void>
  /** The number of live sessions, for metrics. Absent when one cheap query cannot count them. */
  countSessions?(): Promise<number>
  /** Closes the connections and timers that the backend opened. */
  close(): Promise<void>
}
