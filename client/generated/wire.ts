// Written by `npm run openapi` from the contract. Do not edit.

interface components {
  schemas: {
    /**
     * @description The provider accounts of the caller.
     * @example {
     *       "accounts": [
     *         {
     *           "id": "0198f3c2-7a51-7b1e-9d53-3a5f4f1f0f5b",
     *           "providerId": "google",
     *           "subject": "110248495921238986420",
     *           "createdAt": "2026-01-05T09:00:00.000Z",
     *           "lastSignInAt": "2026-02-01T08:30:00.000Z",
     *           "current": true
     *         },
     *         {
     *           "id": "0198f3d0-1c44-7d0a-8f5e-6f0d2b9a7c11",
     *           "providerId": "github",
     *           "subject": "583231",
     *           "createdAt": "2026-02-01T08:31:00.000Z",
     *           "lastSignInAt": "2026-02-01T08:31:00.000Z",
     *           "current": false
     *         }
     *       ]
     *     }
     */
    AccountsResponse: {
      /** @description Every account of the user, the oldest first. */
      accounts: components['schemas']['LinkedAccount'][]
    }
    /** @description There is no session. */
    Anonymous: {
      /**
       * @description There is no session.
       * @constant
       * @enum {boolean}
       */
      authenticated: false
    }
    /** @description A signed-in session. */
    AuthSession: {
      /** @description Public id of the session; it is not a credential. */
      id: string
      /** @description Stable id of the user, the same at every sign-in. */
      userId: string
      /** @description The provider's subject identifier for the user. */
      subject: string
      /** @description The provider that signed the user in. */
      providerId?: string | undefined
      /**
       * @description Whether the session can be used.
       * @enum {string}
       */
      state: 'active' | 'expired' | 'revoked'
      /** @description Scopes that the provider granted. */
      scopes: string[]
      /** @description Roles of the user; empty when the backend has none. */
      roles: string[]
      /** @description Identity claims from a fixed allow-list; never tokens. */
      claims: {
        [key: string]: unknown
      }
      /**
       * Format: date-time
       * @description When the user signed in.
       */
      issuedAt: string
      /**
       * Format: date-time
       * @description When the session ends if it is not used again.
       */
      expiresAt: string
      /**
       * Format: date-time
       * @description When the user authenticated at the provider (auth_time); absent if it did not say.
       */
      authTime?: string | undefined
      /** @description Authentication context class of the sign-in (acr); absent if the provider sent none. */
      acr?: string | undefined
      /**
       * Format: date-time
       * @description When the session was last extended.
       */
      refreshedAt?: string | undefined
      /**
       * Format: date-time
       * @description When the session was ended early.
       */
      revokedAt?: string | undefined
    }
    /** @description A signed-in user. */
    AuthUser: {
      /** @description Stable id of the user. */
      id: string
      /** @description Name to show. */
      displayName?: string | undefined
      /** @description E-mail address; it does not identify a user. */
      email?: string | undefined
      /** @description Whether the provider verified the address. */
      emailVerified?: boolean | undefined
      /** @description URL of a picture. */
      imageUrl?: string | undefined
      /** @description Further claims of the user. */
      claims?:
        | {
            [key: string]: unknown
          }
        | undefined
    }
    /** @description The session of the caller. */
    AuthenticatedSession: {
      /**
       * @description A user is signed in.
       * @constant
       * @enum {boolean}
       */
      authenticated: true
      session: components['schemas']['AuthSession']
    }
    /** @description The caller and their session. */
    AuthenticatedUser: {
      /**
       * @description A user is signed in.
       * @constant
       * @enum {boolean}
       */
      authenticated: true
      user: components['schemas']['AuthUser']
      session: components['schemas']['AuthSession']
    }
    /** @description What the active backend can do. */
    BackendCapabilities: {
      /** @description signin and callback work here. */
      interactive: boolean
      /** @description Users can list their sessions. */
      listSessions: boolean
      /** @description Users can end their sessions, one or all. */
      revokeSessions: boolean
      /** @description Sessions are extended while they are used. */
      refresh: boolean
      /** @description signout can return a logoutUrl. */
      providerLogout: boolean
      /** @description The backend can return a session's access token of the provider. */
      providerTokens?: boolean | undefined
      /** @description A provider can end sessions with a logout token. */
      backChannelLogout: boolean
      /** @description Users can link, list and remove provider accounts. */
      linkAccounts: boolean
      /** @description Users can export and delete what is stored about them. */
      selfService: boolean
    }
    /**
     * @description A completed sign-in.
     * @example {
     *       "completed": true,
     *       "redirectTo": "http://localhost:8094/",
     *       "subject": "ada"
     *     }
     */
    CallbackResponse: {
      /**
       * @description The sign-in is complete; the session cookie is set, unless an account was linked.
       * @constant
       * @enum {boolean}
       */
      completed: true
      /** @description The validated return address of the sign-in. */
      redirectTo: string
      /** @description The provider's subject identifier for the user. */
      subject: string
    }
    /**
     * @description The caller has been deleted.
     * @example {
     *       "deleted": true
     *     }
     */
    DeletedResponse: {
      /**
       * @description The user and all sessions are gone.
       * @constant
       * @enum {boolean}
       */
      deleted: true
    }
    /**
     * @description The active backend and what it can do.
     * @example {
     *       "backend": "kv-oauth",
     *       "capabilities": {
     *         "interactive": true,
     *         "listSessions": true,
     *         "revokeSessions": true,
     *         "refresh": true,
     *         "providerLogout": true,
     *         "providerTokens": true,
     *         "backChannelLogout": true,
     *         "linkAccounts": true,
     *         "selfService": true
     *       },
     *       "tokens": true,
     *       "providers": [
     *         {
     *           "id": "google",
     *           "displayName": "Google",
     *           "kind": "oidc"
     *         }
     *       ]
     *     }
     */
    DescribeResponse: {
      /** @description Name of the active backend. */
      backend: string
      capabilities: components['schemas']['BackendCapabilities']
      /** @description POST /token issues tokens for other services. */
      tokens: boolean
      /** @description In the order to show them. */
      providers: components['schemas']['ProviderDescription'][]
      /** @description Where to sign in when it is not interactive. */
      signInHint?: string | undefined
    }
    /** @description What the caller lacks. */
    ForbiddenData: {
      /** @description Scopes that the caller has not been granted. */
      missingScopes: string[]
      /** @description Roles that the caller does not have. */
      missingRoles: string[]
    }
    /** @description A provider account of the caller. */
    LinkedAccount: {
      /** @description Id of the account here. */
      id: string
      /** @description The provider of the account. */
      providerId: string
      /** @description The provider's subject identifier for the user. */
      subject: string
      /**
       * Format: date-time
       * @description When the account was linked, as an ISO 8601 instant in UTC.
       */
      createdAt: string
      /**
       * Format: date-time
       * @description When the user last signed in with it, likewise.
       */
      lastSignInAt: string
      /** @description Whether the current session was made with it. */
      current: boolean
    }
    /** @description The caller, if they are signed in. */
    MeResponse: components['schemas']['Anonymous'] | components['schemas']['AuthenticatedUser']
    /** @description A provider of the active backend. */
    ProviderDescription: {
      /** @description The providerId to pass to signin. */
      id: string
      /** @description Name to show. */
      displayName: string
      /**
       * @description The protocol of the provider.
       * @enum {string}
       */
      kind: 'oauth' | 'oidc' | 'saml' | 'credentials' | 'custom'
      /** @description Whether signin takes maxAge and acrValues here. */
      stepUp?: boolean | undefined
    }
    /** @description How recent a sign-in must be. */
    RecentSignInData: {
      /** @description Maximum seconds since the user authenticated. */
      maxAge: number
      /** @description Context classes, of which one suffices. */
      acrValues?: string[] | undefined
      /** @description The sign-in to start. Add redirectTo. */
      signin?: components['schemas']['RequiredSignIn'] | undefined
    }
    /** @description The sign-in that meets a requirement. */
    RequiredSignIn: {
      /** @description The provider of the session. */
      providerId?: string | undefined
      /** @description Absent if the provider cannot verify it. */
      maxAge?: number | undefined
      /** @description Context classes, of which one suffices. */
      acrValues?: string[] | undefined
    }
    /**
     * @description The number of sessions that were ended.
     * @example {
     *       "revoked": 1
     *     }
     */
    RevokedResponse: {
      /** @description How many sessions were ended. */
      revoked: number
    }
    /** @description The session of the caller, if there is one. */
    SessionResponse:
      components['schemas']['Anonymous'] | components['schemas']['AuthenticatedSession']
    /** @description A session of the caller in their session list. */
    SessionSummary: {
      session: components['schemas']['AuthSession']
      /** @description Whether the request was made with this session. */
      current: boolean
      /** @description The User-Agent header of the sign-in. */
      userAgent?: string | undefined
    }
    /** @description The sessions of the caller. */
    SessionsResponse: {
      /** @description Live sessions, newest first. */
      sessions: components['schemas']['SessionSummary'][]
      /** @description Gets the next page; absent on the last one. Ended sessions do not change it. */
      cursor?: string | undefined
    }
    /**
     * @description How to sign in.
     * @example {
     *       "redirectTo": "/"
     *     }
     */
    SigninInput: {
      /** @description Which provider to use. Default: the first one configured. */
      providerId?: string | undefined
      /** @description Where to send the browser afterwards: a path, or a URL on an allowed origin. */
      redirectTo?: string | undefined
      /** @description Passed to the provider as login_hint (OpenID Connect Core 3.1.2.1). */
      loginHint?: string | undefined
      /** @description Scopes to request: any that are configured for the provider or that callers may add. Others are refused. With redirectTo at most 2048 characters. Default: the provider's configured scopes. */
      scopes?: string[] | undefined
      /**
       * @description What the provider should ask the user for, even if it need not.
       * @enum {string}
       */
      prompt?: ('login' | 'consent' | 'select_account') | undefined
      /** @description Maximum seconds since the provider authenticated the user; 0 asks for it now. The callback verifies it. Only at providers with stepUp in GET /describe. */
      maxAge?: number | undefined
      /** @description Authentication context classes, the preferred one first. The callback verifies that the provider used one of them. Only at providers with stepUp. */
      acrValues?: string[] | undefined
      /** @description Languages for the pages of the provider, the preferred one first. */
      uiLocales?: string[] | undefined
      /** @description Adds the account at the provider to the signed-in user instead of signing in with it; the session stays. Needs a sign-in at most five minutes old. Default: false. */
      link?: boolean | undefined
    }
    /**
     * @description A sign-in that waits for the browser.
     * @example {
     *       "started": true,
     *       "providerId": "local",
     *       "redirectUrl": "http://localhost:9094/auth?client_id=netscript&response_type=code",
     *       "state": "Zr6FQ0Yq0m1c1wEoUQb3bW0cPp1Wb0m3qV6m2o0x7aA"
     *     }
     */
    SigninResponse: {
      /**
       * @description A sign-in transaction is open for this browser.
       * @constant
       * @enum {boolean}
       */
      started: true
      /** @description The provider that was chosen. */
      providerId: string
      /**
       * Format: uri
       * @description Send the browser here; the transaction lives ten minutes.
       */
      redirectUrl: string
      /** @description The state parameter of the transaction. */
      state: string
    }
    /**
     * @description How to sign out.
     * @example {
     *       "everywhere": false,
     *       "redirectTo": "/"
     *     }
     */
    SignoutInput: {
      /** @description Also end all other sessions of the same user. Default: false. */
      everywhere?: boolean | undefined
      /** @description Where to send the browser afterwards: a path, or a URL on an allowed origin. */
      redirectTo?: string | undefined
    }
    /**
     * @description The session has ended.
     * @example {
     *       "signedOut": true,
     *       "redirectTo": "http://localhost:8094/",
     *       "logoutUrl": "http://localhost:8094/api/v1/auth/logout?ticket=pGm0X1uVhXo3v0mR3n6o4cS2q7m8w1kY5t9z0b1d2eE"
     *     }
     */
    SignoutResponse: {
      /**
       * @description No session of this browser is left.
       * @constant
       * @enum {boolean}
       */
      signedOut: true
      /** @description The validated return address, when one was given. */
      redirectTo?: string | undefined
      /**
       * Format: uri
       * @description Open it within 60 seconds, in this browser, to sign out at the provider too.
       */
      logoutUrl?: string | undefined
    }
    /** @description An event of the audit trail about the caller. */
    StoredEvent: {
      /**
       * Format: date-time
       * @description When it happened.
       */
      at: string
      /** @description What happened, such as sign-in.completed. */
      type: string
      /** @description The provider, if there was one. */
      providerId?: string | undefined
      /** @description The public id of the session. */
      sessionId?: string | undefined
      /** @description Why it happened. */
      reason?: string | undefined
    }
    /** @description The user. */
    StoredProfile: {
      /** @description Stable id of the user. */
      id: string
      /** @description Name to show. */
      displayName?: string | undefined
      /** @description E-mail address. */
      email?: string | undefined
      /** @description Whether the provider verified it. */
      emailVerified?: boolean | undefined
      /** @description URL of a picture. */
      imageUrl?: string | undefined
      /** @description Roles that the operator gave. */
      roles: string[]
      /**
       * Format: date-time
       * @description When the user first signed in.
       */
      createdAt: string
    }
    /**
     * @description What is stored about the caller. Tokens of providers are left out.
     * @example {
     *       "exportedAt": "2026-02-01T08:40:00.000Z",
     *       "user": {
     *         "id": "0198f3c2-7a51-7b1e-9d53-3a5f4f1f0f5b",
     *         "displayName": "Ada Lovelace",
     *         "email": "ada@example.com",
     *         "emailVerified": true,
     *         "roles": [],
     *         "createdAt": "2026-01-05T09:00:00.000Z"
     *       },
     *       "accounts": [],
     *       "sessions": [],
     *       "events": [
     *         {
     *           "at": "2026-01-05T09:00:00.000Z",
     *           "type": "sign-in.completed",
     *           "providerId": "google"
     *         }
     *       ]
     *     }
     */
    StoredUser: {
      /**
       * Format: date-time
       * @description When this was read.
       */
      exportedAt: string
      user: components['schemas']['StoredProfile']
      /** @description The provider accounts of the user. */
      accounts: components['schemas']['LinkedAccount'][]
      /** @description The live sessions, with their claims. */
      sessions: components['schemas']['SessionSummary'][]
      /** @description The newest 1000 events of the audit trail. */
      events: components['schemas']['StoredEvent'][]
    }
    /**
     * @description The audience of the token.
     * @example {
     *       "audience": "https://orders.example.com"
     *     }
     */
    TokenInput: {
      /** @description The service that will accept the token. The operator configures the allowed audiences. */
      audience: string
    }
    /**
     * @description A signed access token of the caller.
     * @example {
     *       "token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk4ZjNjMi03YTUxIn0.c2lnbmF0dXJl",
     *       "tokenType": "Bearer",
     *       "expiresAt": "2026-01-05T09:05:00.000Z"
     *     }
     */
    TokenResponse: {
      /** @description A JWT access token (RFC 9068), valid only for its audience. */
      token: string
      /**
       * @description How to send it (RFC 6750).
       * @constant
       * @enum {string}
       */
      tokenType: 'Bearer'
      /**
       * Format: date-time
       * @description ISO 8601 instant in UTC; request a new token before then.
       */
      expiresAt: string
    }
    /**
     * @description The account has been removed.
     * @example {
     *       "unlinked": true,
     *       "revoked": 1,
     *       "signedOut": false
     *     }
     */
    UnlinkedResponse: {
      /**
       * @description The account no longer belongs to the user.
       * @constant
       * @enum {boolean}
       */
      unlinked: true
      /** @description How many sessions that were made with it have ended. */
      revoked: number
      /** @description Whether the current session was one of them. */
      signedOut: boolean
    }
    /** @description The authorization response of the provider. */
    CallbackQuery: {
      /** @description The authorization code. */
      code?: string | undefined
      /** @description The state of the transaction. */
      state?: string | undefined
      /** @description The issuer (RFC 9207). */
      iss?: string | undefined
      /** @description Why the provider refused. */
      error?: string | undefined
      /** @description The provider's explanation. */
      error_description?: string | undefined
      /** @description Part of the redirect URI where one was registered with it. */
      provider?: string | undefined
    }
    SessionsQuery: {
      /** @description Sessions per page. Default: 100. */
      limit?: number | undefined
      /** @description The cursor of the page before. Default: the first page. */
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
