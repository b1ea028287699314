import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { ADMISSION_LISTS, admissionProblem, type AdmissionRules } from './admission.js'
import { isClaimPath, validRoles } from './roles.js'

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

/** Options of {@link defineOAuthProvider}. Either `issuer` or the first three endpoints are required. */
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

/** The options that a provider has as they were given. */
type Given = Omit<
  OAuthProviderOptions,
  | 'displayName'
  | 'isPublic'
  | 'scopes'
  | 'additionalScopes'
  | 'rolesMap'
  | 'clientAuthMethod'
  | 'pkce'
  | 'stepUp'
  | 'extraAuthParams'
  | 'userInfoFields'
>

/** An OAuth 2.0 or OpenID Connect provider: frozen data, created by {@link defineOAuthProvider}. */
export interface OAuthProvider extends Readonly<{
  [Name in keyof Given]: Exclude<Given[Name], undefined>
}> {
  /** Name to show. */
  readonly displayName: string
  /** `oidc` exactly when there is an issuer, so that id_tokens can be verified. */
  readonly kind: 'oidc' | 'oauth'
  /** Whether anyone can create an account at the provider. */
  readonly isPublic?: true
  /** The scopes of a sign-in that requests none. */
  readonly scopes: readonly string[]
  /** Scopes that a sign-in may request beyond `scopes`. */
  readonly additionalScopes: readonly string[]
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
  /** Whether the authorization request has an S256 challenge (RFC 7636). */
  readonly pkce: boolean
  /** Whether the provider enforces `max_age` and returns `auth_time` (OpenID Connect Core 3.1.2.1). */
  readonly stepUp: boolean
  /** Further parameters of the authorization request. */
  readonly authorizationParams: Readonly<Record<string, string>>
  /** Used if `kind` is `oauth`. */
  readonly userInfoFields: UserInfoFields
}

const DEFAULT_SCOPES = ['openid', 'profile', 'email']
/** A scope token (RFC 6749 section 3.3). */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/
const ENDPOINTS = [
  'authorizationEndpoint',
  'tokenEndpoint',
  'userInfoEndpoint',
  'revocationEndpoint',
  'endSessionEndpoint',
  'emailsEndpoint',
  'organizationsEndpoint',
] as const

/** Parameters that only this service may set. `request` and `request_uri` could contain the others. */
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
 * If the scopes of an OIDC provider include `offline_access`, `prompt=consent` is added unless a
 * prompt is set: providers ignore the scope without it (OpenID Connect Core section 11).
 *
 * @throws AuthConfigurationError with the provider, the option and the fix.
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
 * Like {@link defineOAuthProvider}, but never adds a prompt, for presets.
 *
 * @param secretMethod Preferred method of a client with a secret, if `clientAuthMethod` is not set.
 * @throws AuthConfigurationError with the provider, the option and the fix.
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
  const rolesMap =
    options.rolesMap &&
    Object.fromEntries(
      Object.entries(options.rolesMap).map(([value, roles]) => [value, [roles].flat()]),
    )
  const mapped = Object.values(rolesMap ?? {}).flat()
  if (validRoles(mapped).length !== mapped.length) {
    fail('rolesMap', 'has a role that is blank, too long or has control characters. Rename it.')
  }
  const { admission } = options
  for (const name of ADMISSION_LISTS) {
    const problem = admission?.[name] && admissionProblem(name, admission[name])
    if (problem !== undefined) fail(`admission.${name}`, problem)
  }
  if (admission?.groupsClaim !== undefined && !isClaimPath(admission.groupsClaim)) {
    fail('admission.groupsClaim', 'must be the name of a claim, or a path with dots. Correct it.')
  }
  const needsAddress = [admission?.emails, admission?.emailDomains].some(
    (list) => list !== undefined && !list.includes('*'),
  )
  if (needsAddress && issuer?.startsWith('https://login.microsoftonline.com/')) {
    fail(
      'admission',
      'needs verified addresses, but Microsoft Entra does not say which are. Use admission.tenants (NETSCRIPT_AUTH_ALLOWED_TENANTS), and * for emailDomains where it is set for all providers.',
    )
  }
  if (admission?.organizations && options.organizationsEndpoint === undefined) {
    fail('admission.organizations', 'is for GitHub. Remove it, or set organizationsEndpoint.')
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
  if (options.stepUp && issuer === undefined) {
    fail('stepUp', 'needs an issuer: plain OAuth 2.0 has no auth_time. Leave it out.')
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
    ...(rolesMap && { rolesMap: Object.freeze(rolesMap) }),
    ...(options.isPublic && { isPublic: true as const }),
    ...(options.accountPrompt && { accountPrompt: options.accountPrompt }),
    ...(admission && { admission: Object.freeze({ ...admission }) }),
    ...defined(Object.fromEntries(ENDPOINTS.map((name) => [name, options[name]]))),
    redirectUri,
    scopes: Object.freeze(scopes),
    additionalScopes: Object.freeze(additionalScopes),
    clientAuthMethod,
    ...(options.clientAuthMethod !== undefined && { clientAuthMethodIsExplicit: true as const }),
    pkce,
    stepUp: options.stepUp ?? issuer !== undefined,
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
