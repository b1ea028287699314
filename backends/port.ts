import type {
  AuthSession,
  AuthUser,
  BackendCapabilities,
  Principal,
  ProviderDescription,
} from '@netscript/auth-contract'
import type { AuthnRequest } from './request.js'

export type { Principal }

/** Why nobody is signed in; for logs, never for a body. */
export type AnonymousReason =
  | 'credential-missing'
  | 'credential-invalid'
  | 'session-unknown'
  | 'session-expired'
  | 'session-revoked'

/**
 * The outcome of {@link AuthBackendPort.authenticate}. A store or provider that cannot be asked is
 * no outcome: the backend throws `AuthError` `STORE_UNAVAILABLE` instead of answering anonymous.
 */
export type AuthnResult =
  | {
      readonly ok: true
      /** Who is calling, as guards see it: the user of the session. */
      readonly principal: Principal
      /** The session, active and of this user. */
      readonly session: AuthSession
      /** The person, as far as the backend knows them. */
      readonly user: AuthUser
      /** `Set-Cookie` values that must reach the browser byte for byte. */
      readonly setCookies: readonly string[]
    }
  | {
      readonly ok: false
      /** Why it is nobody. */
      readonly reason: AnonymousReason
      readonly setCookies: readonly string[]
    }

/** How a provider is shown to people and to `describe`. */
export type AuthProviderDescriptor = Readonly<ProviderDescription>

/** The providers of a backend, in the order configured. */
export interface AuthProviderRegistryPort {
  /** All of them; the first is the default of `signin`. */
  listProviders(): readonly AuthProviderDescriptor[]
  /** The one with the id; `undefined` when there is none. */
  getProvider(id: string): AuthProviderDescriptor | undefined
}

/** What a backend can really do; `describe` shows it and the conformance suite holds it to it. */
export type AuthBackendCapabilities = Readonly<BackendCapabilities>

/** What signing out did. */
export interface SignOutResult {
  /** The session that was ended; absent when the caller had none. */
  readonly sessionId?: string
  /** Clears the session cookie; sent even when there was no session. */
  readonly setCookies: readonly string[]
  /** Where to go to sign out at the provider too. */
  readonly logoutUrl?: string
}

/** A session as its owner sees it in a list. */
export interface AuthSessionSummary {
  /** Active, and of the user whose list it is. */
  readonly session: AuthSession
  /** The `User-Agent` that signed in, cut to 256 characters. */
  readonly userAgent?: string
}

/** Which page of a list of sessions. */
export interface SessionListOptions {
  /** Sessions per page, 1 to 100. Default: 100. */
  readonly limit?: number
  /** The `cursor` of the page before. Default: the first page. */
  readonly cursor?: string
}

/** A page of sessions, newest first. */
export interface AuthSessionPage {
  /** At most `limit` sessions. */
  readonly sessions: readonly AuthSessionSummary[]
  /** Gets the next page; absent on the last one. */
  readonly cursor?: string
}

/** The sessions of a backend. Every method acts for the owner; none takes a credential from a body. */
export interface AuthSessionsPort {
  /**
   * Ends the caller's own session; with `everywhere`, all sessions of the same user, the caller's own
   * last or all in one step, so that a sign-out that failed half-way can be repeated. Idempotent.
   * `returnTo` is an address already checked by the caller.
   */
  signOut(
    request: AuthnRequest,
    options: { everywhere: boolean; returnTo?: string },
  ): Promise<SignOutResult>
  /**
   * The live sessions of a user, newest first and page by page. Sessions that begin or end meanwhile
   * neither repeat nor hide another one.
   * @throws AuthBackendOperationUnsupportedError when `capabilities.listSessions` is false;
   * AuthError `VALIDATION_ERROR` when no page had the cursor.
   */
  listSessions(userId: string, options?: SessionListOptions): Promise<AuthSessionPage>
  /**
   * Ends one session of a user. False for an unknown and for a foreign id alike.
   * @throws AuthBackendOperationUnsupportedError when `capabilities.revokeSessions` is false.
   */
  revokeSession(userId: string, sessionId: string): Promise<boolean>
  /**
   * Ends all sessions of a user but the one named; returns how many.
   * @throws AuthBackendOperationUnsupportedError when `capabilities.revokeSessions` is false.
   */
  revokeSessions(userId: string, options?: { except?: string }): Promise<number>
}

/** Issues and opens session tokens: the secret in the cookie, never the id in the store. */
export interface AuthSessionCryptoPort {
  /** A fresh token of 256 random bits and the public session id that belongs to it. */
  issueSessionToken(): { token: string; sessionId: string }
  /** The session id of a token that this service signed, else `undefined`. Never throws. */
  openSessionToken(token: string): string | undefined
}

/** A sign-in that has been started. */
export interface SignInResult {
  /** The provider that was chosen. */
  readonly providerId: string
  /** The authorization request (RFC 6749 section 4.1.1). */
  readonly redirectUrl: string
  /** The `state` of that request; it belongs to the transaction. */
  readonly state: string
  /** Binds the transaction to this browser. Byte for byte. */
  readonly setCookies: readonly string[]
}

/** A sign-in that is complete. */
export interface CallbackResult {
  /** The public id of the new session. */
  readonly sessionId: string
  /** The provider's identifier for the person. */
  readonly subject: string
  /** The stable id of the person here. */
  readonly userId: string
  /** The provider that signed them in. */
  readonly providerId: string
  /** The return address that was checked when the sign-in began. */
  readonly returnTo: string
  /** Sets the session cookie and clears that of the transaction. Byte for byte. */
  readonly setCookies: readonly string[]
}

/** The redirect flow, for backends that have one. Plain data in and out; no HTTP objects. */
export interface InteractiveFlowPort {
  /**
   * Opens a transaction and says where to send the browser. `returnTo` is an address already checked
   * by the caller.
   * @throws AuthError `VALIDATION_ERROR` for an unknown provider or a scope that is not offered,
   * `AUTH_PROVIDER_ERROR`, `STORE_UNAVAILABLE`.
   */
  signIn(
    request: AuthnRequest,
    input: {
      providerId?: string
      returnTo: string
      loginHint?: string
      scopes?: readonly string[]
    },
  ): Promise<SignInResult>
  /**
   * Takes the transaction and completes the sign-in. The request is the one for the redirect URI, and
   * `query` its raw query: both must be what the sign-in gave to the provider.
   * @throws AuthError `AUTH_TRANSACTION_MISSING`, `AUTH_TRANSACTION_EXPIRED`, `AUTH_ACCESS_DENIED`,
   * `AUTH_USER_DISABLED`, `AUTH_PROVIDER_ERROR`, `STORE_UNAVAILABLE`.
   */
  handleCallback(request: AuthnRequest, query: URLSearchParams): Promise<CallbackResult>
  /** Takes a log-out ticket: the address of the provider and the cookies that go with it. */
  startLogout(
    request: AuthnRequest,
    ticket: string,
  ): Promise<{ redirectUrl: string; setCookies: readonly string[] }>
  /** Takes the state of a log-out: the return address and the cookies that go with it. */
  finishLogout(
    request: AuthnRequest,
    state: string,
  ): Promise<{ returnTo: string; setCookies: readonly string[] }>
}

/**
 * The contract that every auth backend implements. The HTTP surface is the same for all of them,
 * because nothing above this port knows which one is active.
 */
export interface AuthBackendPort {
  /** What `NETSCRIPT_AUTH_BACKEND`, a registry and `describe` call it. */
  readonly name: string
  /** Where people can sign in. */
  readonly providers: AuthProviderRegistryPort
  /** Ends and lists sessions. */
  readonly sessions: AuthSessionsPort
  /** Issues and opens the tokens in cookies. */
  readonly crypto: AuthSessionCryptoPort
  /** What works; what does not, throws `AuthBackendOperationUnsupportedError`. */
  readonly capabilities: AuthBackendCapabilities
  /** Present exactly when `capabilities.interactive` is true. */
  readonly interactive?: InteractiveFlowPort
  /**
   * Ends the sessions that a provider names in a logout token, which works once; says how many.
   * Present exactly when `capabilities.backChannelLogout` is true.
   * @throws AuthError `LOGOUT_TOKEN_INVALID`, `AUTH_PROVIDER_ERROR` when the provider's keys cannot
   * be had, `STORE_UNAVAILABLE`.
   */
  backChannelLogout?(logoutToken: string): Promise<{ ended: number }>
  /**
   * Where users sign in when the backend is not interactive: a URL or a path, to which pages link, or
   * words for developers.
   */
  readonly signInHint?: string
  /** Who the request is from. At most one store read; a write only past the refresh window. */
  authenticate(request: AuthnRequest): Promise<AuthnResult>
  /** Resolves when the backend can serve; rejects otherwise. Called by the readiness probe. */
  probe(): Promise<void>
  /** The number of live sessions, for metrics. Absent when it cannot be had with one cheap question. */
  countSessions?(): Promise<number>
  /** Releases what the backend opened itself. */
  close(): Promise<void>
}
