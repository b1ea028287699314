import type { AdmissionRules } from './admission.js'

/** The methods of client authentication (OpenID Connect Core section 9). */
export const CLIENT_AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const

/** How the client authenticates at the token endpoint (OpenID Connect Core section 9). */
type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number]

/**
 * Where a plain OAuth 2.0 provider has the data of a user in its user info response. Paths use dots for
 * nested members (`picture.data.url`, `images.0.url`).
 */
export interface UserInfoFields {
  /** Path of the stable id; numbers are converted to strings. */
  readonly subject: string
  /** Paths of the display name; the first with a text is used. */
  readonly displayName?: readonly string[]
  /** Path of the account name. */
  readonly username?: string
  /** Path of the e-mail address. @default none: no address is stored */
  readonly email?: string
  /** Path of a boolean; `true` if the provider returns only verified addresses. */
  readonly emailVerified?: string | true
  /** Path of the picture URL, or a URL with `{path}` placeholders. */
  readonly imageUrl?: string
}

/** How a provider is asked which account to link: by `prompt`, or not at all. */
type AccountPrompt = 'select_account' | 'login' | 'none'

/** Options of `defineOAuthProvider`. Either `issuer` or the first three endpoints are required. */
export interface OAuthProviderOptions {
  /**
   * The `providerId` of `signin`: lower-case letters, digits and hyphens, at most 64. It is stored with
   * accounts, and identifies a user of plain OAuth 2.0 together with the subject: never change it.
   */
  id: string
  /** The name to show. @default the id in title case */
  displayName?: string | undefined
  /** The client id at the provider. */
  clientId: string
  /** The client secret. @default none: a public client */
  clientSecret?: string | undefined
  /**
   * The issuer identifier, for discovery of the endpoints. Makes the provider `oidc`. Required without
   * explicit endpoints.
   */
  issuer?: string | undefined
  /** An alternative issuer of the metadata, with `{tenantid}`. @default none */
  issuerTemplate?: string | undefined
  /**
   * URL of the metadata, for providers such as Azure AD B2C that serve it elsewhere. The metadata must
   * contain `issuer`.
   * @default `/.well-known/openid-configuration` at the issuer
   */
  discoveryUrl?: string | undefined
  /** Explicit endpoints take precedence over discovered ones. @default discovered */
  authorizationEndpoint?: string | undefined
  /** @default discovered */
  tokenEndpoint?: string | undefined
  /** @default discovered */
  userInfoEndpoint?: string | undefined
  /** Without one, tokens are not revoked at sign-out. @default discovered */
  revocationEndpoint?: string | undefined
  /** Without one, users are not signed out at the provider. @default discovered */
  endSessionEndpoint?: string | undefined
  /** Endpoint that lists addresses as `[{ email, primary, verified }]`. @default none */
  emailsEndpoint?: string | undefined
  /** Endpoint that lists the organizations of the user as `[{ login }]`. @default none */
  organizationsEndpoint?: string | undefined
  /** Whether anyone can create an account at the provider. @default false */
  isPublic?: boolean | undefined
  /** Who may sign in. @default everyone with an account at the provider */
  admission?: AdmissionRules | undefined
  /** The redirect URI registered at the provider: the callback of this service. */
  redirectUri: string
  /** A list, or a string separated by spaces. @default 'openid profile email' */
  scopes?: string | readonly string[] | undefined
  /**
   * Scopes that a sign-in may request beyond `scopes`, for incremental consent. Other scopes are
   * refused. A session gets one of these only if the token response contains it.
   * @default none
   */
  additionalScopes?: string | readonly string[] | undefined
  /**
   * Path of the roles claim, such as `realm_access.roles`. A claim whose name is the full path takes
   * precedence. It is read from the id_token, else from the user info.
   * @default 'roles' of a sole provider, from standard claims only; none of several providers
   */
  rolesClaim?: string | undefined
  /**
   * Roles by the value of the claim, such as `{ 'group-id': 'admin' }`. Other values give no role.
   * @default the values are the roles
   */
  rolesMap?: Readonly<Record<string, string | readonly string[]>> | undefined
  /**
   * How the client authenticates at the token endpoint.
   * @default `none` without a secret; else `client_secret_basic` if the metadata lists it or lists
   * nothing, else `client_secret_post`
   */
  clientAuthMethod?: ClientAuthMethod | undefined
  /** False only for an OIDC client with a secret; then the nonce protects the code. @default true */
  pkce?: boolean | undefined
  /**
   * False for an OIDC provider that does not enforce `max_age` or return `auth_time`: a sign-in with
   * `maxAge` or `acrValues` is then refused. @default true with an issuer
   */
  stepUp?: boolean | undefined
  /**
   * The `prompt` that makes the provider ask for an account when one is linked. Providers may reject
   * values that they do not know.
   * @default for OpenID Connect 'select_account' if the metadata lists it, else 'login', which every
   * such provider knows; 'none' for plain OAuth 2.0
   */
  accountPrompt?: AccountPrompt | undefined
  /** Further parameters of the authorization request, except those of the protocol. @default none */
  extraAuthParams?: Readonly<Record<string, string>> | undefined
  /**
   * Parameters of the sign-out at the provider besides `client_id`, such as
   * `{ logout_uri: '{return_uri}' }`. `{return_uri}`, `{state}` and `{id_token}` are replaced.
   * @default those of OpenID Connect RP-Initiated Logout 1.0
   */
  signOutParams?: Readonly<Record<string, string>> | undefined
  /** @default standard claims; the subject is `sub` if the scopes include `openid`, else `id` */
  userInfoFields?: UserInfoFields | undefined
}

/** An OAuth 2.0 or OpenID Connect provider: frozen data, created by `defineOAuthProvider`. */
export interface OAuthProvider {
  /** The `providerId` of `signin`. For plain OAuth 2.0, it identifies a user together with the subject. */
  readonly id: string
  /** Name to show. */
  readonly displayName: string
  /** `oidc` exactly when there is an issuer, so that id_tokens can be verified. */
  readonly kind: 'oidc' | 'oauth'
  /** The client id at the provider. */
  readonly clientId: string
  /** Absent for a public client. */
  readonly clientSecret?: string
  /** The issuer identifier, exactly as the provider writes it. */
  readonly issuer?: string
  /** An alternative issuer of the metadata, with `{tenantid}` for the tenant of the user. */
  readonly issuerTemplate?: string
  /** URL of the metadata. Absent for `/.well-known/openid-configuration` at the issuer. */
  readonly discoveryUrl?: string
  /** The authorization endpoint. Absent if discovered. */
  readonly authorizationEndpoint?: string
  /** The token endpoint. Absent if discovered. */
  readonly tokenEndpoint?: string
  /** The user info endpoint. Absent if discovered. */
  readonly userInfoEndpoint?: string
  /** The revocation endpoint (RFC 7009). Absent if discovered or missing. */
  readonly revocationEndpoint?: string
  /** The end session endpoint (RP-Initiated Logout 1.0). Absent if discovered or missing. */
  readonly endSessionEndpoint?: string
  /** Endpoint that lists the addresses of the user as `[{ email, primary, verified }]`. */
  readonly emailsEndpoint?: string
  /** Endpoint that lists the organizations of the user as `[{ login }]`. */
  readonly organizationsEndpoint?: string
  /** Whether anyone can create an account at the provider. */
  readonly isPublic?: true
  /** Who may sign in. Absent for everyone with an account at the provider. */
  readonly admission?: AdmissionRules
  /** The redirect URI, exactly as registered at the provider. */
  readonly redirectUri: string
  /** The scopes of a sign-in that requests none. */
  readonly scopes: readonly string[]
  /** Scopes that a sign-in may request beyond `scopes`. */
  readonly additionalScopes: readonly string[]
  /** Path of the roles claim. Absent for the claim `roles`, which counts at a sole provider only. */
  readonly rolesClaim?: string
  /** Roles by the value of the claim. Absent where the values are the roles. */
  readonly rolesMap?: Readonly<Record<string, readonly string[]>>
  /** Set by the backend when it has several providers. */
  readonly isOneOfSeveral?: true
  /**
   * How the client authenticates at the token endpoint. If the metadata does not list it, the other
   * method with a secret is used, unless `clientAuthMethodIsExplicit`.
   */
  readonly clientAuthMethod: ClientAuthMethod
  /** True if the operator set the method, which then takes precedence over the metadata. */
  readonly clientAuthMethodIsExplicit?: true
  /** The `prompt` with which it asks for the account to link. Absent for the default of its kind. */
  readonly accountPrompt?: AccountPrompt
  /** Whether the authorization request has an S256 challenge (RFC 7636). */
  readonly pkce: boolean
  /** Whether the provider enforces `max_age` and returns `auth_time` (OpenID Connect Core 3.1.2.1). */
  readonly stepUp: boolean
  /** Further parameters of the authorization request. */
  readonly authorizationParams: Readonly<Record<string, string>>
  /** Parameters of the sign-out at the provider. Absent for those of OpenID Connect. */
  readonly signOutParams?: Readonly<Record<string, string>>
  /** Used if `kind` is `oauth`. */
  readonly userInfoFields: UserInfoFields
}
