import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { isClaimPath } from './roles.js'

/** The methods of client authentication (OpenID Connect Core section 9). */
export const CLIENT_AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const

/** How the client authenticates at the token endpoint (OpenID Connect Core section 9). */
export type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number]

/**
 * Where a plain OAuth 2.0 provider keeps a person's data in its user info response. A path names
 * nested members with dots (`picture.data.url`, `images.0.url`).
 */
export interface UserInfoFields {
  /** Path of the stable id; a number becomes text. */
  readonly subject: string
  /** Paths of the name to show; the first that holds text wins. */
  readonly displayName?: readonly string[]
  /** Path of the account name. */
  readonly username?: string
  /** Path of the e-mail address. Default: none is kept. */
  readonly email?: string
  /** Path of a boolean; `true` when the provider hands out verified addresses only. */
  readonly emailVerified?: string | true
  /** Path of the picture's URL, or a URL with `{path}` placeholders. */
  readonly imageUrl?: string
}

/** An OAuth 2.0 or OpenID Connect provider: frozen plain data, made by {@link defineOAuthProvider}. */
export interface OAuthProvider {
  /** What `signin` takes as `providerId`. With the subject it names a person. */
  readonly id: string
  /** Name to show. */
  readonly displayName: string
  /** `oidc` exactly when there is an issuer to verify an id_token against. */
  readonly kind: 'oidc' | 'oauth'
  /** The client id at the provider. */
  readonly clientId: string
  /** Absent for a public client. */
  readonly clientSecret?: string
  /** The issuer identifier, exactly as the provider writes it. */
  readonly issuer?: string
  /** The issuer that the metadata may name instead, with `{tenantid}` for the tenant of the user. */
  readonly issuerTemplate?: string
  /** The URL of the metadata. Absent when it is `/.well-known/openid-configuration` at the issuer. */
  readonly discoveryUrl?: string
  /** Where people sign in. Absent when it is discovered. */
  readonly authorizationEndpoint?: string
  /** Where codes become tokens. Absent when it is discovered. */
  readonly tokenEndpoint?: string
  /** Where the person is described. Absent when it is discovered. */
  readonly userInfoEndpoint?: string
  /** Where tokens are revoked (RFC 7009). Absent when it is discovered, or there is none. */
  readonly revocationEndpoint?: string
  /** Where people sign out (OpenID Connect RP-Initiated Logout 1.0). Absent like the last one. */
  readonly endSessionEndpoint?: string
  /** Lists the person's addresses as `[{ email, primary, verified }]`. */
  readonly emailsEndpoint?: string
  /** The address registered at the provider, to the letter. */
  readonly redirectUri: string
  /** The scopes to request when a sign-in names none. */
  readonly scopes: readonly string[]
  /** Scopes that a sign-in may request beyond `scopes`. */
  readonly additionalScopes: readonly string[]
  /** Path of the claim of roles. Absent: the claim `roles`, where it is sent. */
  readonly rolesClaim?: string
  /**
   * How the client authenticates at the token endpoint. Metadata that does not list it chooses
   * between the two methods that send the secret, unless `clientAuthMethodIsExplicit`.
   */
  readonly clientAuthMethod: ClientAuthMethod
  /** True when the operator set the method, which then wins over the metadata; absent otherwise. */
  readonly clientAuthMethodIsExplicit?: true
  /** Whether the authorization request carries an S256 challenge (RFC 7636). */
  readonly pkce: boolean
  /** Further parameters of the authorization request. */
  readonly authorizationParams: Readonly<Record<string, string>>
  /** Parameters of the sign-out at the provider. Absent: those of OpenID Connect. */
  readonly signOutParams?: Readonly<Record<string, string>>
  /** Used when `kind` is `oauth`. */
  readonly userInfoFields: UserInfoFields
}

/** What {@link defineOAuthProvider} takes. Either `issuer` or the three endpoints are required. */
export interface OAuthProviderOptions {
  /** Lower-case letters, digits and hyphens, at most 64. Part of every account: never change it. */
  id: string
  /** Default: the id in title case. */
  displayName?: string | undefined
  /** The client id at the provider. */
  clientId: string
  /** Default: none, the client is a public one. */
  clientSecret?: string | undefined
  /**
   * The issuer identifier, from which the endpoints are discovered. Makes the provider `oidc`.
   * Required without the three endpoints.
   */
  issuer?: string | undefined
  /** An issuer with `{tenantid}` that the metadata may name instead. Default: none. */
  issuerTemplate?: string | undefined
  /**
   * The URL of the metadata, for providers such as Azure AD B2C that serve it elsewhere. It must name
   * `issuer`. Default: `/.well-known/openid-configuration` at the issuer.
   */
  discoveryUrl?: string | undefined
  /** Wins over the discovered one, as all endpoints here do. Default: the discovered one. */
  authorizationEndpoint?: string | undefined
  /** Default: the discovered one. */
  tokenEndpoint?: string | undefined
  /** Default: the discovered one. */
  userInfoEndpoint?: string | undefined
  /** Default: the discovered one; without one, tokens are not revoked at sign-out. */
  revocationEndpoint?: string | undefined
  /** Default: the discovered one; without one, nobody is signed out at the provider. */
  endSessionEndpoint?: string | undefined
  /** Lists addresses as `[{ email, primary, verified }]`. Default: none. */
  emailsEndpoint?: string | undefined
  /** The address registered at the provider: the callback of this service. */
  redirectUri: string
  /** A list, or text separated by spaces. Default: `openid profile email`. */
  scopes?: string | readonly string[] | undefined
  /**
   * Scopes that a sign-in may request beyond `scopes`, for incremental consent. Every other scope is
   * refused. A session has one of these only when the provider's token response names it.
   * Default: none.
   */
  additionalScopes?: string | readonly string[] | undefined
  /**
   * Path of the claim whose texts are the roles of a user, such as `realm_access.roles`; a claim that
   * has the whole path as its name comes first. It is read from the id_token, else from the user
   * info. Default: `roles`, from standard claims only.
   */
  rolesClaim?: string | undefined
  /**
   * How the client authenticates at the token endpoint. Default: `none` without a secret; else
   * `client_secret_basic` where the metadata lists it or lists nothing, else `client_secret_post`.
   */
  clientAuthMethod?: ClientAuthMethod | undefined
  /** Default: true. False only for an OIDC client with a secret; the nonce then guards the code. */
  pkce?: boolean | undefined
  /** More parameters of the authorization request, none of the protocol's own. Default: none. */
  extraAuthParams?: Readonly<Record<string, string>> | undefined
  /**
   * Parameters of the sign-out at the provider beside `client_id`, such as
   * `{ logout_uri: '{return_uri}' }`; `{return_uri}`, `{state}` and `{id_token}` are filled in. Default:
   * those of OpenID Connect RP-Initiated Logout 1.0.
   */
  signOutParams?: Readonly<Record<string, string>> | undefined
  /** Default: standard claims, with `sub` as the subject if the scope has `openid`, else `id`. */
  userInfoFields?: UserInfoFields | undefined
}

const DEFAULT_SCOPES = ['openid', 'profile', 'email']
/** RFC 6749 section 3.3. */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/
const ENDPOINTS = [
  'authorizationEndpoint',
  'tokenEndpoint',
  'userInfoEndpoint',
  'revocationEndpoint',
  'endSessionEndpoint',
  'emailsEndpoint',
] as const

/** Parameters that this service alone decides; `request` and `request_uri` could carry all others. */
const RESERVED_PARAMS = new Set([
  'client_id',
  'client_secret',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
])

/**
 * Defines a provider that is not one of the presets.
 *
 * With `offline_access` among the scopes of an OIDC provider, `prompt=consent` is added unless a
 * prompt is given, since providers ignore the scope without it (OpenID Connect Core section 11).
 *
 * @throws AuthConfigurationError that names the provider, the option and the fix.
 *
 * @example
 * ```ts
 * const provider = defineOAuthProvider({
 *   id: 'my-idp',
 *   clientId: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_ID'),
 *   clientSecret: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_SECRET'),
 *   issuer: 'https://idp.example',
 *   redirectUri: 'https://app.example/api/v1/auth/callback',
 * })
 * ```
 */
export function defineOAuthProvider(options: OAuthProviderOptions): OAuthProvider {
  const offline = parseScopes(options.scopes ?? DEFAULT_SCOPES).includes('offline_access')
  if (!options.issuer || !offline) return createOAuthProvider(options)
  return createOAuthProvider({
    ...options,
    extraAuthParams: { prompt: 'consent', ...options.extraAuthParams },
  })
}

/**
 * {@link defineOAuthProvider} without a prompt of its own, for presets that know their provider.
 *
 * @param secretMethod What a client with a secret prefers when `clientAuthMethod` is not set.
 * @throws AuthConfigurationError that names the provider, the option and the fix.
 */
export function createOAuthProvider(
  options: OAuthProviderOptions,
  secretMethod: Exclude<ClientAuthMethod, 'none'> = 'client_secret_basic',
): OAuthProvider {
  const { id, clientId, clientSecret, issuer, discoveryUrl, redirectUri } = options
  const fail = (option: string, problem: string): never => {
    throw new AuthConfigurationError(`OAuth provider "${id}": ${option} ${problem}`)
  }
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(id)) {
    fail('id', 'must be 1 to 64 lower-case letters, digits and hyphens. Choose such an id.')
  }
  if (!clientId?.trim()) fail('clientId', 'is blank. Set it to the client id of the registration.')
  if (clientSecret !== undefined && !clientSecret.trim()) {
    fail('clientSecret', 'is blank. Set it, or leave it out for a public client.')
  }
  if (!redirectUri?.trim()) fail('redirectUri', 'is blank. Set it to the callback URL registered.')
  checkUrl(redirectUri, 'redirectUri', fail)
  if (issuer !== undefined) {
    checkUrl(issuer, 'issuer', fail)
    if (issuer.includes('?')) fail('issuer', 'must have no query. Remove it.')
  }
  if (discoveryUrl !== undefined) {
    checkUrl(discoveryUrl, 'discoveryUrl', fail)
    if (issuer === undefined) {
      fail('issuer', 'is missing. Set it to the issuer that the metadata at discoveryUrl names.')
    }
  }
  for (const name of ENDPOINTS) {
    const url = options[name]
    if (url !== undefined) checkUrl(url, name, fail)
  }
  if (issuer === undefined) {
    for (const name of ENDPOINTS.slice(0, 3)) {
      if (!options[name]) fail(name, 'is missing. Set it, or set issuer to discover the endpoints.')
    }
  }
  const scopes = parseScopes(options.scopes ?? DEFAULT_SCOPES)
  const additionalScopes = parseScopes(options.additionalScopes ?? [])
  for (const [name, list] of Object.entries({ scopes, additionalScopes })) {
    if (!list.every((scope) => SCOPE_TOKEN.test(scope))) {
      fail(name, 'must hold scope tokens of RFC 6749 section 3.3 only. Correct it.')
    }
  }
  if (issuer !== undefined && !scopes.includes('openid')) {
    fail('scopes', 'must include openid when an issuer is set. Add it.')
  }
  const { rolesClaim } = options
  if (rolesClaim !== undefined && !isClaimPath(rolesClaim)) {
    fail('rolesClaim', 'must be the name of a claim, or names separated by dots. Correct it.')
  }
  const { clientAuthMethod = clientSecret === undefined ? 'none' : secretMethod } = options
  if (!CLIENT_AUTH_METHODS.includes(clientAuthMethod)) {
    fail('clientAuthMethod', `must be one of ${CLIENT_AUTH_METHODS.join(', ')}.`)
  }
  if (clientAuthMethod !== 'none' && clientSecret === undefined) {
    fail('clientSecret', `is missing. Set it, or use clientAuthMethod none.`)
  }
  const pkce = options.pkce ?? true
  if (!pkce && (issuer === undefined || clientAuthMethod === 'none')) {
    fail('pkce', 'can be off only for an issuer and a client with a secret. Leave it on.')
  }
  const authorizationParams = { ...options.extraAuthParams }
  const reserved = Object.keys(authorizationParams).find((name) => RESERVED_PARAMS.has(name.trim()))
  if (reserved !== undefined) {
    fail('extraAuthParams', `cannot set ${reserved}, which this service decides. Remove it.`)
  }
  const fields = options.userInfoFields ?? standardFields(scopes)
  return Object.freeze({
    id,
    displayName: options.displayName?.trim() || titleCase(id),
    kind: issuer === undefined ? 'oauth' : 'oidc',
    clientId: clientId.trim(),
    ...defined({ clientSecret, issuer, issuerTemplate: options.issuerTemplate, discoveryUrl }),
    ...defined({ rolesClaim }),
    ...defined(Object.fromEntries(ENDPOINTS.map((name) => [name, options[name]]))),
    redirectUri,
    scopes: Object.freeze(scopes),
    additionalScopes: Object.freeze(additionalScopes),
    clientAuthMethod,
    ...(options.clientAuthMethod !== undefined && { clientAuthMethodIsExplicit: true as const }),
    pkce,
    authorizationParams: Object.freeze(authorizationParams),
    ...(options.signOutParams && { signOutParams: Object.freeze({ ...options.signOutParams }) }),
    userInfoFields: Object.freeze({ ...fields }),
  } satisfies OAuthProvider)
}

function parseScopes(scopes: string | readonly string[]): string[] {
  const list = typeof scopes === 'string' ? scopes.split(/\s+/) : scopes
  return [...new Set(list.filter(Boolean))]
}

function checkUrl(
  value: string,
  option: string,
  fail: (option: string, problem: string) => never,
): void {
  const url = URL.canParse(value) ? new URL(value) : fail(option, `is not an absolute URL. Fix it.`)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    fail(option, 'must begin with https://. Correct it.')
  }
  if (url.username || url.password) fail(option, 'must not carry a password. Remove it.')
  if (value.includes('#')) fail(option, 'must have no fragment. Remove it.')
}

function standardFields(scopes: readonly string[]): UserInfoFields {
  return {
    subject: scopes.includes('openid') ? 'sub' : 'id',
    displayName: ['name', 'preferred_username', 'username'],
    username: 'preferred_username',
    email: 'email',
    emailVerified: 'email_verified',
    imageUrl: 'picture',
  }
}

function titleCase(id: string): string {
  return id
    .split(/[-_]/)
    .filter(Boolean)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')
}

function defined<T extends Record<string, string | undefined>>(
  values: T,
): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string
  }
}
