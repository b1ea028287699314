// Written by `npm run openapi` from the contract. Do not edit.

interface components {
  schemas: {
    /** The provider accounts of the caller. */
    AccountsResponse: {
      /** Every account of the user, the oldest first. */
      accounts: components['schemas']['LinkedAccount'][]
    }
    /** There is no session. */
    Anonymous: {
      /** There is no session. */
      authenticated: false
    }
    /** A signed-in session. */
    AuthSession: {
      /** Public id of the session; it is not a credential. */
      id: string
      /** Stable id of the user, the same at every sign-in. */
      userId: string
      /** The provider's subject identifier for the user. */
      subject: string
      /** The provider that signed the user in. */
      providerId?: string | undefined
      /** Whether the session can be used. */
      state: 'active' | 'expired' | 'revoked'
      /** Scopes that the provider granted. */
      scopes: string[]
      /** Roles of the user; empty when the backend has none. */
      roles: string[]
      /** Identity claims from a fixed allow-list; never tokens. */
      claims: {
        [key: string]: unknown
      }
      /** When the user signed in. Format: date-time. */
      issuedAt: string
      /** When the session ends if it is not used again. Format: date-time. */
      expiresAt: string
      /** When the user authenticated at the provider (auth_time); absent if it did not say. Format: date-time. */
      authTime?: string | undefined
      /** Authentication context class of the sign-in (acr); absent if the provider sent none. */
      acr?: string | undefined
      /** When the session was last extended. Format: date-time. */
      refreshedAt?: string | undefined
      /** When the session was ended early. Format: date-time. */
      revokedAt?: string | undefined
    }
    /** A signed-in user. */
    AuthUser: {
      /** Stable id of the user. */
      id: string
      /** Name to show. */
      displayName?: string | undefined
      /** E-mail address; it does not identify a user. */
      email?: string | undefined
      /** Whether the provider verified the address. */
      emailVerified?: boolean | undefined
      /** URL of a picture. */
      imageUrl?: string | undefined
      /** Further claims of the user. */
      claims?:
        | {
            [key: string]: unknown
          }
        | undefined
    }
    /** The session of the caller. */
    AuthenticatedSession: {
      /** A user is signed in. */
      authenticated: true
      session: components['schemas']['AuthSession']
    }
    /** The caller and their session. */
    AuthenticatedUser: {
      /** A user is signed in. */
      authenticated: true
      user: components['schemas']['AuthUser']
      session: components['schemas']['AuthSession']
    }
    /** What the active backend can do. */
    BackendCapabilities: {
      /** signin and callback work here. */
      interactive: boolean
      /** Users can list their sessions. */
      listSessions: boolean
      /** Users can end their sessions, one or all. */
      revokeSessions: boolean
      /** Sessions are extended while they are used. */
      refresh: boolean
      /** signout can return a logoutUrl. */
      providerLogout: boolean
      /** The backend can return a session's access token of the provider. */
      providerTokens?: boolean | undefined
      /** A provider can end sessions with a logout token. */
      backChannelLogout: boolean
      /** Users can link, list and remove provider accounts. */
      linkAccounts: boolean
      /** Users can export and delete what is stored about them. */
      selfService: boolean
    }
    /** A completed sign-in. */
    CallbackResponse: {
      /** The sign-in is complete; the session cookie is set, unless an account was linked. */
      completed: true
      /** The validated return address of the sign-in. */
      redirectTo: string
      /** The provider's subject identifier for the user. */
      subject: string
    }
    /** The caller has been deleted. */
    DeletedResponse: {
      /** The user and all sessions are gone. */
      deleted: true
    }
    /** The active backend and what it can do. */
    DescribeResponse: {
      /** Name of the active backend. */
      backend: string
      capabilities: components['schemas']['BackendCapabilities']
      /** POST /token issues tokens for other services. */
      tokens: boolean
      /** In the order to show them. */
      providers: components['schemas']['ProviderDescription'][]
      /** Where to sign in when it is not interactive. */
      signInHint?: string | undefined
    }
    /** What the caller lacks. */
    ForbiddenData: {
      /** Scopes that the caller has not been granted. */
      missingScopes: string[]
      /** Roles that the caller does not have. */
      missingRoles: string[]
    }
    /** A provider account of the caller. */
    LinkedAccount: {
      /** Id of the account here. */
      id: string
      /** The provider of the account. */
      providerId: string
      /** The provider's subject identifier for the user. */
      subject: string
      /** When the account was linked, as an ISO 8601 instant in UTC. Format: date-time. */
      createdAt: string
      /** When the user last signed in with it, likewise. Format: date-time. */
      lastSignInAt: string
      /** Whether the current session was made with it. */
      current: boolean
    }
    /** The caller, if they are signed in. */
    MeResponse: components['schemas']['Anonymous'] | components['schemas']['AuthenticatedUser']
    /** A provider of the active backend. */
    ProviderDescription: {
      /** The providerId to pass to signin. */
      id: string
      /** Name to show. */
      displayName: string
      /** The protocol of the provider. */
      kind: 'oauth' | 'oidc' | 'saml' | 'credentials' | 'custom'
      /** Whether signin takes maxAge and acrValues here. */
      stepUp?: boolean | undefined
    }
    /** How recent a sign-in must be. */
    RecentSignInData: {
      /** Maximum seconds since the user authenticated. */
      maxAge: number
      /** Context classes, of which one suffices. */
      acrValues?: string[] | undefined
      /** The sign-in to start. Add redirectTo. */
      signin?: components['schemas']['RequiredSignIn'] | undefined
    }
    /** The sign-in that meets a requirement. */
    RequiredSignIn: {
      /** The provider of the session. */
      providerId?: string | undefined
      /** Absent if the provider cannot verify it. */
      maxAge?: number | undefined
      /** Context classes, of which one suffices. */
      acrValues?: string[] | undefined
    }
    /** The number of sessions that were ended. */
    RevokedResponse: {
      /** How many sessions were ended. */
      revoked: number
    }
    /** The session of the caller, if there is one. */
    SessionResponse:
      components['schemas']['Anonymous'] | components['schemas']['AuthenticatedSession']
    /** A session of the caller in their session list. */
    SessionSummary: {
      session: components['schemas']['AuthSession']
      /** Whether the request was made with this session. */
      current: boolean
      /** The User-Agent header of the sign-in. */
      userAgent?: string | undefined
    }
    /** The sessions of the caller. */
    SessionsResponse: {
      /** Live sessions, newest first. */
      sessions: components['schemas']['SessionSummary'][]
      /** Gets the next page; absent on the last one. Ended sessions do not change it. */
      cursor?: string | undefined
    }
    /** How to sign in. */
    SigninInput: {
      /** Which provider to use. Default: the first one configured. */
      providerId?: string | undefined
      /** Where to send the browser afterwards: a path, or a URL on an allowed origin. */
      redirectTo?: string | undefined
      /** Passed to the provider as login_hint (OpenID Connect Core 3.1.2.1). */
      loginHint?: string | undefined
      /** Scopes to request: any that are configured for the provider or that callers may add. Others are refused. With redirectTo at most 2048 characters. Default: the provider's configured scopes. */
      scopes?: string[] | undefined
      /** What the provider should ask the user for, even if it need not. */
      prompt?: ('login' | 'consent' | 'select_account') | undefined
      /** Maximum seconds since the provider authenticated the user; 0 asks for it now. The callback verifies it. Only at providers with stepUp in GET /describe. */
      maxAge?: number | undefined
      /** Authentication context classes, the preferred one first. The callback verifies that the provider used one of them. Only at providers with stepUp. */
      acrValues?: string[] | undefined
      /** Languages for the pages of the provider, the preferred one first. */
      uiLocales?: string[] | undefined
      /** Adds the account at the provider to the signed-in user instead of signing in with it; the session stays. Needs a sign-in at most five minutes old. Default: false. */
      link?: boolean | undefined
    }
    /** A sign-in that waits for the browser. */
    SigninResponse: {
      /** A sign-in transaction is open for this browser. */
      started: true
      /** The provider that was chosen. */
      providerId: string
      /** Send the browser here; the transaction lives ten minutes. Format: uri. */
      redirectUrl: string
      /** The state parameter of the transaction. */
      state: string
    }
    /** How to sign out. */
    SignoutInput: {
      /** Also end all other sessions of the same user. Default: false. */
      everywhere?: boolean | undefined
      /** Where to send the browser afterwards: a path, or a URL on an allowed origin. */
      redirectTo?: string | undefined
    }
    /** The session has ended. */
    SignoutResponse: {
      /** No session of this browser is left. */
      signedOut: true
      /** The validated return address, when one was given. */
      redirectTo?: string | undefined
      /** Open it within 60 seconds, in this browser, to sign out at the provider too. Format: uri. */
      logoutUrl?: string | undefined
    }
    /** An event of the audit trail about the caller. */
    StoredEvent: {
      /** When it happened. Format: date-time. */
      at: string
      /** What happened, such as sign-in.completed. */
      type: string
      /** The provider, if there was one. */
      providerId?: string | undefined
      /** The public id of the session. */
      sessionId?: string | undefined
      /** Why it happened. */
      reason?: string | undefined
    }
    /** The user. */
    StoredProfile: {
      /** Stable id of the user. */
      id: string
      /** Name to show. */
      displayName?: string | undefined
      /** E-mail address. */
      email?: string | undefined
      /** Whether the provider verified it. */
      emailVerified?: boolean | undefined
      /** URL of a picture. */
      imageUrl?: string | undefined
      /** Roles that the operator gave. */
      roles: string[]
      /** When the user first signed in. Format: date-time. */
      createdAt: string
    }
    /** What is stored about the caller. Tokens of providers are left out. */
    StoredUser: {
      /** When this was read. Format: date-time. */
      exportedAt: string
      user: components['schemas']['StoredProfile']
      /** The provider accounts of the user. */
      accounts: components['schemas']['LinkedAccount'][]
      /** The live sessions, with their claims. */
      sessions: components['schemas']['SessionSummary'][]
      /** The newest 1000 events of the audit trail. */
      events: components['schemas']['StoredEvent'][]
    }
    /** The audience of the token. */
    TokenInput: {
      /** The service that will accept the token. The operator configures the allowed audiences. */
      audience: string
    }
    /** A signed access token of the caller. */
    TokenResponse: {
      /** A JWT access token (RFC 9068), valid only for its audience. */
      token: string
      /** How to send it (RFC 6750). */
      tokenType: 'Bearer'
      /** ISO 8601 instant in UTC; request a new token before then. Format: date-time. */
      expiresAt: string
    }
    /** The account has been removed. */
    UnlinkedResponse: {
      /** The account no longer belongs to the user. */
      unlinked: true
      /** How many sessions that were made with it have ended. */
      revoked: number
      /** Whether the current session was one of them. */
      signedOut: boolean
    }
    /** The authorization response of the provider. */
    CallbackQuery: {
      /** The authorization code. */
      code?: string | undefined
      /** The state of the transaction. */
      state?: string | undefined
      /** The issuer (RFC 9207). */
      iss?: string | undefined
      /** Why the provider refused. */
      error?: string | undefined
      /** The provider's explanation. */
      error_description?: string | undefined
      /** Part of the redirect URI where one was registered with it. */
      provider?: string | undefined
    }
    SessionsQuery: {
      /** Sessions per page. Default: 100. */
      limit?: number | undefined
      /** The cursor of the page before. Default: the first page. */
      cursor?: string | undefined
    }
  }
  responses: never
  parameters: never
  requestBodies: never
  headers: never
  pathItems: never
}
export type AccountsResponse = components['schemas']['AccountsResponse']
export type Anonymous = components['schemas']['Anonymous']
export type AuthSession = components['schemas']['AuthSession']
export type AuthUser = components['schemas']['AuthUser']
export type AuthenticatedSession = components['schemas']['AuthenticatedSession']
export type AuthenticatedUser = components['schemas']['AuthenticatedUser']
export type BackendCapabilities = components['schemas']['BackendCapabilities']
export type CallbackResponse = components['schemas']['CallbackResponse']
export type DeletedResponse = components['schemas']['DeletedResponse']
export type DescribeResponse = components['schemas']['DescribeResponse']
export type ForbiddenData = components['schemas']['ForbiddenData']
export type LinkedAccount = components['schemas']['LinkedAccount']
export type MeResponse = components['schemas']['MeResponse']
export type ProviderDescription = components['schemas']['ProviderDescription']
export type RecentSignInData = components['schemas']['RecentSignInData']
export type RequiredSignIn = components['schemas']['RequiredSignIn']
export type RevokedResponse = components['schemas']['RevokedResponse']
export type SessionResponse = components['schemas']['SessionResponse']
export type SessionSummary = components['schemas']['SessionSummary']
export type SessionsResponse = components['schemas']['SessionsResponse']
export type SigninInput = components['schemas']['SigninInput']
export type SigninResponse = components['schemas']['SigninResponse']
export type SignoutInput = components['schemas']['SignoutInput']
export type SignoutResponse = components['schemas']['SignoutResponse']
export type StoredEvent = components['schemas']['StoredEvent']
export type StoredProfile = components['schemas']['StoredProfile']
export type StoredUser = components['schemas']['StoredUser']
export type TokenInput = components['schemas']['TokenInput']
export type TokenResponse = components['schemas']['TokenResponse']
export type UnlinkedResponse = components['schemas']['UnlinkedResponse']
export type CallbackQuery = components['schemas']['CallbackQuery']
export type SessionsQuery = components['schemas']['SessionsQuery']
